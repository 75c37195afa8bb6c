"""What loops and branches make of a variable: carried along from turn to turn, or one of two values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sympy
from numba.core import ir, types
from sympy import Dummy, Expr, Symbol

from asafess.compiler.kernel.sums import sum_polynomial
from asafess.compiler.kernel.values import Array, NotCountedError, Step

if TYPE_CHECKING:
    from asafess.compiler.kernel.frame import Frame

_CARRIED = (types.Integer, types.Boolean, types.Array, types.BaseTuple, types.NoneType)


def after_loop(frame: Frame, value: Any, header: int, made: int) -> Any:
    """Return a value of a loop as it is after the loop."""
    counter = frame.counter(header)
    if isinstance(value, tuple):
        return tuple(after_loop(frame, item, header, made) for item in value)
    if isinstance(value, Array):
        if not any(counter in dim.free_symbols for dim in value.dims):
            return replace(value, axes=None) if value.axes and counter in _symbols(value) else value
        raise NotCountedError("an array whose shape changes from turn to turn of a loop is used after it")
    if not isinstance(value, Expr) or counter not in value.free_symbols:
        return value
    trips = frame.loop(header).trips
    sources = {source for source, _ in frame.flow.exits(header)}
    if len(sources) != 1 or trips in frame.study.estimates:
        return None
    last = trips if made == header and sources == {header} else trips - 1
    return sympy.expand(value.xreplace({counter: last}))


def _incoming(statement: Any) -> list[tuple[Any, int]]:
    phi = statement.value
    pairs = zip(phi.incoming_values, phi.incoming_blocks, strict=True)
    return [(value, label) for value, label in pairs if value is not ir.UNDEFINED]


def carried(frame: Frame, statement: Any, header: int) -> Any:
    """Return what a variable holds at the head of a loop that changes it."""
    name = statement.target.name
    if not isinstance(frame.type_of(statement.target), _CARRIED):
        return None
    body = frame.flow.loops[header].body
    incoming = _incoming(statement)
    starts = [frame.use(value, label) for value, label in incoming if label not in body]
    start = starts[0] if starts else None
    if any(other != start for other in starts):
        return None
    if starts and start is None:
        return None
    scalar = isinstance(start, Expr) or not starts
    placeholder: Any = Dummy(integer=True) if scalar else start
    turns = frame.with_placeholder(name, placeholder, [pair for pair in incoming if pair[1] in body])
    if not turns or any(other != turns[0] for other in turns):
        return None
    if not scalar:
        return _same(frame, start, turns[0])
    return _evolved(start, turns[0], placeholder, frame.counter(header))


def _same(frame: Frame, start: Any, turn: Any) -> Any:
    if turn == start:
        return start
    if isinstance(start, Array) and isinstance(turn, Array):
        frame.study.agree(start.dims, turn.dims, "an array changes its shape from turn to turn of a loop")
        return replace(start, axes=None)
    return None


def _evolved(start: Expr | None, turn: Any, placeholder: Dummy, counter: Symbol) -> Expr | None:
    if not isinstance(turn, Expr):
        return None
    if placeholder not in turn.free_symbols:  # what the last turn left behind
        if turn.atoms(Dummy):
            return None
        last = turn.xreplace({counter: counter - 1})
        return last if start is None or sympy.expand(last.subs(counter, 0) - start) == 0 else None
    if start is None:
        return None
    growth = sympy.expand(turn - placeholder)
    if not growth.atoms(Dummy) and growth.is_polynomial(counter):
        return start + sum_polynomial(growth, counter, counter)
    factor = sympy.cancel(turn / placeholder)
    if factor.is_Integer and factor > 1:
        return start * factor**counter
    halved = sympy.cancel(turn.args[0] / placeholder) if turn.func is sympy.floor else None
    if halved is not None and halved.is_Rational and halved.p == 1:
        return sympy.floor(start * halved**counter)
    return None


def merged(frame: Frame, statement: Any, label: int) -> Any:
    """Return what a variable holds where two ways meet."""
    values = [(frame.use(value, source), source) for value, source in _incoming(statement)]
    if not values:
        return None
    first = values[0][0]
    if all(value == first for value, _ in values):
        return first
    if all(isinstance(value, Array) for value, _ in values):
        for value, _ in values:
            frame.study.agree(first.dims, value.dims, "an array that has one of two shapes")
        return replace(first, axes=None)
    if len(values) != 2 or not all(isinstance(value, Expr) for value, _ in values):
        return None
    split = frame.flow.graph.immediate_dominators()[label]
    branch = frame.typed.blocks[split].terminator
    if not isinstance(branch, ir.Branch):
        return None
    condition = frame.use(branch.cond, split)
    if not isinstance(condition, Expr):
        return None
    (one, one_from), (two, two_from) = values
    if _on_true(frame, branch, split, two_from, label):
        one, two, one_from, two_from = two, one, two_from, one_from
    elif not _on_true(frame, branch, split, one_from, label):
        return None
    return _chosen(condition, one, two)


def _on_true(frame: Frame, branch: Any, split: int, source: int, label: int) -> bool:
    if source == split:
        return branch.truebr == label
    return branch.truebr != label and frame.flow.dominates(branch.truebr, source)


def _symbols(array: Array) -> set[Symbol]:
    found: set[Symbol] = set()
    for axis in array.axes or ():
        found |= axis.offset.free_symbols if axis.offset is not None else set()
    return found


def _chosen(condition: Expr, yes: Expr, no: Expr) -> Expr | None:
    """Return `yes if condition else no`, as Min or Max where it is one."""
    inverted = sympy.expand(1 - condition)
    if isinstance(inverted, Step) and not isinstance(condition, Step):
        condition, yes, no = inverted, no, yes
    if isinstance(condition, Step):
        at = condition.args[0]
        if sympy.expand(yes - no - at) in (0, 1):
            return sympy.Max(yes, no)
        if sympy.expand(no - yes - at) in (0, 1):
            return sympy.Min(yes, no)
    return None
