"""The syntax tree of a Python function, if its source is at hand and is what was compiled."""

from __future__ import annotations

import ast
import dis
import inspect
import textwrap
from bisect import bisect_left
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

Function = ast.FunctionDef | ast.Lambda

#: functions whose trees are kept
MOST = 1024
#: lines of a function that is read
LONGEST = 200
_trees: dict[tuple[CodeType, str], Function | None] = {}


def tree(function: FunctionType) -> Function | None:
    """Return the syntax tree of a function, None where there is no source, or another one by now.

    Notes
    -----
    The source is compiled again and its instructions are compared: a file may have been edited since it was imported,
    and tools rewrite functions while they are.

    Examples
    --------
    >>> import statistics
    >>> tree(statistics.mean).name
    'mean'
    """
    code = function.__code__
    key = code, code.co_filename  # equal functions of two files are one key otherwise
    if key not in _trees:
        if len(_trees) >= MOST:
            _trees.clear()
        try:
            _trees[key] = _tree(code)
        except (OSError, TypeError, SyntaxError, ValueError, IndexError, RecursionError):
            _trees[key] = None  # there is no file, or it holds something else
    return _trees[key]


def _tree(code: CodeType) -> Function | None:
    if code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        return None
    lines = inspect.getsourcelines(code)[0]
    if len(lines) > LONGEST:
        return None
    module = ast.parse(textwrap.dedent("".join(lines)))
    for node in ast.walk(module):
        if isinstance(node, Function) and any(_same(code, made) for made in _compiled(node, code)):
            return node
    return None


def _compiled(node: Function, like: CodeType) -> Iterator[CodeType]:
    """Yield what a function compiles to, with the names that it closes over in a function around it."""
    names = [ast.Name(name, ast.Store()) for name in like.co_freevars]
    given: list[ast.stmt] = [ast.Assign([*names], ast.Constant(None))] if names else []
    if isinstance(node, ast.FunctionDef):
        inner: ast.stmt = ast.FunctionDef("<function>", node.args, node.body, [], None, None)
    else:
        inner = ast.Expr(node)
    arguments = ast.arguments([], [], None, [], [], None, [])
    around = ast.FunctionDef("around", arguments, [*given, inner], [], None, None)
    for one in (around, inner):
        vars(one).setdefault("type_params", [])  # Python 3.12 wants them
    module = ast.fix_missing_locations(ast.Module([around], []))
    for made in compile(module, like.co_filename, "exec", dont_inherit=True).co_consts:
        if isinstance(made, CodeType):
            yield from (one for one in made.co_consts if isinstance(one, CodeType))


def _same(one: CodeType, other: CodeType) -> bool:
    """Say whether two code objects do the same."""
    if any(getattr(one, name) != getattr(other, name) for name in _COMPARED):
        return False
    if (one.co_flags ^ other.co_flags) & _STARRED:
        return False
    pairs = zip(_instructions(one), _instructions(other), strict=True)
    try:
        return all(_same(a, b) if isinstance(a, CodeType) and isinstance(b, CodeType) else a == b for a, b in pairs)
    except ValueError:  # one is longer
        return False


_COMPARED = ("co_varnames", "co_freevars", "co_cellvars", "co_argcount", "co_kwonlyargcount")
_STARRED = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
#: depend on whether a global name is known to be a module where a call of its function is compiled
_FREE = {"PUSH_NULL", "PRECALL", "NOP", "CACHE"}
_ALIKE = {"LOAD_METHOD": "LOAD_ATTR"}


def _instructions(code: CodeType) -> Iterator[Any]:
    """Yield what a code object does, instruction by instruction; jumps as the numbers of those that they lead to."""
    kept = [one for one in dis.get_instructions(code) if one.opname not in _FREE]
    at = [one.offset for one in kept]
    for one in kept:
        yield _ALIKE.get(one.opname, one.opname)
        if isinstance(one.argval, CodeType):
            yield one.argval
        elif one.opcode in dis.hasjrel or one.opcode in dis.hasjabs:
            yield bisect_left(at, one.argval)
        else:
            yield repr(one.argval)
