"""Interprets a node of a Dask graph over abstract values: through fusion, wrappers, partials and methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from dask._task_spec import Alias, DataNode, Dict, GraphNode, NestedContainer, Task, TaskRef, _execute_subgraph
from dask.utils import methodcaller

from asafess.compiler import rules
from asafess.compiler.abstract.parts import Part
from asafess.compiler.abstract.values import UNKNOWN, FrameOf, Unknown, abstracted
from asafess.compiler.rules import elementwise, frame, frame_functions
from asafess.compiler.rules.table import METHODS, RULES, is_ufunc, name_of

for _room in iter_modules(rules.__path__):  # each registers its rules in the table
    import_module(f"{rules.__name__}.{_room.name}")

#: calls inside calls, and parts of one fused task: a cycle or a huge task must not hold the scheduler up
DEPTH = 24
MOST_PARTS = 400

ValueOf = Callable[[Any], Any]


class Interpreter:
    """Interprets one task, and collects what it does.

    Parameters
    ----------
    value_of : callable
        Key of a dependency → its abstract value.
    """

    def __init__(self, value_of: ValueOf) -> None:
        self.parts: list[Part] = []
        self._value_of = value_of
        self._depth = 0
        #: what is known only by estimate in the operation at hand
        self._confidence = 1.0
        self._hedge = ""

    def part(self, name: str, kind: str, flop: float = 0.0, nbytes: float = 0.0, **more: Any) -> None:
        """Record an operation; `more` are fields of `Part`."""
        if flop or nbytes or more:
            confidence = more.pop("confidence", 1.0) * self._confidence
            why = more.pop("why", "") or f"{kind} {name}"
            if self._hedge:
                why = f"{why} ({self._hedge})"
            self.parts.append(Part(name, kind, float(flop), float(nbytes), why=why, confidence=confidence, **more))

    def hedge(self, confidence: float, why: str) -> None:
        """Say that what the operation at hand records from now on is an estimate, and why."""
        self._confidence = min(self._confidence, confidence)
        self._hedge = why

    def node(self, node: Any) -> Any:
        """Return the abstract value of a node or of an argument of one."""
        if isinstance(node, TaskRef):
            return self._value_of(node.key)
        if not isinstance(node, GraphNode):
            return abstracted(node)
        if isinstance(node, DataNode):
            return abstracted(node.value)
        if isinstance(node, Alias):
            return self._value_of(node.target)
        if isinstance(node, Dict):
            items = [self.node(arg) for arg in node.args]
            return dict(zip(items[::2], items[1::2], strict=True))
        if isinstance(node, NestedContainer):
            return node.klass([self.node(arg) for arg in node.args])
        if isinstance(node, Task):
            if node.func is _execute_subgraph:
                return self._fused(*node.args)
            args = tuple([self.node(arg) for arg in node.args])
            kwargs = {key: self.node(arg) for key, arg in node.kwargs.items()}
            if hasattr(node, "spec"):  # the barrier of a p2p shuffle
                kwargs["spec"] = node.spec
            return self.call(node.func, args, kwargs)
        raise Unknown(f"a node of type {type(node).__name__}")

    def _fused(self, inner: Mapping[Any, Any], out: Any, keys: Any, *handed: Any) -> Any:
        """Interpret a fused task: its parts one by one, each once."""
        if len(inner) > MOST_PARTS:
            return self.unknown("fused task", f"{len(inner)} parts are more than {MOST_PARTS}")
        values = dict(zip(keys, [self.node(value) for value in handed], strict=False))
        outer, self._value_of = self._value_of, values.__getitem__
        try:
            for key in _ordered(inner, out, values):
                values[key] = self.node(inner[key])
        finally:
            self._value_of = outer
        return values[out]

    def call(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Return the abstract result of a call, and record what it does."""
        if self._depth >= DEPTH:
            return self.unknown(name_of(function), f"calls nest deeper than {DEPTH}")
        self._depth += 1
        before = self._confidence, self._hedge
        try:
            return self._call(function, args, kwargs)
        except Unknown as reason:
            return self.unknown(name_of(function), str(reason))
        except Exception as error:
            return self.unknown(name_of(function), f"{type(error).__name__} in its rule")
        finally:
            self._depth -= 1
            self._confidence, self._hedge = before

    def _call(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if isinstance(function, partial) or (
            hasattr(function, "keywords") and hasattr(function, "args")
        ):  # toolz.curry
            return self.call(function.func, (*function.args, *args), {**function.keywords, **kwargs})
        if hasattr(function, "first") and hasattr(function, "funcs"):  # toolz.Compose
            value = self.call(function.first, args, kwargs)
            for outer in function.funcs:
                value = self.call(outer, (value,), {})
            return value
        if isinstance(function, methodcaller):
            return self.method(function.method, args, kwargs)
        name = name_of(function)
        known = RULES.get(name)
        if known is not None:
            return known(self, name, *args, **kwargs)
        if is_ufunc(function) and function.signature is None:
            return elementwise.ufunc(self, function, *args, **kwargs)
        if name.startswith("dask.dataframe.") or any(isinstance(arg, FrameOf) for arg in args):
            return frame_functions.function(self, function, *args, **kwargs)
        raise Unknown(f"no rule for {name}")

    def apply(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Return the abstract result of a function that has a rule; failures are the caller's."""
        return RULES[name](self, name, *args, **kwargs)

    def method(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Return the abstract result of a method of an array or a frame."""
        if args and isinstance(args[0], FrameOf):
            return frame.method(self, name, *args, **kwargs)
        if name in METHODS:
            return METHODS[name](self, f"ndarray.{name}", *args, **kwargs)
        if f"numpy.{name}" in RULES:
            return self.apply(f"numpy.{name}", *args, **kwargs)
        raise Unknown(f"no rule for the method {name}")

    def unknown(self, name: str, why: str) -> Any:
        """Record that an operation is not known; the task stays untyped."""
        if not (self.parts and not self.parts[-1].known and self.parts[-1].name == name):
            self.parts.append(Part(name, "unknown", known=False, why=f"{name}: {why}", confidence=0.0))
        return UNKNOWN


def _ordered(inner: Mapping[Any, Any], out: Any, known: Mapping[Any, Any]) -> list[Any]:
    """Return the keys that `out` needs, dependencies first, without recursion: chains may be long."""
    order: list[Any] = []
    seen: set[Any] = set()
    stack = [(out, False)]
    while stack:
        key, ready = stack.pop()
        if ready:
            order.append(key)
        elif key not in seen and key not in known:
            seen.add(key)
            stack.append((key, True))
            stack += [(dependency, False) for dependency in inner[key].dependencies]
    return order
