"""Rules of operations that make arrays out of nothing: they write their result."""

from __future__ import annotations

import math
import operator
from dataclasses import replace
from typing import Any

from asafess.compiler.abstract import dtypes
from asafess.compiler.abstract.values import ITEMSIZE, UNKNOWN, ArrayOf, Unknown, array_of, as_array, sized
from asafess.compiler.operation_counts import PER_DRAW
from asafess.compiler.rules.table import rule


def dims_of(shape: Any) -> tuple[int, ...]:
    """Return an argument `shape` or `size` as a tuple.

    Examples
    --------
    >>> dims_of(3), dims_of((2, 3)), dims_of(None)
    ((3,), (2, 3), ())
    """
    if shape is None:
        return ()
    return tuple(map(operator.index, shape)) if isinstance(shape, list | tuple) else (operator.index(shape),)


def written(on: Any, name: str, /, result: ArrayOf, flop: float = 0.0) -> ArrayOf:
    """Record that a result is written, and return it."""
    on.part(name, "creation", flop, result.known_nbytes)
    return result


@rule("numpy.ones", "numpy.zeros", "numpy.empty")
def create(on: Any, name: str, /, shape: Any, dtype: Any = float, *_: Any, **__: Any) -> Any:
    """Write one value everywhere; `empty` writes none, and fresh zeros come from the system unwritten."""
    result = array_of(dims_of(shape), dtype or float)
    return written(on, name, result) if name == "numpy.ones" else result


@rule("numpy.full")
def full(on: Any, name: str, /, shape: Any, fill_value: Any, dtype: Any = None, *_: Any, **__: Any) -> Any:
    """Write one value everywhere."""
    return written(on, name, array_of(dims_of(shape), as_array(fill_value).dtype if dtype is None else dtype))


@rule("numpy.ones_like", "numpy.zeros_like", "numpy.empty_like", "numpy.full_like")
def create_like(on: Any, name: str, /, a: Any, *args: Any, dtype: Any = None, shape: Any = None, **_: Any) -> Any:
    """Write one value everywhere, in the shape of another array."""
    if dtype is None and len(args) > (name == "numpy.full_like"):
        dtype = args[-1]
    array = as_array(a)
    found = array.dtype if dtype is None else dtype
    result = (
        sized(array.size, found)
        if shape is None and array.shape is None
        else array_of(array.known_shape if shape is None else dims_of(shape), found)
    )
    return result if name == "numpy.empty_like" else written(on, name, result)


@rule("dask.array.wrap._broadcast_trick_inner", "dask.array.creation._broadcast_trick_inner")
def broadcast_trick(on: Any, name: str, /, func: Any, shape: Any, *_: Any, dtype: Any = None, **more: Any) -> Any:
    """One element, seen as a whole array: how Dask makes ones, zeros and constants."""
    if dtype is None:
        fill = more.get("fill_value", _[-1] if _ else None)
        dtype = float if fill is None else as_array(fill).dtype
    result = array_of(dims_of(shape), dtype)
    return replace(result, stored=float(result.itemsize or ITEMSIZE))


@rule("numpy.arange", "dask.array.utils.arange_safe", "dask.array.chunk.arange")
def arange(on: Any, name: str, /, *bounds: Any, dtype: Any = None, like: Any = None, **_: Any) -> Any:
    """Count."""
    if name == "dask.array.chunk.arange":
        *bounds, length, given = bounds  # type: ignore[assignment]
        return written(on, name, array_of((int(length),), dtype or given), int(length))
    if len(bounds) == 4:
        *bounds, dtype = bounds  # type: ignore[assignment]
    numbers = [bound for bound in bounds if bound is not None]
    start, stop, step = (0, numbers[0], 1) if len(numbers) == 1 else (*numbers, 1)[:3]
    length = max(0, math.ceil((stop - start) / step))
    found = dtype or dtypes.promoted(*(dtypes.of_scalar(number) for number in numbers))
    return written(on, name, array_of((length,), found), length)


@rule("numpy.linspace", "dask.array.chunk.linspace", "dask.array.routines._linspace")
def linspace(
    on: Any, name: str, /, start: Any, stop: Any = None, num: int = 50, *_: Any, dtype: Any = None, **__: Any
) -> Any:
    """Write numbers at equal distance."""
    if name.endswith("_linspace"):
        num = operator.index(start[0]) + 1
    result = array_of((operator.index(num),), dtype or "f8")
    return written(on, name, result, 2 * result.size)


