"""Interprets plain Python functions over abstract values: what NumPy and other functions with rules do in them.

Straight from the syntax tree, statement by statement; the function itself is never called. Tests and loops are followed
where they don't depend on data. What can't be followed raises `Unknown` with its line.
"""

from __future__ import annotations

import ast
import operator
import sys
from collections.abc import Callable, Mapping
from inspect import signature
from types import FunctionType, ModuleType
from typing import Any

from asafess.compiler.abstract.values import ArrayOf, FrameOf, Unknown
from asafess.compiler.expressions import Expressions
from asafess.compiler.interpret import Interpreter
from asafess.compiler.own_values import BINARY, own
from asafess.compiler.rules.table import RULES, name_of
from asafess.compiler.source import tree

#: nodes of syntax trees that are interpreted for one task: a quarter of a millisecond to some milliseconds
STEPS = 1000


class _Returned(Exception):  # noqa: N818  it is no error
    def __init__(self, value: Any) -> None:
        self.value = value


class FunctionInterpreter(Interpreter):
    """Interprets a task, and the plain Python functions that it calls where no rule is known.

    Examples
    --------
    >>> import numpy as np
    >>> from asafess.compiler.abstract.values import array_of
    >>> def smoothed(x, weights=(0.5, 0.25)):
    ...     out = np.zeros_like(x)
    ...     for k, weight in enumerate(weights):
    ...         out[2:-2] += weight * x[2 + k : len(x) - 2 + k]
    ...     return out
    >>> on = FunctionInterpreter(None)
    >>> on.call(smoothed, (array_of((104,), "f8"),), {}).shape, sum(part.flop for part in on.parts)
    ((104,), 400.0)
    """

    def __init__(self, value_of: Callable[[Any], Any]) -> None:
        super().__init__(value_of)
        self._steps = STEPS

    def _call(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        name = name_of(function)
        if type(function) is FunctionType and name not in RULES and not name.startswith("dask."):
            found = None if any(isinstance(arg, FrameOf) for arg in args) else tree(function)
            if found is not None:
                return self._plain(function, found, args, kwargs)
        return super()._call(function, args, kwargs)

    def step(self) -> None:
        """Count a step; raises `Unknown` when there have been too many."""
        self._steps -= 1
        if self._steps < 0:
            raise Unknown(f"more than {STEPS} steps of plain Python")

    def _plain(self, function: FunctionType, found: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        bound = signature(function, follow_wrapped=False).bind(*args, **kwargs)
        bound.apply_defaults()
        inside = _Call(self, function, {name: self.node(value) for name, value in bound.arguments.items()})
        if isinstance(found, ast.Lambda):
            return inside.value(found.body)
        try:
            inside.run(found.body)
        except _Returned as returned:
            return returned.value
        return None


class _Call(Expressions):
    """One call of a plain function."""

    def run(self, statements: list[ast.stmt]) -> None:
        """Interpret statements."""
        for statement in statements:
            self.on.step()
            try:
                self._statement(statement)
            except Unknown as reason:
                if "line " in str(reason):
                    raise
                line = self.function.__code__.co_firstlineno + statement.lineno - 1
                raise Unknown(f"line {line}: {reason}") from None

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Return):
            raise _Returned(None if node.value is None else self.value(node.value))
        if isinstance(node, ast.Assign):
            value = self.value(node.value)
            for target in node.targets:
                self.assign(target, value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self.assign(node.target, self.value(node.value))
        elif isinstance(node, ast.AugAssign):
            self._augment(node)
        elif isinstance(node, ast.Expr):
            self.value(node.value)
        elif isinstance(node, ast.If):
            self.run(node.body if self.truth(node.test) else node.orelse)
        elif isinstance(node, ast.For) and not node.orelse:
            for item in self.items(node.iter):
                self.assign(node.target, item)
                self.run(node.body)
        elif isinstance(node, ast.Import):
            for one in node.names:
                first = one.name.partition(".")[0]
                self.names[one.asname or first] = _module(one.name if one.asname else first)
        elif not isinstance(node, ast.Pass):
            raise Unknown(f"`{type(node).__name__.lower()}` is not followed")

    def assign(self, target: ast.expr, value: Any) -> None:
        """Give variables, or an item of an array, a value."""
        if not isinstance(target, ast.Subscript):
            super().assign(target, value)
            return
        array, index = self.value(target.value), self.value(target.slice)
        if not isinstance(array, ArrayOf):
            raise Unknown("an item of what is no array is assigned")
        self.on.call(operator.setitem, (array, index, value), {})

    def _augment(self, node: ast.AugAssign) -> None:
        """Interpret ``x += y``; of ``x[i] += y`` NumPy leaves the copy of x[i] onto itself out."""
        if isinstance(node.target, ast.Attribute):
            raise Unknown("an attribute is assigned")
        old = self.value(node.target)
        value = self.binary(BINARY[type(node.op)], old, self.value(node.value))
        if isinstance(node.target, ast.Name):
            self.names[node.target.id] = old if isinstance(old, ArrayOf) and old.shape else value
        elif not isinstance(old, ArrayOf) or old.shape == ():
            raise Unknown("an item is assigned")
        elif not own(self.value(node.target.slice)):
            self.assign(node.target, value)


def _module(name: str) -> ModuleType:
    """Return a module that has been imported already: importing it would run its code."""
    module = sys.modules.get(name)
    if module is None:
        raise Unknown(f"{name} is not imported yet")
    return module
