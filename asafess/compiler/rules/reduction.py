"""Rules of reductions: one operation per element of the input, which is read once; none where they only compare.

Dask's own steps of a reduction are in `rules_steps`.
"""

from __future__ import annotations

from typing import Any

from asafess.compiler.abstract import dtypes
from asafess.compiler.abstract.shapes import axes_of, broadcast, reduced
from asafess.compiler.abstract.values import ArrayOf, Unknown, abstracted, array_of, as_array, sized
from asafess.compiler.operation_counts import arithmetic, floating, kind_of
from asafess.compiler.rules.table import method, rule

#: name → (floating-point operations per element, dtype of the result: "same", "sum", "mean", "bool", "index", "real")
REDUCTIONS = {
    "sum": (1.0, "sum"),
    "prod": (1.0, "sum"),
    "min": (1.0, "same"),
    "max": (1.0, "same"),
    "amin": (1.0, "same"),
    "amax": (1.0, "same"),
    "nanmin": (1.0, "same"),
    "nanmax": (1.0, "same"),
    "any": (0.0, "bool"),
    "all": (0.0, "bool"),
    "mean": (1.0, "mean"),
    # subtract the mean, square, add up; and the mean before
    "var": (4.0, "real"),
    "std": (4.0, "real"),
    "argmin": (0.0, "index"),
    "argmax": (0.0, "index"),
    "ptp": (2.0, "same"),
    "count_nonzero": (0.0, "index"),
    # looking for NaNs is no arithmetic
    "nansum": (1.0, "sum"),
    "nanprod": (1.0, "sum"),
    "nanmean": (1.0, "mean"),
    "nanvar": (4.0, "real"),
    "nanstd": (4.0, "real"),
    "nanargmin": (0.0, "index"),
    "nanargmax": (0.0, "index"),
}
#: how often the array's bytes are read or written, of what takes more than one pass: a variance writes the
#: differences and squares them; without NaNs the array is looked at and copied before
PASSES = {"var": 6, "std": 6, "ptp": 2, "nansum": 4, "nanprod": 4, "nanmean": 4, "nanvar": 9, "nanstd": 9}
PASSES |= {"nanargmin": 4, "nanargmax": 4}
CHUNKS = {"dask.array.reductions.chunk_min": "min", "dask.array.reductions.chunk_max": "max"}
CHUNKS |= {"dask.array.reductions._nanmin_skip": "nanmin", "dask.array.reductions._nanmax_skip": "nanmax"}
CHUNKS |= {"dask.array.reductions._nanargmin": "nanargmin", "dask.array.reductions._nanargmax": "nanargmax"}


def _dtype(how: str, array: ArrayOf) -> Any:
    if how == "sum":
        return dtypes.of_sum(array.dtype)
    if how == "mean":
        return dtypes.inexact(array.dtype)
    if how == "real":
        return dtypes.real(array.dtype)
    return {"bool": dtypes.dtype_of(bool), "index": dtypes.dtype_of("i8")}.get(how, array.dtype)


@rule(*(f"numpy.{name}" for name in REDUCTIONS), *CHUNKS)
def reduction(
    on: Any, name: str, /, a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **_: Any
) -> Any:
    """Read an array once."""
    short = CHUNKS.get(name) or name.rpartition(".")[2]
    per, how = REDUCTIONS[short]
    array = joined_items(on, a)
    if isinstance(dtype, bool):  # argmin and argmax take `out` where others take a dtype
        dtype, keepdims = None, dtype
    found = _dtype(how, array) if dtype is None else dtypes.dtype_of(dtype)
    if array.shape is None:
        on.hedge(0.8, "of an array of unknown shape, by its bytes")
        result = array_of((), found) if axis is None else sized(None, found)
    else:
        result = array_of(reduced(array.shape, axis, bool(keepdims) if keepdims is not None else False), found)
    written = 0.0 if result.nbytes is None else result.nbytes
    kinds = kind_of(array.dtype), kind_of(result.dtype)
    per *= 2.0 if "c" in kinds else float(floating(*kinds))
    on.part(name, "reduction", per * array.size, PASSES.get(short, 1) * array.touched + written)
    return result


