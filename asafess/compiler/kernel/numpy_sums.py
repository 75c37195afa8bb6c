"""NumPy's reductions, running sums and products, inside a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy
from numba.core import types
from sympy import Expr, Integer

from asafess.compiler.kernel.values import Array, NotCountedError

if TYPE_CHECKING:
    pass
from asafess.compiler.kernel.call import Call, Rule
from asafess.compiler.kernel.numpy_arrays import filled_array


def reduction(
    per_item: tuple[tuple[str, int], ...] = (), per_result: tuple[tuple[str, int], ...] = (), passes: int = 1
) -> Rule:
    """Return the rule of a reduction: operations per element and per result, and how often it reads the array."""

    def reduce(call: Call) -> Any:
        array = call.array()
        for _ in range(passes):
            call.work.read(array)
        kept = None
        results: Expr = Integer(1)
        if isinstance(call.result, types.Array):
            axis = call.arg(1, "axis")
            if not isinstance(axis, Integer):
                raise NotCountedError("a reduction over an axis that is not known before the kernel runs")
            at = int(axis) % len(array.dims)
            kept = filled_array(call, call.new((*array.dims[:at], *array.dims[at + 1 :])))
            results = kept.size
        for name, times in per_item:
            call.count(name, times * array.size)
        for name, times in per_result:
            call.count(name, times * results)
        return kept

    return reduce


def running(name: str) -> Rule:
    """Return the rule of a running sum or product."""

    def run(call: Call) -> Array:
        array = call.array()
        call.work.read(array)
        call.count(name, array.size)
        return filled_array(call, call.new((array.size,)))

    return run


def dot(call: Call) -> Any:
    """Count a product of vectors or matrices: a multiplication and an addition for each pair that meets."""
    left, right = call.array(0), call.array(1, "b")
    call.work.read(left).read(right)
    inner = left.dims[-1]
    dims = left.dims[:-1] + (right.dims[:-2] + right.dims[-1:] if len(right.dims) > 1 else ())
    times = inner * sympy.prod(dims, start=Integer(1))
    call.count("mul", times)
    call.count("add", times)
    if not dims:
        return None
    out = call.arg(2, "out")
    if isinstance(out, Array):
        call.work.write(out)
        return out
    return filled_array(call, call.new(dims))


def outer(call: Call) -> Array:
    """Count an outer product."""
    left, right = call.array(0), call.array(1, "b")
    call.work.read(left).read(right)
    made = call.new((left.size, right.size))
    call.count("mul", made.size)
    return filled_array(call, made)


def norm(call: Call) -> None:
    """Count the Euclidean norm."""
    array = call.array(0, "x")
    if len(call.args) > 1:
        raise NotCountedError("np.linalg.norm with an order")
    call.work.read(array)
    call.count("mul", array.size)
    call.count("add", array.size)
    call.count("sqrt", Integer(1))


def diff(call: Call) -> Array:
    """Count differences of neighbours."""
    array = call.array()
    made = call.new((*array.dims[:-1], array.dims[-1] - 1))
    call.work.read(array)
    call.count("add", made.size)
    return filled_array(call, made)


SUM = reduction((("add", 1),))
SEARCH = reduction()
LEAST = reduction((("min", 1),))


def trace(call: Call) -> None:
    """Count the sum of a diagonal."""
    array = call.array()
    call.work.read(array, array.dims[0])
    call.count("add", array.dims[0])
