"""Arithmetic in a kernel: what an operator yields, and the floating-point operations of it.

Counted are additions, subtractions, multiplications, divisions, minimum and maximum, and elementary functions of
floating-point numbers, by name. Not counted: comparisons, absolute value, negation, rounding, conversion, and all
integer arithmetic. A complex product is 4 multiplications and 2 additions, a quotient 6, 3 and 2 divisions.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import sympy
from numba.core import ir, types
from numba.np.ufunc.dufunc import DUFunc
from sympy import Expr, Integer, Mod, floor

from asafess.compiler.kernel.study import Work
from asafess.compiler.kernel.ufuncs import UFUNCS
from asafess.compiler.kernel.values import (
    Array,
    Equal,
    Known,
    NotCountedError,
    Step,
    fresh,
)
from asafess.compiler.kernel.views import broadcast

if TYPE_CHECKING:
    from asafess.compiler.kernel.frame import Frame


_COUNTED = {
    operator.add: "add",
    operator.sub: "add",
    operator.mul: "mul",
    operator.truediv: "div",
    operator.floordiv: "floor_divide",
    operator.mod: "mod",
    operator.pow: "power",
}
_PLAIN = {
    getattr(operator, "i" + name): getattr(operator, name)
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift", "matmul")
} | {operator.iand: operator.and_, operator.ior: operator.or_, operator.ixor: operator.xor}
_INTEGER: dict[Any, Any] = {
    operator.add: lambda a, b: a + b,
    operator.sub: lambda a, b: a - b,
    operator.mul: lambda a, b: a * b,
    operator.truediv: lambda a, b: a / b if b != 0 else None,
    operator.floordiv: lambda a, b: _quotient(a, b),
    operator.mod: lambda a, b: Mod(a, b) if b != 0 else None,
    operator.pow: lambda a, b: a**b if b.is_Integer and 0 <= b <= 8 else None,
    operator.lshift: lambda a, b: a * 2**b if b.is_Integer else None,
    operator.rshift: lambda a, b: _quotient(a, 2**b) if b.is_Integer else None,
}
_COMPARED: dict[Any, Any] = {
    operator.lt: lambda a, b: Step(sympy.expand(b - a - 1)),
    operator.le: lambda a, b: Step(sympy.expand(b - a)),
    operator.gt: lambda a, b: Step(sympy.expand(a - b - 1)),
    operator.ge: lambda a, b: Step(sympy.expand(a - b)),
    operator.eq: lambda a, b: Equal(sympy.expand(a - b)),
    operator.ne: lambda a, b: 1 - Equal(sympy.expand(a - b)),
}


def _quotient(a: Expr, b: Expr) -> Expr | None:
    if b == 0:
        return None
    if isinstance(a, floor) and b.is_Integer and b > 0:
        return floor(a.args[0] / b)
    return floor(a / b)


def elementwise(frame: Frame, name: str | None, values: list[Any], result: Any, work: Work) -> Any:
    """Count an operation on scalars or arrays and return its result's array (None for a scalar)."""
    arrays = [value for value in values if isinstance(value, Array)]
    if not arrays:
        count(work, name, result, Integer(1), values)
        return None
    made = fresh(f"temporary {frame.study.unique('t').name}", broadcast([a.dims for a in arrays]), result.dtype)
    for array in arrays:
        kept = zip(array.dims[::-1], made.dims[::-1])  # noqa: B905
        pairs = [(size, into) for size, into in kept if size != 1]
        frame.study.agree(tuple(b for _, b in pairs), tuple(a for a, _ in pairs), "shapes that don't fit together")
    count(work, name, result.dtype, made.size, values)
    for array in arrays:
        work.read(array, made.size)
    work.write(made)
    return made


def count(work: Work, name: str | None, dtype: Any, times: Any, values: Any = ()) -> None:
    """Count an operation, if its result is a floating-point number."""
    if name is None or not isinstance(dtype, types.Float | types.Complex):
        return
    if name == "power":
        exponent = values[1] if len(values) > 1 else None
        if isinstance(exponent, Expr) and exponent.is_Integer and 0 < abs(exponent) < 64:
            power = abs(int(exponent))
            if exponent < 0:
                count(work, "div", dtype, times)
            count(work, "mul", dtype, times * (power.bit_length() - 1 + power.bit_count() - 1))
            return
    if isinstance(dtype, types.Complex):
        if name == "mul":
            work.add("mul", 4 * times).add("add", 2 * times)
            return
        if name == "div":
            work.add("mul", 6 * times).add("add", 3 * times).add("div", 2 * times)
            return
        if name == "add":
            times = 2 * times
    work.add(name, times)