def joined_items(on: Any, value: Any) -> ArrayOf:
    """Return an operand as an array; NumPy stacks a list of arrays first, and a reduction may ask for that."""
    value = abstracted(value)
    if isinstance(value, list | tuple) and any(isinstance(one, ArrayOf) for one in value[:1]):
        value = on.apply("numpy.stack", list(value))
    return as_array(value)


@rule("numpy.average")
def average(on: Any, name: str, /, a: Any, axis: Any = None, weights: Any = None, **more: Any) -> Any:
    """Return a mean, or a sum of products."""
    if weights is None:
        return reduction(on, "numpy.mean", a, axis, keepdims=more.get("keepdims", False))
    array = as_array(a)
    result = array_of(reduced(array.known_shape, axis), dtypes.inexact(array.dtype))
    per = 3 * arithmetic(kind_of(result.dtype))
    on.part(name, "reduction", per * array.size, 3 * array.known_nbytes + result.known_nbytes)
    return result


@rule("numpy.cumsum", "numpy.cumprod", "numpy.nancumsum", "numpy.nancumprod")
@rule("dask.array.chunk.nancumsum", "dask.array.chunk.nancumprod")
def scan(on: Any, name: str, /, a: Any, axis: Any = None, dtype: Any = None, **_: Any) -> Any:
    """One operation per element, and a result of the same shape."""
    array = as_array(a)
    found = dtypes.of_sum(array.dtype) if dtype is None else dtypes.dtype_of(dtype)
    result = array_of(array.known_shape if axis is not None else (int(array.size),), found)
    flop = floating(kind_of(result.dtype)) * array.size
    on.part(name, "reduction", flop, array.known_nbytes + result.known_nbytes)
    return result


@rule("numpy.diff", "numpy.gradient", "numpy.ediff1d")
def difference(on: Any, name: str, /, a: Any, *spacing: Any, n: int = 1, axis: Any = -1, **_: Any) -> Any:
    """Take a difference of neighbours per element; a gradient divides as well."""
    array = as_array(a)
    if name == "numpy.diff":
        (axis,) = axes_of(axis, array.ndim)
        n = spacing[0] if spacing else n
        shape = tuple(max(0, dim - n) if k == axis else dim for k, dim in enumerate(array.known_shape))
        result = array_of(shape, array.dtype)
    elif name == "numpy.ediff1d":
        result = array_of((max(0, int(array.size) - 1),), array.dtype)
    else:
        if axis is None or isinstance(axis, list | tuple):
            raise Unknown("a gradient along several axes")
        result = array_of(array.known_shape, dtypes.inexact(array.dtype))
    if name == "numpy.gradient":  # a difference, its quotient, and putting it in its place: three passes
        on.part(name, "elementwise", 2.0 * array.size, 2 * array.known_nbytes + 5 * result.known_nbytes)
    else:
        flop = n * floating(kind_of(array.dtype)) * array.size
        on.part(name, "elementwise", flop, 2 * array.known_nbytes + result.known_nbytes)
    return result


@rule("dask.array.routines._gradient_kernel")
def gradient_block(on: Any, name: str, /, x: Any, *_: Any, axis: Any = None, **more: Any) -> Any:
    """Interpret one block of a gradient, along one axis."""
    return difference(on, "numpy.gradient", x, axis=0 if axis is None else axis)


@method("trace")
@rule("numpy.trace")
def trace(on: Any, name: str, /, a: Any, *_: Any, **__: Any) -> Any:
    """Add the diagonal up."""
    array = as_array(a)
    rows = min(array.known_shape[:2])
    batch = array.known_shape[2:]
    result = array_of(batch, dtypes.of_sum(array.dtype))
    flop = floating(kind_of(array.dtype)) * rows * max(1.0, result.size)
    on.part(name, "reduction", flop, 2 * rows * result.known_nbytes)
    return result


@rule("numpy.broadcast_shapes")
def broadcast_shapes(on: Any, name: str, /, *shapes: Any) -> Any:
    """Return a shape."""
    return broadcast(*shapes)
