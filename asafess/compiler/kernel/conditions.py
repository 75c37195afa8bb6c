"""Conditions and bounds that depend on the data, as expressions over the elements of the kernel's arguments.

They are not part of a cost; `Cost.bind` takes their mean over real arguments.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from numba.core import ir, types
from sympy import Expr, Function, Symbol

from asafess.compiler.kernel.values import Array, Element, Known

if TYPE_CHECKING:
    from asafess.compiler.kernel.frame import Frame

#: how many operations back an expression is followed
DEPTH = 40


class Below(Function):
    """1 where the first number is less than the second, else 0."""


class Same(Function):
    """1 where two numbers are equal, else 0."""


class Truncated(Function):
    """A number without what is behind its point."""


_BINARY: dict[Any, Any] = {
    operator.add: lambda a, b: a + b,
    operator.sub: lambda a, b: a - b,
    operator.mul: lambda a, b: a * b,
    operator.truediv: lambda a, b: a / b,
    operator.mod: sympy.Mod,
    operator.floordiv: lambda a, b: sympy.floor(a / b),
    operator.lt: Below,
    operator.gt: lambda a, b: Below(b, a),
    operator.le: lambda a, b: 1 - Below(b, a),
    operator.ge: lambda a, b: 1 - Below(a, b),
    operator.eq: Same,
    operator.ne: lambda a, b: 1 - Same(a, b),
    operator.and_: lambda a, b: a * b,
    operator.or_: lambda a, b: a + b - a * b,
}
_CALLED: dict[Any, Any] = {
    bool: lambda x: x,
    int: Truncated,
    float: lambda x: x,
    abs: sympy.Abs,
    math.fabs: sympy.Abs,
    math.sqrt: sympy.sqrt,
    math.exp: sympy.exp,
    math.floor: sympy.floor,
    math.ceil: sympy.ceiling,
    np.abs: sympy.Abs,
    np.sqrt: sympy.sqrt,
    np.exp: sympy.exp,
}


def data_expression(frame: Frame, variable: Any, label: int, depth: int = DEPTH) -> Expr | None:
    """Return what a variable holds as an expression over elements of arguments, or None.

    Parameters
    ----------
    frame : Frame
        The call of the kernel.
    variable : numba.core.ir.Var
    label : int
        The block that reads it.
    """
    value = frame.use(variable, label)
    if isinstance(value, Expr):
        return value
    found = frame.definition(variable.name)
    if found is None or depth == 0 or value is not None:
        return None
    made, at = found
    if frame.flow.around[at] != frame.flow.around[label][: len(frame.flow.around[at])]:
        return None  # made in a loop that is over
    if isinstance(made, ir.Arg):
        return Symbol(made.name, real=True) if frame.is_argument(made.index) else None
    if isinstance(made, ir.Const | ir.Global | ir.FreeVar):
        return sympy.Float(made.value) if isinstance(made.value, float) else None
    if isinstance(made, ir.Var):
        return data_expression(frame, made, at, depth - 1)
    return _expression(frame, made, at, depth) if isinstance(made, ir.Expr) else None


def _expression(frame: Frame, made: Any, label: int, depth: int) -> Expr | None:
    if made.op in ("binop", "inplace_binop"):
        rule = _BINARY.get(made.fn if made.op == "binop" else made.immutable_fn)
        parts = [data_expression(frame, part, label, depth - 1) for part in (made.lhs, made.rhs)]
        return rule(*parts) if rule is not None and None not in parts else None
    if made.op == "unary" and made.fn in (operator.neg, operator.not_):
        part = data_expression(frame, made.value, label, depth - 1)
        if part is None:
            return None
        return -part if made.fn is operator.neg else 1 - part
    if made.op == "cast":
        return data_expression(frame, made.value, label, depth - 1)
    if made.op == "call" and len(made.args) == 1:
        function = frame.use(made.func, label)
        rule = _CALLED.get(function.value) if isinstance(function, Known) and _hashable(function.value) else None
        part = data_expression(frame, made.args[0], label, depth - 1) if rule is not None else None
        return rule(part) if rule is not None and part is not None else None
    if made.op in ("getitem", "static_getitem"):
        return _element(frame, made, label, depth)
    return None


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _element(frame: Frame, made: Any, label: int, depth: int) -> Expr | None:
    array = frame.use(made.value, label)
    index = made.index if made.op == "getitem" else made.index_var
    if not isinstance(array, Array) or array.axes is None or not array.root.argument or index is None:
        return None
    if not isinstance(array.dtype, types.Integer | types.Float | types.Boolean):
        return None
    known = frame.use(index, label)
    if isinstance(known, tuple):
        items = [*known]
        tuple_ = frame.definition(index.name)
        made_of = getattr(tuple_[0], "items", None) if tuple_ is not None else None
        if made_of is not None:
            items = [data_expression(frame, item, label, depth - 1) for item in made_of]
    else:
        items = [data_expression(frame, index, label, depth - 1)]
    if len(items) != len(array.dims) or not all(isinstance(item, Expr) for item in items):
        return None
    position = []
    for axis in array.axes:
        if axis.offset is None:
            return None
        position.append(axis.offset if axis.dim is None else axis.offset + axis.step * items[axis.dim])
    return Element(Symbol(array.root.name), *position)


def conditions_before(frame: Frame, label: int) -> tuple[Expr, ...] | None:
    """Return the conditions under which a turn of the loop around a block gets there, or None where one is unknown."""
    flow = frame.flow
    header = flow.around[label][-1] if flow.around[label] else None
    found: list[Expr] = []
    dominators = flow.graph.immediate_dominators()
    at = label
    while at != header and at in dominators and dominators[at] != at:
        above = dominators[at]
        branch = frame.typed.blocks[above].terminator
        after = flow.after(above)
        if header is not None and (above not in flow.loops[header].body or above == header):
            break
        if isinstance(branch, ir.Branch) and len(set(after)) == 2 and flow.around[above] == flow.around[label]:
            sides = [to for to in after if to == at or flow.dominates(to, at)]
            if len(sides) == 1 and flow.before(sides[0]) == [above]:
                condition = data_expression(frame, branch.cond, above)
                if condition is None:
                    return None
                found.append(condition if sides[0] == branch.truebr else 1 - condition)
        at = above
    return tuple(found)
