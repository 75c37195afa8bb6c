"""Loading a script or module and finding the objects in it that have task types."""

from __future__ import annotations

import importlib
import importlib.machinery
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import click

#: name under which a script is executed: not "__main__", and no name that a program could import
SCRIPT = "__asafess_script__"
_KINDS = "Dask collections (arrays, dataframes, bags, delayed, or lists of such)"
_FUNCTIONS = "functions marked by asafess.task or compiled by Numba"


@dataclass(slots=True)
class Program:
    """What was found in a program, by name."""

    #: Dask collections, and containers of such
    collections: dict[str, Any] = field(default_factory=dict)
    #: functions with a declared type, and Numba dispatchers
    functions: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, value: Any) -> bool:
        """Take an object up if it is of interest; say whether it is."""
        if is_program(value):
            self.collections[name] = value
        elif is_kernel(value) or is_declared(value):
            self.functions[name] = value
        else:
            return False
        return True


def find(argument: str) -> Program:
    """Load SCRIPT_OR_MODULE[:object] and return what is to be explained.

    Raises
    ------
    click.ClickException
        There is no such file, module or object, it fails, or nothing is found in it.
    """
    target, name = split(argument)
    found = Program()
    module = load(target)
    if name:
        _named(module, target, name, found)
        return found
    seen = set()
    for key, value in list(vars(module).items()):
        if not key.startswith("_") and id(value) not in seen and found.add(key, value):
            seen.add(id(value))
    if not found.collections and not found.functions:
        raise click.ClickException(
            f"{target} holds neither {_KINDS} nor {_FUNCTIONS} at its top level. For what is made inside a function "
            f"name one that takes no arguments and returns it: asafess types {target}:build"
        )
    return found


def split(argument: str) -> tuple[str, str]:
    """Return script or module, and the name of the object or "".

    Examples
    --------
    >>> split("examples/program.py:build"), split("package.module")
    (('examples/program.py', 'build'), ('package.module', ''))
    """
    target, colon, name = argument.rpartition(":")
    if not colon or os.path.exists(argument) or not all(part.isidentifier() for part in name.split(".")):
        return argument, ""
    return target, name


def load(target: str) -> ModuleType:
    """Execute a script as a module, or import a module."""
    if target.endswith(".ipynb"):
        raise click.ClickException(
            f"{target} is a notebook; write asafess.explain(collection) into one of its cells, or make a script of it: "
            f"jupyter nbconvert --to script {target}"
        )
    if os.path.isfile(target):
        return _run(target, lambda: _script(target))
    if target.endswith(".py") or os.sep in target:
        what = "is a folder" if os.path.isdir(target) else "there is no such file"
        raise click.ClickException(f"{target}: {what}; name a script, or a module as in package.module")
    if not all(part.isidentifier() for part in target.split(".")):
        raise click.ClickException(f"{target!r} names neither a file that is there nor a module")
    return _run(target, lambda: _module(target))


def _run(target: str, loading: Callable[[], ModuleType]) -> ModuleType:
    path, arguments = list(sys.path), list(sys.argv)
    try:
        return loading()
    except click.ClickException:
        raise
    except (Exception, SystemExit) as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(".py")]
        own = [frame for frame in frames if os.path.abspath(frame.filename) == os.path.abspath(target)] or frames
        where = f" (line {own[-1].lineno} of {own[-1].filename})" if own else ""
        hint = "; it is run without arguments of its own" if isinstance(error, SystemExit) else ""
        raise click.ClickException(f"{target} fails: {type(error).__name__}: {error}{where}{hint}") from None
    finally:
        sys.path[:], sys.argv[:] = path, arguments


def _script(path: str) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(SCRIPT, path)
    module = ModuleType(SCRIPT)
    module.__file__, module.__loader__ = path, loader
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    sys.argv[:] = [path]
    sys.modules[SCRIPT] = module  # dataclasses and pickle look it up there
    loader.exec_module(module)
    return module


def _module(name: str) -> ModuleType:
    sys.path.insert(0, os.getcwd())
    sys.argv[:] = [name]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
            raise
        raise click.ClickException(f"there is neither a file nor a module {name!r}") from None


def _named(module: ModuleType, target: str, name: str, found: Program) -> None:
    value: Any = module
    for part in name.split("."):
        try:
            value = getattr(value, part)
        except Exception:
            there = [key for key, one in vars(module).items() if not key.startswith("_") and Program().add(key, one)]
            told = f"it has {', '.join(there)}" if there else f"it holds neither {_KINDS} nor {_FUNCTIONS}"
            raise click.ClickException(f"{target} has no {name!r}; {told}") from None
    if found.add(name, value):
        return
    if not callable(value):
        raise click.ClickException(
            f"{target}:{name} is of type {type(value).__name__}; looked for are {_KINDS}, functions without arguments "
            f"that return one, and {_FUNCTIONS}"
        )
    try:
        inspect.signature(value).bind()
    except (TypeError, ValueError):
        raise click.ClickException(
            f"{target}:{name} takes arguments; name a function without any that returns {_KINDS}"
        ) from None
    returned = _run(target, value)
    if not is_program(returned):
        raise click.ClickException(
            f"{target}:{name}() returned an object of type {type(returned).__name__}; looked for are {_KINDS}"
        )
    found.add(name, returned)


def is_program(value: Any) -> bool:
    """Say whether something is a Dask collection, or nested containers of nothing else."""
    from asafess.compiler.explain.task_graph import is_collection

    if isinstance(value, list | tuple | set | frozenset | dict):
        inside = list(value.values() if isinstance(value, dict) else value)
        try:
            return bool(inside) and all(map(is_program, inside))
        except RecursionError:  # it contains itself
            return False
    return is_collection(value)


def is_kernel(value: Any) -> bool:
    """Say whether something is a function compiled by Numba, without importing Numba."""
    kind = type(value)
    return kind.__module__.startswith("numba.") and kind.__name__.endswith("Dispatcher")


def is_declared(value: Any) -> bool:
    """Say whether a function is marked by `asafess.task`, well or badly."""
    from asafess.compiler.decorator import ATTRIBUTE

    try:
        return callable(value) and getattr(value, ATTRIBUTE, None) is not None
    except Exception:
        return False
