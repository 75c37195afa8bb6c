"""Calls inside a kernel: of other kernels, of Python's built-in functions, of NumPy."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import sympy
from numba.core import types
from numba.core.inline_closurecall import length_of_iterator
from sympy import Expr, Integer, ceiling, floor

from asafess.compiler.kernel import numpy_calls
from asafess.compiler.kernel.ir import Callee
from asafess.compiler.kernel.loops import sequence
from asafess.compiler.kernel.study import Work
from asafess.compiler.kernel.values import Array, Known, Method, NotCountedError, Range, Sequence, Slice

if TYPE_CHECKING:
    from asafess.compiler.kernel.frame import Frame


def called(
    frame: Frame, function: Any, args: list[Any], kws: dict[str, Any], result: Any, statement: Any, label: int
) -> tuple[Any, Work | None]:
    """Return what a call yields, and its work.

    Raises
    ------
    NotCountedError
        When the function is not known.
    """
    if isinstance(function, Method):
        return _method(frame, function, args, kws, result, statement, label)
    target = function.value if isinstance(function, Known) else function
    if isinstance(target, Callee):
        return _kernel(frame, target, args, kws, statement, label)
    if isinstance(target, types.Type) or (isinstance(target, type) and issubclass(target, np.generic)):
        return _converted(args, result), None
    try:
        builtin = _BUILTINS.get(target)
    except TypeError:
        builtin = None
    if builtin is not None:
        return builtin(args), None
    if target in (print, breakpoint):
        return None, None
    if target in (min, max):
        work = Work()
        numpy_calls.Call(frame, args, kws, result, statement, label, work).count("min", Integer(max(1, len(args) - 1)))
        return _extreme(sympy.Min if target is min else sympy.Max, args, result), work
    if target is sum:
        raise NotCountedError("Python's sum")
    call = numpy_calls.Call(frame, args, kws, result, statement, label)
    return numpy_calls.rule(target)(call), call.work


def _kernel(
    frame: Frame, callee: Callee, args: list[Any], kws: dict[str, Any], statement: Any, label: int
) -> tuple[Any, Work | None]:
    from asafess.compiler.kernel.count import counted, returned
    from asafess.compiler.kernel.frame import Frame as Inner

    expr = statement.value
    kinds = tuple(frame.type_of(arg) for arg in expr.args)
    named = {name: frame.type_of(arg) for name, arg in expr.kws}
    typed = callee.type(callee.fold(kinds, named))
    values = callee.fold(tuple(args), kws)
    values = tuple(frame.constant(v.value) if isinstance(v, types.Omitted) else v for v in values)
    inner = Inner(typed, values, frame.study, frame.loops(label))
    return returned(inner), Work(calls=[counted(inner)])


def _method(
    frame: Frame, method: Method, args: list[Any], kws: dict[str, Any], result: Any, statement: Any, label: int
) -> tuple[Any, Work | None]:
    if isinstance(method.of, Known) and isinstance(method.of.value, types.Type):
        return _converted(args, result), None  # dtype.type(x)
    if not isinstance(method.of, Array):
        raise NotCountedError(f"method `{method.name}` is not followed")
    call = numpy_calls.Call(frame, [method.of, *args], kws, result, statement, label)
    return numpy_calls.method(method.name)(call), call.work


def _converted(args: list[Any], result: Any) -> Expr | None:
    value = args[0] if args else Integer(0)
    if not isinstance(value, Expr):
        return None
    if isinstance(result, types.Integer) and not value.is_integer:
        return floor(value) if value.is_nonnegative else None
    return value


def _range(args: list[Any]) -> Range:
    known = [arg if isinstance(arg, Expr) else None for arg in args]
    if len(known) == 1:
        return Range(Integer(0), known[0], Integer(1))
    return Range(known[0], known[1], known[2] if len(known) == 3 else Integer(1))


def _len(args: list[Any]) -> Expr | None:
    if isinstance(args[0], Array):
        return args[0].dims[0]
    return Integer(len(args[0])) if isinstance(args[0], tuple) else None


def _slice(args: list[Any]) -> Slice:
    def bound(value: Any) -> Any:
        if isinstance(value, Known) and value.value is None:
            return None
        return value if isinstance(value, Expr) else Known("not known")

    bounds = [bound(arg) for arg in args]
    if len(bounds) == 1:
        bounds = [None, *bounds]
    step = bounds[2] if len(bounds) == 3 else None
    if isinstance(step, Known):
        raise NotCountedError("a slice whose step is not known before the kernel runs")
    return Slice(bounds[0], bounds[1], step)


def _enumerate(args: list[Any]) -> Sequence:
    over = sequence(args[0])
    start = args[1] if len(args) > 1 and isinstance(args[1], Expr) else Integer(0)
    if over is None:
        raise NotCountedError("enumerate of something that is not followed")
    item = over if isinstance(over, Range) else over.item
    return Sequence(over.trips, (Range(start, None, Integer(1)), item))


def _zip(args: list[Any]) -> Sequence:
    over = [sequence(arg) for arg in args]
    if not over or any(each is None for each in over):
        raise NotCountedError("zip of something that is not followed")
    items = tuple(each if isinstance(each, Range) else each.item for each in over if each is not None)
    return Sequence(over[0].trips if over[0] is not None else None, items)


def _ndindex(args: list[Any]) -> Sequence:
    dims = args[0] if len(args) == 1 and isinstance(args[0], tuple) else tuple(args)
    known = all(isinstance(dim, Expr) for dim in dims)
    return Sequence(sympy.prod(dims, start=Integer(1)) if known else None, (None,) * len(dims))


def _extreme(which: Any, args: list[Any], result: Any) -> Expr | None:
    items = list(args[0]) if len(args) == 1 and isinstance(args[0], tuple) else args
    if isinstance(result, types.Integer) and all(isinstance(item, Expr) for item in items):
        return which(*items)
    return None


def _integer(args: list[Any]) -> Expr | None:
    value = args[0] if args else Integer(0)
    if not isinstance(value, Expr):
        return None
    if value.is_integer:
        return value
    return floor(value) if value.is_nonnegative else None


def _same(args: list[Any]) -> Any:
    return args[0] if args and isinstance(args[0], Expr) else None


def _absolute(args: list[Any]) -> Any:
    return sympy.Abs(args[0]) if isinstance(args[0], Expr) else None


def _truth(args: list[Any]) -> Any:
    from asafess.compiler.kernel.values import Equal, Step

    value = args[0] if args else Integer(0)
    if isinstance(value, Known):
        return Integer(int(bool(value.value)))
    if not isinstance(value, Expr):
        return None
    zero_or_one = value in (0, 1) or value.atoms(Step, Equal) or getattr(value, "name", "").startswith("?")
    return value if zero_or_one else 1 - Equal(value)


_BUILTINS: dict[Any, Any] = {
    range: _range,
    numba.prange: _range,
    len: _len,
    slice: _slice,
    enumerate: _enumerate,
    zip: _zip,
    np.ndindex: _ndindex,
    int: _integer,
    float: _same,
    bool: _truth,
    math.floor: lambda args: floor(args[0]) if isinstance(args[0], Expr) else None,
    math.ceil: lambda args: ceiling(args[0]) if isinstance(args[0], Expr) else None,
    tuple: lambda args: args[0] if args else (),
    operator.index: _same,
    length_of_iterator: lambda args: getattr(args[0], "trips", None),
}
