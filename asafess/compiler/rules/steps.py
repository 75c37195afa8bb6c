"""Rules of Dask's own steps of a reduction: put together from the rules of the NumPy calls they make."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from asafess.compiler.abstract import dtypes
from asafess.compiler.abstract.shapes import reduced
from asafess.compiler.abstract.values import ITEMSIZE, array_of, as_array
from asafess.compiler.rules.table import rule


@rule("dask.array.reductions.numel", "dask.array.backends._numel_ndarray", "dask.array.reductions.nannumel")
def numel(on: Any, name: str, /, x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = "f8", **_: Any) -> Any:
    """Return a constant, broadcast; without NaNs they have to be counted."""
    array = as_array(x)
    result = array_of(reduced(array.known_shape, axis, keepdims), dtype)
    if axis is not None and not name.endswith("nannumel"):
        return replace(result, stored=float(result.itemsize or ITEMSIZE))
    if name.endswith("nannumel"):
        on.part(name, "reduction", 0.0, array.known_nbytes + 3 * array.size + result.known_nbytes)
    return result


def _combined(on: Any, pairs: Any, key: str, axis: Any) -> Any:
    """Return one entry of nested lists of dictionaries, concatenated."""

    def entry(value: Any) -> Any:
        return [entry(one) for one in value] if isinstance(value, list) else value[key]

    return on.apply("dask.array.core._concatenate2", entry(pairs if isinstance(pairs, list) else [pairs]), axes=axis)


@rule("dask.array.reductions.mean_chunk")
def mean_chunk(
    on: Any, name: str, /, x: Any, sum: Any = None, numel: Any = None, dtype: Any = "f8", **more: Any
) -> Any:
    """Interpret the sum and the count of one block."""
    more.pop("computing_meta", None)
    count = on.apply(
        "dask.array.reductions.nannumel" if numel is not None else "dask.array.reductions.numel", x, dtype=dtype, **more
    )
    return {"n": count, "total": on.apply("numpy.nansum" if sum is not None else "numpy.sum", x, dtype=dtype, **more)}


@rule("dask.array.reductions.mean_combine", "dask.array.reductions.mean_agg")
def mean_combine(on: Any, name: str, /, pairs: Any, dtype: Any = "f8", axis: Any = None, **more: Any) -> Any:
    """Add up sums and counts; divide at the end."""
    last = name.endswith("agg")
    kept = {"keepdims": more.get("keepdims", False), "axis": axis}
    count = on.apply("numpy.sum", _combined(on, pairs, "n", axis), dtype=dtype if last else None, **kept)
    total = on.apply("numpy.sum", _combined(on, pairs, "total", axis), dtype=dtype if last else None, **kept)
    return on.apply("dask.array.reductions.divide", total, count, dtype=dtype) if last else {"n": count, "total": total}


@rule("dask.array.reductions.moment_chunk")
def moment_chunk(
    on: Any, name: str, /, A: Any, order: int = 2, sum: Any = None, numel: Any = None, dtype: Any = "f8", **more: Any
) -> Any:
    """Interpret sum, count, and powers of the differences to the block's mean."""
    array = as_array(A)
    more.pop("computing_meta", None)
    implicit = more.pop("implicit_complex_dtype", False)
    nan = "nan" if sum is not None else ""
    count = on.apply(f"dask.array.reductions.{nan}numel", array, **more)
    total = on.apply(f"numpy.{nan}sum", array, dtype=None if implicit else dtype, **more)
    size, whole = array.size, array.known_nbytes
    powers = order - 1
    # d = A - u; d ** i; a sum of it
    on.part(name, "elementwise", (1 + 2 * powers) * size, 2 * whole + 3 * whole * powers)
    found = dtypes.dtype_of(dtype)
    return {
        "total": total,
        "n": array_of(count.known_shape, "i8"),
        "M": array_of((*total.known_shape, powers), found if not implicit else dtypes.real(total.dtype)),
    }


