"""Rules of sorting, searching and counting: they compare, so they do no floating-point operations.

What they return may have a length that depends on data; then its size is not known.
"""

from __future__ import annotations

import operator
from typing import Any

from asafess.compiler.abstract import dtypes
from asafess.compiler.abstract.shapes import axes_of, reduced
from asafess.compiler.abstract.values import Unknown, array_of, as_array, sized
from asafess.compiler.operation_counts import floating, kind_of
from asafess.compiler.rules.table import method, rule


@method("argsort")
@rule("numpy.sort", "numpy.argsort", "builtins.sorted")
def sort(on: Any, name: str, /, a: Any, axis: Any = -1, *_: Any, **__: Any) -> Any:
    """Sort lines of an array."""
    array = as_array(a)
    line = int(array.size) if axis is None else array.known_shape[axes_of(axis, array.ndim)[0]]
    shape = (line,) if axis is None else array.known_shape
    result = array_of(shape, "i8" if name.endswith("argsort") else array.dtype)
    on.part(name, "sort", 0.0, array.known_nbytes + result.known_nbytes)
    return result


@rule("numpy.partition", "numpy.argpartition")
def partition(on: Any, name: str, /, a: Any, kth: Any, axis: Any = -1, *_: Any, **__: Any) -> Any:
    """Introselect."""
    array = as_array(a)
    shape = (int(array.size),) if axis is None else array.known_shape
    result = array_of(shape, "i8" if name.endswith("argpartition") else array.dtype)
    on.part(name, "sort", 0.0, array.known_nbytes + result.known_nbytes)
    return result


@rule("dask.array.chunk.topk", "dask.array.chunk.topk_aggregate")
def topk(on: Any, name: str, /, a: Any, k: int, axis: Any, keepdims: bool = True) -> Any:
    """Put the k largest at the end; sort them in the last step."""
    array = as_array(a)
    (axis,) = axes_of(axis, array.ndim)
    result = array
    if abs(k) < array.known_shape[axis]:
        on.apply("numpy.partition", array, -k, axis=axis)
        result = array_of([abs(k) if at == axis else dim for at, dim in enumerate(array.known_shape)], array.dtype)
    return on.apply("numpy.sort", result, axis=axis) if name.endswith("aggregate") else result


@rule("dask.array.chunk.argtopk_preprocess")
def argtopk_preprocess(on: Any, name: str, /, a: Any, idx: Any) -> Any:
    """Put values and indices side by side."""
    return as_array(a), as_array(idx)


@rule("dask.array.chunk.argtopk", "dask.array.chunk.argtopk_aggregate")
def argtopk(on: Any, name: str, /, a_plus_idx: Any, k: int, axis: Any, keepdims: bool = True) -> Any:
    """Put the k largest at the end, with their indices."""
    pair = a_plus_idx
    while isinstance(pair, list) and len(pair) == 1:
        pair = pair[0]
    if isinstance(pair, list):
        pairs = _pairs(pair)
        along = axes_of(axis, as_array(pairs[0][0]).ndim)[0]
        values = on.apply("numpy.concatenate", [one for one, _ in pairs], along)
        places = on.apply("numpy.concatenate", [array_of(as_array(one).known_shape, "i8") for one, _ in pairs], along)
    else:
        values, places = as_array(pair[0]), as_array(pair[1])
    (along,) = axes_of(axis, values.ndim)
    if abs(k) < values.known_shape[along]:
        on.apply("numpy.argpartition", values, -k, axis=along)
        shape = [abs(k) if at == along else dim for at, dim in enumerate(values.known_shape)]
        values, places = array_of(shape, values.dtype), array_of(shape, places.dtype)
        on.part(name, "moving", 0.0, 2 * (values.known_nbytes + places.known_nbytes), moved=True)
    if not name.endswith("aggregate"):
        return values, places
    on.apply("numpy.argsort", values, axis=along)
    return array_of(values.known_shape, places.dtype)


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, tuple):
        return [value]  # type: ignore[list-item]
    return [pair for item in value for pair in _pairs(item)]


@rule("numpy.unique", "dask.array.routines._unique_internal")
def unique(on: Any, name: str, /, ar: Any, *args: Any, **more: Any) -> Any:
    """Sort, and drop what is there twice; how much is left depends on data."""
    array = as_array(ar)
    on.part(name, "sort", 0.0, 2 * array.known_nbytes + array.size)
    if name == "numpy.unique":
        if any(args) or any(more.get(key) for key in ("return_index", "return_inverse", "return_counts")):
            raise Unknown("unique with more than values: how much work that is depends on data")
        return sized(None, array.dtype)
    indices, counts, *inverse = args
    if indices is not None or counts is not None:
        raise Unknown("indices and counts of unique values: a pass for each of them, and how many depends on data")
    fields = [("values", array.dtype)] + ([("inverse", "i8")] if any(inverse) else [])
    return sized(None, fields if array.dtype is not None else None)


@method("searchsorted")
@rule("numpy.searchsorted", "numpy.digitize", "dask.array.routines._searchsorted_block")
def searchsorted(on: Any, name: str, /, a: Any, v: Any, *_: Any, **__: Any) -> Any:
    """Halve for each value."""
    table, values = as_array(a), as_array(v)
    if name.endswith("digitize"):
        table, values = values, table
    shape = values.known_shape
    result = array_of((1, *shape) if name.endswith("_block") else shape, "i8")
    on.part(name, "sort", 0.0, table.known_nbytes + values.known_nbytes + result.known_nbytes)
    return result


