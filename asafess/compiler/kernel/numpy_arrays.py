"""NumPy's functions that make, copy, fill and reshape arrays, inside a kernel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sympy
from numba.core import types
from sympy import Expr, Integer, Max, ceiling

from asafess.compiler.kernel.values import Array, Known
from asafess.compiler.kernel.views import permuted

if TYPE_CHECKING:
    pass
from asafess.compiler.kernel.call import Call, Rule


def random(call: Call) -> Any:
    """Count drawing random numbers: one, or an array of them."""
    if isinstance(call.result, types.Array):
        size = call.arg(len(call.args) - 1, "size")
        made = call.new(size if isinstance(size, tuple) else (size,))
        call.work.write(made)
        call.count("random", made.size)
        return made
    call.count("random", Integer(1))
    return None


def _shape(value: Any) -> tuple[Any, ...]:
    if isinstance(value, Array):
        return value.dims
    return value if isinstance(value, tuple) else (value,)


def made(fills: bool) -> Rule:
    """Return the rule of what makes an array of a shape, and writes to it or not."""

    def make(call: Call) -> Array:
        made = call.new(_shape(call.arg(0, "shape")))
        return made if not fills else filled_array(call, made)

    return make


def filled_array(call: Call, made: Array) -> Array:
    """Count writing all of a new array, and return it."""
    call.work.write(made)
    return made


def like(fills: bool) -> Rule:
    """Return the rule of what makes an array like another, and writes to it or not."""

    def make(call: Call) -> Array:
        made = call.new(call.array().dims)
        return made if not fills else filled_array(call, made)

    return make


def arange(call: Call) -> Array:
    """Count `arange`."""
    bounds = [arg for arg in call.args if isinstance(arg, Expr)]
    if len(bounds) != len(call.args) and not any(isinstance(arg, Known) for arg in call.args):
        return filled_array(call, call.new((None,)))
    if len(bounds) == 1:
        bounds = [Integer(0), bounds[0]]
    step = bounds[2] if len(bounds) > 2 else Integer(1)
    return filled_array(call, call.new((Max(0, ceiling((bounds[1] - bounds[0]) / step)),)))


def linspace(call: Call) -> Array:
    """Count `linspace`: a product and a sum for each number."""
    made = call.new((call.arg(2, "num", Integer(50)),))
    call.count("mul", made.size)
    call.count("add", made.size)
    return filled_array(call, made)


def eye(call: Call) -> Array:
    """Count `eye` and `identity`."""
    rows = call.arg(0, "N")
    columns = call.arg(1, "M", rows)
    return filled_array(call, call.new((rows, columns if isinstance(columns, Expr) else rows)))


def copied(call: Call) -> Any:
    """Count what copies an array, or makes one of a tuple or list."""
    value = call.arg(0, "a")
    if isinstance(value, tuple):
        dims: list[Expr] = []
        while isinstance(value, tuple):
            dims.append(Integer(len(value)))
            value = value[0] if value else None
        if isinstance(value, Array):
            dims += value.dims
        return filled_array(call, call.new(tuple(dims)))
    array = call.array()
    call.work.read(array)
    return filled_array(call, call.new(array.dims))


def view(call: Call) -> Any:
    """Count nothing: contiguous arrays are passed on as they are, and others are rarely given."""
    value = call.arg(0, "a")
    return value if isinstance(value, Array) else copied(call)


def joined(call: Call) -> Array:
    """Count `concatenate`."""
    parts = [part for part in call.arg(0, "arrays") if isinstance(part, Array)]
    axis = call.arg(1, "axis", Integer(0))
    at = int(axis) if isinstance(axis, Integer) else 0
    dims = list(parts[0].dims)
    dims[at] = sympy.Add(*(part.dims[at] for part in parts))
    for part in parts:
        call.work.read(part)
    return filled_array(call, call.new(tuple(dims)))


def transposed(call: Call) -> Array:
    """Return a transposed view."""
    array = call.array()
    order = call.arg(1, "axes")
    if isinstance(order, tuple) and all(isinstance(each, Integer) for each in order):
        return permuted(array, tuple(int(each) for each in order))
    if order is not None:
        return permuted(array, tuple(int(each) for each in call.args[1:]))
    return permuted(array, tuple(reversed(range(len(array.dims)))))


def reshaped(call: Call) -> Array:
    """Return a view of another shape."""
    array = call.array()
    dims = call.args[1:] if len(call.args) > 2 or not isinstance(call.arg(1), tuple) else call.arg(1)
    known = [dim for dim in dims if dim != -1]
    if not all(isinstance(dim, Expr) for dim in known):
        return replace(array, dims=call.new(tuple(dims)).dims, axes=None)
    rest = array.size / sympy.prod(known, start=Integer(1))
    return replace(array, dims=tuple(rest if dim == -1 else dim for dim in dims), axes=None)


def flat(call: Call) -> Array:
    """Return a view in one dimension."""
    array = call.array()
    return array if len(array.dims) == 1 else replace(array, dims=(array.size,), axes=None)


def flattened(call: Call) -> Array:
    """Count a copy in one dimension."""
    call.work.read(call.array())
    return filled_array(call, call.new((call.array().size,)))


def filled(call: Call) -> None:
    """Count writing all of an array."""
    call.work.write(call.array())


def item(call: Call) -> None:
    """Count reading one element."""
    call.work.read(call.array(), Integer(1))


def expanded(call: Call) -> Array:
    """Return a view with one more axis."""
    array, axis = call.array(), call.arg(1, "axis")
    at = int(axis) % (len(array.dims) + 1)
    return replace(array, dims=(*array.dims[:at], Integer(1), *array.dims[at:]), axes=None)


def spread(call: Call) -> Array:
    """Return a broadcast view."""
    shape = call.arg(1, "shape")
    return replace(call.array(), dims=_shape(shape), axes=None)


def shaped(call: Call) -> Any:
    """Return an array's shape."""
    return call.array().dims