@rule("numpy.eye", "numpy.identity", "numpy.tri")
def eye(on: Any, name: str, /, N: Any, M: Any = None, k: int = 0, dtype: Any = float, **_: Any) -> Any:
    """Write the diagonal; the zeros come from the system unwritten."""
    rows = operator.index(N)
    result = array_of((rows, rows if M is None or not isinstance(M, int) else M), dtype)
    on.part(name, "creation", 0.0, result.known_nbytes if name == "numpy.tri" else rows * (result.itemsize or 8))
    return result


@rule("numpy.array", "numpy.asarray", "numpy.asanyarray", "dask.array.utils.asarray_safe")
@rule("dask.array.utils.asanyarray_safe", "dask.array.utils.array_safe", "dask.array.core.asarray")
def as_given(on: Any, name: str, /, a: Any, dtype: Any = None, *_: Any, copy: Any = None, **__: Any) -> Any:
    """Hand an array on, or a copy of it in another data type; `array` copies always."""
    if a is UNKNOWN:
        raise Unknown("an input is not known")
    array = as_array(a)
    found = dtypes.dtype_of(dtype)
    if not isinstance(a, ArrayOf):  # out of Python objects
        return written(on, name, array_of(array.known_shape, found or array.dtype), array.size)
    if found is not None and found != array.dtype:
        return on.method("astype", (array, found), {})
    if name == "numpy.array" and copy is not False:
        return on.apply("numpy.copy", array)
    return array


@rule("numpy.fromfunction", "numpy.indices", "numpy.meshgrid")
def grids(on: Any, name: str, /, *args: Any, **more: Any) -> Any:
    """Write coordinates."""
    if name == "numpy.fromfunction":
        func, shape = args
        grid = array_of(dims_of(shape), more.pop("dtype", float))
        on.part("numpy.indices", "creation", 0.0, len(grid.known_shape) * grid.known_nbytes)
        return on.call(func, (grid,) * grid.ndim, {})
    if name == "numpy.indices":
        dims = dims_of(args[0])
        return written(on, name, array_of((len(dims), *dims), more.get("dtype", int)))
    vectors = [as_array(arg) for arg in args]
    shape = [int(vector.size) for vector in vectors]
    if more.get("indexing", "xy") == "xy" and len(shape) > 1:
        shape[:2] = shape[1], shape[0]
    result = array_of(shape, vectors[0].dtype)
    if more.get("copy", True):
        on.part(name, "creation", 0.0, len(vectors) * result.known_nbytes)
    return [array_of(shape, vector.dtype) for vector in vectors]


@rule("dask.array.random._apply_random_func", "dask.array.random._apply_random")
def random(on: Any, name: str, /, rng: Any, funcname: str, state: Any, size: Any, args: Any, kwargs: Any) -> Any:
    """Draw random numbers."""
    per = PER_DRAW.get(funcname)
    if per is None:
        raise Unknown(f"no operation count for the distribution {funcname}")
    dtype = kwargs.get("dtype", "f8")
    if funcname in ("integers", "randint", "poisson", "binomial", "geometric", "zipf", "logseries"):
        dtype = kwargs.get("dtype", "i8")
    shapes = [one.known_shape for one in args if isinstance(one, ArrayOf)]
    dims = dims_of(size) if size is not None else (shapes[0] if shapes else ())
    result = array_of(dims, dtype)
    on.part(f"numpy.random.{funcname}", "creation", per * result.size, result.known_nbytes)
    return result


@rule("dask.array.random._choice_rng", "dask.array.random._choice_rs")
def choice(on: Any, name: str, /, state: Any, a: Any, size: Any, replace: Any, p: Any, *_: Any) -> Any:
    """Draw from a population: with weights a search in their sum."""
    count = math.prod(dims_of(size))
    population = array_of((int(a),), "i8") if isinstance(a, int) else as_array(a)
    n = population.known_shape[0]
    search = count * math.log2(max(2, n)) + n if p is not None else (0 if replace else n)
    result = array_of((*dims_of(size), *population.known_shape[1:]), population.dtype)
    on.part(
        "numpy.random.choice", "creation", 5 * count + search, 2 * result.known_nbytes + 8 * (n if p is not None else 0)
    )
    return result


@rule("dask.array.random._rng_from_bitgen")
def generator(on: Any, name: str, /, *_: Any) -> Any:
    """Make a generator of random numbers, which costs nothing worth a word."""
    return UNKNOWN