@rule("dask.array.reductions.moment_combine", "dask.array.reductions.moment_agg")
def moment_combine(
    on: Any,
    name: str,
    /,
    pairs: Any,
    order: int = 2,
    dtype: Any = "f8",
    axis: Any = None,
    keepdims: bool = False,
    **_: Any,
) -> Any:
    """Put the moments of blocks together (Chan's update), 10 operations per entry and order, array by array."""
    counts, totals, moments = (_combined(on, pairs, key, axis) for key in ("n", "total", "M"))
    entries = counts.size
    on.part(
        name,
        "reduction",
        10 * (order - 1) * entries,
        7 * (counts.known_nbytes + totals.known_nbytes + moments.known_nbytes),
    )
    last = name.endswith("agg")
    shape = reduced(counts.known_shape, axis, keepdims or not last)
    if last:
        return array_of(shape, dtype)
    return {
        "total": array_of(shape, totals.dtype),
        "n": array_of(shape, "i8"),
        "M": array_of((*shape, order - 1), moments.dtype),
    }


@rule("dask.array.reductions.arg_chunk")
def arg_chunk(on: Any, name: str, /, func: Any, argfunc: Any, x: Any, axis: Any, offset_info: Any) -> Any:
    """Look for the extreme value, then for its place; both are kept side by side."""
    array = as_array(x)
    along = None if len(axis) == array.ndim or array.ndim == 1 else axis[0]
    values = as_array(on.call(func, (array,), {"axis": along, "keepdims": True}))
    as_array(on.call(argfunc, (array,), {"axis": along, "keepdims": True}))
    return array_of(values.known_shape, [("vals", values.dtype), ("arg", "i8")])


@rule("dask.array.reductions.arg_combine", "dask.array.reductions.arg_agg", "dask.array.reductions.nanarg_agg")
def arg_combine(
    on: Any, name: str, /, argfunc: Any, data: Any, axis: Any = None, keepdims: bool = False, **_: Any
) -> Any:
    """Look for the extreme value of those of the blocks."""
    array = as_array(data)
    along = None if len(axis) == array.ndim or array.ndim == 1 else axis[0]
    last = not name.endswith("combine")
    shape = reduced(array.known_shape, along, keepdims or not last)
    on.part(name, "reduction", 0.0, 1.5 * array.known_nbytes)
    return array_of(shape, "i8") if last else array_of(shape, array.dtype)


@rule("dask.array.reductions._prefixscan_first")
def prefix_first(on: Any, name: str, /, func: Any, x: Any, axis: Any, dtype: Any) -> Any:
    """Interpret a scan of the first block."""
    return on.call(func, (x,), {"axis": axis, "dtype": dtype})


@rule("dask.array.reductions._prefixscan_combine")
def prefix_combine(on: Any, name: str, /, func: Any, binop: Any, pre: Any, x: Any, axis: Any, dtype: Any) -> Any:
    """Interpret a scan of a block, and what was before added."""
    return on.call(binop, (pre, on.call(func, (x,), {"axis": axis, "dtype": dtype})), {})


@rule("dask.array.routines._chunk_sum")
def chunk_sum(on: Any, name: str, /, a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = None) -> Any:
    """Add a list of blocks up, then drop an axis of length 1: what follows a blocked matrix product."""
    blocks = [as_array(block) for block in a] if isinstance(a, list) else [as_array(a)]
    total = blocks[0]
    for block in blocks[1:]:
        total = on.apply("operator.add", total, block, dtype=dtype)
    return total if keepdims else array_of(reduced(total.known_shape, axis[0]), total.dtype)


@rule("dask.array.chunk.coarsen")
def coarsen(on: Any, name: str, /, reduction: Any, x: Any, axes: Any, trim_excess: bool = False, **more: Any) -> Any:
    """Reduce neighbourhoods: a dimension for them, which is reduced."""
    array = as_array(x)
    shape = [n for k, dim in enumerate(array.known_shape) for n in (dim // axes.get(k, 1), axes.get(k, 1))]
    inner = tuple(range(1, 2 * array.ndim, 2))
    return on.call(reduction, (array_of(shape, array.dtype),), {"axis": inner, **more})