@rule("numpy.histogram", "dask.array.routines._block_hist")
def histogram(on: Any, name: str, /, a: Any, bins: Any = 10, range: Any = None, *_: Any, **more: Any) -> Any:
    """Equal bins take a difference, a quotient and a product per element, in 20 passes; given edges a search."""
    weights = more.get("weights")
    if name.endswith("_block_hist"):
        (bins, _range), weights = bins, range if range is not None else weights
    array = as_array(a)
    equal = isinstance(bins, int)
    edges = None if equal else as_array(bins)
    number = operator.index(bins) if edges is None else int(edges.size) - 1
    result = array_of((number,), "i8" if weights is None else as_array(weights).dtype)
    # with given edges NumPy sorts blocks of 65536 elements and searches the edges in them
    flop = 3 * array.size if equal and floating(kind_of(array.dtype)) else 0.0
    on.part(name, "sort", flop, (20 if equal else 3) * array.known_nbytes + result.known_nbytes)
    if name.endswith("_block_hist"):
        return array_of((1, number), result.dtype)
    return result, array_of((number + 1,), "f8")


@rule("numpy.bincount", "dask.array.routines._bincount_agg")
def bincount(on: Any, name: str, /, x: Any, weights: Any = None, minlength: int = 0, **more: Any) -> Any:
    """Add up at each place; the length is the largest value, or what is asked for at least."""
    dtype = "i8" if weights is None else "f8"
    if name.endswith("_agg"):
        counts = [as_array(one) for one in (x if isinstance(x, list) else [x])]
        length = max((one.known_shape[0] for one in counts), default=0)
        result = array_of((length,), more.get("dtype", dtype))
        flop = floating(kind_of(result.dtype)) * sum(one.size for one in counts)
        on.part(name, "reduction", flop, 3 * sum(one.known_nbytes for one in counts))
        return result
    array = as_array(x)
    flop = 0.0 if weights is None else array.size
    on.part(name, "sort", flop, 2 * array.known_nbytes + 16 * array.size)
    if not minlength:
        return sized(None, dtype)
    on.hedge(0.9, "no value is larger than minlength")
    return array_of((operator.index(minlength),), dtype)


@rule("numpy.percentile", "numpy.quantile", "numpy.nanpercentile", "numpy.nanquantile", "numpy.median")
@rule("numpy.nanmedian", "dask.array.reductions._custom_nanquantile")
def percentile(on: Any, name: str, /, a: Any, q: Any = 0.5, axis: Any = None, *_: Any, **more: Any) -> Any:
    """Select; with many order statistics of a line that is a sort."""
    array = as_array(a)
    if name.endswith("median"):  # which takes the axis where others take what to look for
        axis, q = axis if q == 0.5 else q, 0.5
    wanted = as_array(q).known_shape
    shape = reduced(array.known_shape, axis, bool(more.get("keepdims")))
    result = array_of((*wanted, *shape), dtypes.inexact(array.dtype))
    on.part(name, "sort", 0.0, 2 * array.known_nbytes + result.known_nbytes)
    return result


@rule("dask.array.percentile._percentile", "dask.array.backends.percentile", "dask.utils.percentile")
def percentile_block(on: Any, name: str, /, a: Any, q: Any, method: str = "linear") -> Any:
    """Interpret the percentiles of one block, with its length."""
    array = as_array(a)
    result = percentile(on, "numpy.percentile", array, q)
    kept = method in ("lower", "higher", "nearest")
    return array_of(result.known_shape, array.dtype if kept else result.dtype), array.known_shape[0]


@rule("dask.array.percentile.merge_percentiles", "dask.dataframe.partitionquantiles.process_val_weights")
def merge_percentiles(on: Any, name: str, /, finalq: Any, qs: Any, vals: Any, *_: Any, **__: Any) -> Any:
    """Sort the percentiles of all blocks."""
    values = [as_array(one[0]) for one in vals]
    on.part(name, "sort", 0.0, 6 * sum(one.known_nbytes for one in values))
    return array_of(as_array(finalq).known_shape, values[0].dtype)


@rule("dask.array.routines._isin_kernel")
def isin(on: Any, name: str, /, element: Any, test_elements: Any, assume_unique: bool = False) -> Any:
    """Sort both together."""
    array, test = as_array(element), as_array(test_elements)
    result = on.apply("numpy.isin", array, test)
    return array_of(array.known_shape + (1,) * test.ndim, result.dtype)


@rule("numpy.nonzero", "numpy.flatnonzero", "numpy.argwhere", "numpy.extract", "numpy.compress")
def nonzero(on: Any, name: str, /, a: Any, *_: Any, **__: Any) -> Any:
    """Look at each element; how many are found depends on data."""
    array = as_array(a)
    on.part(name, "sort", 0.0, array.known_nbytes)
    found = sized(None, "i8")
    return (found,) * array.ndim if name.endswith("nonzero") and not name.endswith("flatnonzero") else found
