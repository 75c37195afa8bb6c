"""Walking a kernel's blocks: how often each is run in one turn of its loop, and what it does then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy
from numba.core import ir
from sympy import Dummy, Expr, Integer

from asafess.compiler.kernel.elements import stored
from asafess.compiler.kernel.loops import iterated
from asafess.compiler.kernel.study import Nest, Work
from asafess.compiler.kernel.values import Array, Element, NotCountedError, Sequence

if TYPE_CHECKING:
    from asafess.compiler.kernel.frame import Frame

_FREE = (ir.Jump, ir.Branch, ir.Return, ir.Del, ir.Print, ir.Terminator)


def counted(frame: Frame) -> Nest:
    """Return the loops of a kernel with the work in them.

    Raises
    ------
    NotCountedError
        At the first statement that can't be counted.
    """
    return _region(frame, None)


def returned(frame: Frame) -> Any:
    """Return what a kernel returns, or None where that is not known."""
    values = [
        frame.use(block.terminator.value, label)
        for label, block in frame.typed.blocks.items()
        if isinstance(block.terminator, ir.Return) and label not in frame.flow.raising
    ]
    if not values:
        return None
    first = values[0]
    if all(value == first for value in values):
        return first
    if all(isinstance(value, Array) for value in values):
        for value in values:
            frame.study.agree(first.dims, value.dims, f"{frame.typed.name} returns arrays of different shapes")
        return first
    return None


def _region(frame: Frame, header: int | None) -> Nest:
    """Count one turn of a loop, or a whole function."""
    flow = frame.flow
    nest = Nest(None if header is None else frame.loop(header))
    weights: dict[int, Expr] = {flow.region(header)[0]: Integer(1)}

    def go(to: int, weight: Expr) -> None:
        if to == header or (header is not None and to not in flow.loops[header].body):
            return
        node = flow.node(to, header)
        weights[node] = sympy.expand(weights.get(node, Integer(0)) + weight)

    for label in flow.region(header):
        weight = weights.get(label, Integer(0))
        if weight == 0 or label in flow.raising:
            continue
        if label in flow.loops and label != header:
            nest.inside.append((weight, _region(frame, label)))
            tests_first = {source for source, _ in flow.exits(label)} == {label} and flow.latches(label) != [label]
            if tests_first and iterated(frame, label) is None:
                _add(frame, nest, label, weight, last=True)  # the look that ends the loop
            for to, share in _ways_out(frame, label, header):
                go(to, weight * share)
            continue
        _add(frame, nest, label, weight)
        for to, share in _ways_on(frame, label, header):
            go(to, weight * share)
    if header is not None and isinstance(over := iterated(frame, header), Sequence):
        items = over.item if isinstance(over.item, tuple) else (over.item,)
        for item in items:
            if isinstance(item, Array) and len(item.dims) == 1:
                nest.add(Work().read(item, Integer(1)).counts, Integer(1))
                frame.study.touches.append((item, frame.loops(header), header))
    return nest


def _ways_on(frame: Frame, label: int, header: int | None) -> list[tuple[int, Expr]]:
    """Return where a block goes on to inside its loop, and in which share of its runs."""
    flow = frame.flow
    body = None if header is None else flow.loops[header].body
    after = [to for to in flow.after(label) if body is None or to in body]
    if len(after) < 2:
        return [(to, Integer(1)) for to in after]
    branch = frame.typed.blocks[label].terminator
    for to, other in (after, after[::-1]):
        guarded = to in flow.loops and to != header and other in {target for _, target in flow.exits(to)}
        if guarded and frame.loop(to).trips in frame.study.estimates:
            return [(to, Integer(1))]  # not entering it is a turn number of 0
    what = f"share of cases in which the condition on line {branch.loc.line} of {frame.typed.name} holds"
    share = frame.share(branch.cond, label, what)
    return [(branch.truebr, share), (branch.falsebr, 1 - share)]


def _ways_out(frame: Frame, inner: int, header: int | None) -> list[tuple[int, Expr]]:
    """Return where a loop leads to, and in which share of cases."""
    flow = frame.flow
    body = None if header is None else flow.loops[header].body
    targets = list(dict.fromkeys(to for _, to in flow.exits(inner) if body is None or to in body))
    shares: list[tuple[int, Expr]] = []
    rest: Expr = Integer(1)
    for to in targets[:-1]:
        line = frame.typed.blocks[to].loc.line
        what = f"share of cases in which the loop on line {frame.loop(inner).line} is left for line {line}"
        share = frame.study.estimate((id(frame), inner, to), what, share=True)
        shares.append((to, share))
        rest -= share
    return [*shares, *((to, rest) for to in targets[-1:])]


def _add(frame: Frame, nest: Nest, label: int, weight: Expr, last: bool = False) -> None:
    """Add what a block does; `last`: what the head of a loop does when it ends it."""
    loops = frame.loops(label)
    for statement in frame.typed.blocks[label].body:
        work = _work(frame, statement, label)
        if work is None:
            continue
        counts = {}
        for name, times in work.counts.items():
            if isinstance(times, Expr) and times.has(Element, Dummy):
                times = frame.size(times, label, (id(statement), name), f"work on line {statement.loc.line}")
            if last:
                times = sympy.sympify(times).xreplace({loops[-1].counter: loops[-1].trips})
            counts[name] = times
        nest.add(counts, weight)
        frame.study.written |= work.written
        frame.study.touches.extend((array, loops, id(statement)) for array in work.touches)
        nest.inside.extend((weight, call) for call in work.calls)


def _work(frame: Frame, statement: Any, label: int) -> Work | None:
    if isinstance(statement, ir.Assign):
        frame.value(statement.target.name)
        return frame.work.get(statement.target.name)
    try:
        if isinstance(statement, ir.SetItem | ir.StaticSetItem):
            return stored(frame, statement, label)
        if isinstance(statement, _FREE):
            return None
        raise NotCountedError(f"`{type(statement).__name__}` is not followed")
    except NotCountedError as error:
        if " line " in str(error):
            raise
        raise frame.error(statement.loc, str(error)) from None