def binary(frame: Frame, statement: Any, expr: Any, label: int) -> tuple[Any, Work | None]:
    """Return what an operator of two operands yields, and its work."""
    function = _PLAIN.get(expr.fn, expr.fn)
    left, right = frame.use(expr.lhs, label), frame.use(expr.rhs, label)
    result = frame.type_of(statement.target)
    if isinstance(left, Array) or isinstance(right, Array):
        work = Work()
        made = elementwise(frame, _COUNTED.get(function), [left, right], result, work)
        if expr.op == "inplace_binop" and isinstance(left, Array):
            work.counts.pop("written")
            work.touches.pop()
            work.written.clear()
            return left, work.write(left)
        return made, work
    if isinstance(left, tuple) and isinstance(right, tuple) and function is operator.add:
        return left + right, None
    if not isinstance(result, types.Number | types.Boolean):
        raise NotCountedError(f"`{function.__name__}` with a result of type {result}")
    work = Work()
    count(work, _COUNTED.get(function), result, Integer(1), [left, right])
    return _scalar(function, left, right), work


def _scalar(function: Any, left: Any, right: Any) -> Expr | None:
    if isinstance(left, Known) and isinstance(right, Known) and function in (operator.eq, operator.ne):
        return Integer(int(function(left.value, right.value)))
    if function in (operator.is_, operator.is_not) and left is not None and right is not None:
        nothing = [isinstance(value, Known) and value.value is None for value in (left, right)]
        if any(nothing):
            return Integer(int(all(nothing) == (function is operator.is_)))
    if not isinstance(left, Expr) or not isinstance(right, Expr):
        return None
    if function in _INTEGER:
        return _INTEGER[function](left, right)
    if function in _COMPARED and (left - right).is_integer:
        return _COMPARED[function](left, right)
    logical = all(isinstance(value, Step | Equal) or value in (0, 1) for value in (left, right))
    if function is operator.and_ and logical:
        return left * right
    if function is operator.or_ and logical:
        return left + right - left * right
    return None


def unary(frame: Frame, statement: Any, expr: Any, label: int) -> tuple[Any, Work | None]:
    """Return what an operator of one operand yields, and its work."""
    value = frame.use(expr.value, label)
    if isinstance(value, Array):
        work = Work()
        return elementwise(frame, None, [value], frame.type_of(statement.target), work), work
    if not isinstance(value, Expr):
        return None, None
    if expr.fn is operator.neg:
        return -value, None
    if expr.fn is operator.not_ and isinstance(frame.type_of(expr.value), types.Boolean):
        return 1 - value, None
    return (value if expr.fn is operator.pos else None), None


def fused(frame: Frame, statement: Any, expr: Any, label: int) -> tuple[Any, Work | None]:
    """Count an array expression that Numba runs as one loop: each array is read where it is named."""
    result = frame.type_of(statement.target)
    leaves: list[Any] = []
    operations: list[tuple[str | None, list[Any], Any]] = []

    def walk(node: Any) -> tuple[Any, Any]:
        if not isinstance(node, tuple):
            value = frame.use(node, label) if isinstance(node, ir.Var) else frame.constant(node.value)
            leaves.append(value)
            kind = frame.type_of(node) if isinstance(node, ir.Var) else types.intp
            return value, getattr(kind, "dtype", kind)
        function, parts = node
        walked = [walk(part) for part in parts]
        kinds = [kind for _, kind in walked]
        name, kind = _of_expression(function, kinds)
        operations.append((name, [value for value, _ in walked], kind))
        return None, kind

    walk(expr.expr)
    work = Work()
    made = elementwise(frame, None, leaves, result, work)
    for name, values, kind in operations:
        count(work, name, kind, made.size, values)
    return made, work


def _of_expression(function: Any, kinds: list[Any]) -> tuple[str | None, Any]:
    called = getattr(function, "__name__", repr(function))
    name = _COUNTED.get(_PLAIN.get(function, function))
    if name is None:
        if called not in UFUNCS and getattr(operator, called, None) is not function:
            raise NotCountedError(f"no counting rule for `{called}`")
        if isinstance(function, DUFunc):
            raise NotCountedError(f"`{called}` is made by numba.vectorize")
        name = UFUNCS.get(called)
    widest: Any = next((kind for kind in kinds if isinstance(kind, types.Complex)), None)
    widest = widest or next((kind for kind in kinds if isinstance(kind, types.Float)), None)
    if widest is None:
        real = function is operator.truediv or name not in (None, *_COUNTED.values(), "min")
        widest = types.float64 if real else kinds[0]
    compares = function in _COMPARED or called in ("absolute", "abs")
    if compares and isinstance(widest, types.Complex):
        widest = widest.underlying_float
    return name, widest
