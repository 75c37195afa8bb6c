"""Rules of what Dask does with blocks: putting them together, trimming what they share, picking points of them."""

from __future__ import annotations

from typing import Any

from asafess.compiler.abstract import dtypes
from asafess.compiler.abstract.shapes import joined
from asafess.compiler.abstract.values import FrameOf, Unknown, array_of, as_array, leaves
from asafess.compiler.rules.moving import concatenate, copy, moved, take
from asafess.compiler.rules.table import rule
from asafess.compiler.rules.view import getitem


@rule("dask.array.core._concatenate2")
def concatenate_nested(on: Any, name: str, /, arrays: Any, axes: Any = None) -> Any:
    """Concatenate nested lists, each level along its axis."""
    axes = list(axes or ())
    if not axes or not isinstance(arrays, list | tuple):
        return arrays[0] if isinstance(arrays, list) else arrays
    if len(axes) > 1:
        arrays = [concatenate_nested(on, name, one, axes[1:]) for one in arrays]
    if isinstance(arrays[0], dict):
        return {key: concatenate(on, name, [one[key] for one in arrays], axes[0]) for key in arrays[0]}
    return concatenate(on, name, arrays, axes[0])


@rule("dask.array.core.concatenate3", "numpy.block")
def concatenate_blocks(on: Any, name: str, /, arrays: Any) -> Any:
    """Copy nested lists of blocks into one array; the outer list is the first axis."""
    items = [as_array(leaf) for leaf in leaves(arrays)]
    if all(isinstance(leaf, FrameOf) for leaf in leaves(arrays)) or not isinstance(arrays, list):
        raise Unknown("blocks that are no arrays")
    depth, inner = 0, arrays
    while isinstance(inner, list):
        depth, inner = depth + 1, inner[0]
    ndim = max(depth, max(item.ndim for item in items))
    first = items[0]

    def shape_of(value: Any, axis: int) -> tuple[int, ...]:
        if not isinstance(value, list):
            shape = as_array(value).known_shape
            return (1,) * (ndim - len(shape)) + shape
        return joined([shape_of(one, axis + 1) for one in value], axis)

    dtype = first.dtype if name.startswith("dask") else dtypes.promoted(*(item.dtype for item in items))
    result = array_of(shape_of(arrays, 0 if name.startswith("dask") else ndim - depth), dtype)
    moved(on, name, sum(item.touched for item in items), result.known_nbytes)
    return result


@rule("dask.array.core.finalize")
def finalize(on: Any, name: str, /, results: Any) -> Any:
    """Bring the blocks of a result together, or copy the only one."""
    only = results
    while isinstance(only, list | tuple) and len(only) == 1:
        only = only[0]
    if isinstance(only, list | tuple):
        return concatenate_blocks(on, "dask.array.core.concatenate3", results)
    return copy(on, "numpy.copy", only)


@rule("dask.array.core.concatenate_shaped", "dask.array.core.concatenate_axes")
def concatenate_flat(on: Any, name: str, /, arrays: Any, where: Any) -> Any:
    """Copy blocks into one array: a flat list with the shape of the grid, or nested lists with their axes."""
    items = [as_array(leaf) for leaf in leaves(arrays)]
    if name.endswith("_axes"):
        depths, inner = [], arrays
        while isinstance(inner, list):
            depths.append(len(inner))
            inner = inner[0]
        # the grid's axes in the order of nesting; the blocks' other axes are whole
        grid = [1] * max(items[0].ndim, max(where, default=-1) + 1)
        for axis, depth in zip(where, depths, strict=True):
            grid[axis] = depth
        if list(where) != sorted(where):
            raise Unknown("blocks nested in another order than their axes")
        where = grid
    nested: Any = list(items)
    for length in reversed(list(where)[1:]):
        nested = [nested[k : k + length] for k in range(0, len(nested), length)]
    return concatenate_blocks(on, "dask.array.core.concatenate3", nested)


@rule("dask.array._shuffle.concatenate_arrays")
def take_sorted(on: Any, name: str, /, arrs: Any, sorter: Any, axis: int) -> Any:
    """Join what came from several blocks, and bring it into order."""
    array = concatenate(on, "numpy.concatenate", arrs, axis)
    order = as_array(sorter[1])
    on.apply("numpy.argsort", order)
    return take(on, "numpy.take", array, order, axis)


@rule("dask.array.core._vindex_merge")
def vindex_merge(on: Any, name: str, /, locations: Any, values: Any) -> Any:
    """Write picked points to their places."""
    items = [as_array(value) for value in values]
    rows = sum(len(one) for one in locations)
    result = array_of((rows, *items[0].known_shape[1:]), items[0].dtype)
    moved(on, name, sum(item.touched for item in items), result.known_nbytes)
    return result


@rule("dask.array.chunk.trim")
def trim(on: Any, name: str, /, x: Any, axes: Any = None) -> Any:
    """Take boundaries off, as a view."""
    array = as_array(x)
    depths = [axes] * array.ndim if isinstance(axes, int) else [axes.get(k, 0) for k in range(array.ndim)]
    return array_of(
        [max(0, dim - 2 * depth) for dim, depth in zip(array.known_shape, depths, strict=True)], array.dtype
    )


@rule("dask.array.overlap._trim")
def trim_overlap(on: Any, name: str, /, x: Any, axes: Any, boundary: Any, _overlap_trim_info: Any) -> Any:
    """Take what was shared with neighbours off, as a view: not at an edge without a boundary."""
    array = as_array(x)
    at, blocks = _overlap_trim_info[0], _overlap_trim_info[1]
    shape = []
    for k, dim in enumerate(array.known_shape):
        depth = axes.get(k, 0)
        front, back = depth if isinstance(depth, tuple) else (depth, depth)
        open_ended = boundary.get(k, "none") == "none"
        front = 0 if open_ended and at[k] == 0 else front
        back = 0 if open_ended and at[k] == blocks[k] - 1 else back
        shape.append(max(0, dim - front - back))
    return array_of(shape, array.dtype)


@rule("dask.array.core._vindex_slice_and_transpose")
def vindex_slice(on: Any, name: str, /, block: Any, points: Any, axis: int) -> Any:
    """Pick points, and bring them to the front."""
    array = as_array(block)
    picked = getitem(
        on, "operator.getitem", array, tuple(one if isinstance(one, slice) else list(one) for one in points)
    )
    shape = picked.known_shape
    return array_of((shape[axis], *shape[:axis], *shape[axis + 1 :]), picked.dtype)
