"""Rules of operations whose purpose is moving data: joining, copying, padding, taking.

They do no arithmetic; memory = bytes read and written. Views and slices are in `rules_view`.
"""

from __future__ import annotations

import operator
from typing import Any

from asafess.compiler.abstract import dtypes
from asafess.compiler.abstract.shapes import axes_of, broadcast, joined
from asafess.compiler.abstract.values import ArrayOf, abstracted, array_of, as_array, sized
from asafess.compiler.rules.table import method, rule


def moved(on: Any, name: str, /, read: float, written: float | None = None, **more: Any) -> None:
    """Record a copy of so many bytes."""
    on.part(name, "moving", 0.0, read + (read if written is None else written), moved=True, **more)


@rule("numpy.concatenate", "dask.array.backends._concatenate")
def concatenate(on: Any, name: str, /, arrays: Any, axis: Any = 0, *_: Any, **more: Any) -> Any:
    """Copy arrays next to each other; dictionaries entry by entry."""
    if isinstance(arrays, ArrayOf):  # one array: its first dimension is what is joined
        shape = arrays.known_shape
        arrays = [array_of(shape[1:], arrays.dtype)] * shape[0]
    items = [as_array(array) for array in arrays]
    dtype = dtypes.dtype_of(more.get("dtype")) or dtypes.promoted(*(item.dtype for item in items))
    if any(item.shape is None for item in items):
        result = sized(sum(item.size for item in items), dtype)
        on.hedge(0.8, "arrays of unknown shape, by their bytes")
    elif axis is None:
        result = array_of((int(sum(item.size for item in items)),), dtype)
    else:
        result = array_of(joined([item.known_shape for item in items], axis), dtype)
    moved(on, name, sum(item.touched for item in items), result.known_nbytes)
    return result


@rule("numpy.stack", "numpy.vstack", "numpy.hstack", "numpy.dstack", "numpy.column_stack", "dask.array.core.stack")
def stack(on: Any, name: str, /, arrays: Any, axis: int = 0, *_: Any, **__: Any) -> Any:
    """Copy arrays into one of a dimension more, or next to each other."""
    items = [as_array(array) for array in arrays]
    shapes = [item.known_shape for item in items]
    kind = name.rpartition(".")[2]
    if kind == "stack":
        (axis,) = axes_of(axis, len(shapes[0]) + 1)
        shapes = [(*shape[:axis], 1, *shape[axis:]) for shape in shapes]
    elif kind == "vstack":
        shapes = [(1,) * (2 - len(shape)) + shape for shape in shapes]
    elif kind == "hstack":
        axis = 0 if len(shapes[0]) <= 1 else 1
        shapes = [shape or (1,) for shape in shapes]
    else:
        axis = {"column_stack": 1, "dstack": 2}[kind]
        shapes = [shape + (1,) * (axis + 1 - len(shape)) for shape in shapes]
    result = array_of(joined(shapes, axis), dtypes.promoted(*(item.dtype for item in items)))
    moved(on, name, sum(item.touched for item in items), result.known_nbytes)
    return result


@method("copy", "flatten")
@rule("numpy.copy", "copy.copy", "copy.deepcopy", "numpy.ascontiguousarray", "numpy.asfortranarray")
def copy(on: Any, name: str, /, a: Any, *_: Any, **__: Any) -> Any:
    """Copy an array."""
    array = as_array(a)
    moved(on, name, array.known_nbytes)
    return array if "flatten" not in name else array_of((int(array.size),), array.dtype)


@method("repeat")
@rule("numpy.repeat", "numpy.tile")
def repeat(on: Any, name: str, /, a: Any, repeats: Any, axis: Any = None) -> Any:
    """Write an array several times."""
    array = as_array(a)
    if name.endswith("tile"):
        reps = repeats if isinstance(repeats, list | tuple) else (repeats,)
        shape = array.known_shape
        ndim = max(len(reps), len(shape))
        pairs = zip((1,) * (ndim - len(reps)) + tuple(reps), (1,) * (ndim - len(shape)) + shape, strict=True)
        result = array_of([times * dim for times, dim in pairs], array.dtype)
    else:
        times = operator.index(repeats)
        shape = array.known_shape if axis is not None else (int(array.size),)
        (axis,) = axes_of(axis or 0, len(shape))
        result = array_of([dim * times if k == axis else dim for k, dim in enumerate(shape)], array.dtype)
    moved(on, name, array.known_nbytes, result.known_nbytes)
    return result


@rule("numpy.pad", "dask.array.creation.wrapped_pad_func")
def pad(on: Any, name: str, /, array: Any, pad_width: Any, *_: Any, **__: Any) -> Any:
    """Copy into a larger array."""
    found = as_array(array)
    widths = as_array(pad_width).known_shape
    if widths == ():
        pairs = [(pad_width, pad_width)] * found.ndim
    elif len(widths) == 1:
        pairs = [tuple(pad_width)] * found.ndim if widths[0] == 2 else [(pad_width[0],) * 2] * found.ndim
    else:
        pairs = [tuple(pair) for pair in pad_width] * (found.ndim if widths[0] == 1 else 1)
    shape = [dim + int(left) + int(right) for dim, (left, right) in zip(found.known_shape, pairs, strict=True)]
    result = array_of(shape, found.dtype)
    moved(on, name, found.known_nbytes, result.known_nbytes)
    return result


@rule("numpy.roll", "numpy.fft.fftshift", "numpy.fft.ifftshift", "dask.array.creation.roll")
def roll(on: Any, name: str, /, a: Any, *_: Any, **__: Any) -> Any:
    """Copy an array in another order."""
    array = as_array(a)
    moved(on, name, array.known_nbytes)
    return array


@rule("numpy.take", "numpy.take_along_axis", "dask.array.backends.take")
def take(on: Any, name: str, /, a: Any, indices: Any, axis: Any = None, *_: Any, **__: Any) -> Any:
    """Read indices and what they point to."""
    array, picked = as_array(a), as_array(indices)
    if name.endswith("along_axis"):
        shape = broadcast(
            *(tuple(1 if k == axis else dim for k, dim in enumerate(one.known_shape)) for one in (array, picked))
        )
        (axis,) = axes_of(axis, array.ndim)
        shape = (*shape[:axis], picked.known_shape[axis], *shape[axis + 1 :])
    elif axis is None:
        shape = picked.known_shape
    else:
        (axis,) = axes_of(axis, array.ndim)
        shape = (*array.known_shape[:axis], *picked.known_shape, *array.known_shape[axis + 1 :])
    result = array_of(shape, array.dtype)
    moved(on, name, result.known_nbytes + picked.known_nbytes, result.known_nbytes)
    return result


@rule("dask.array.core.load_store_chunk", "dask.array.core.store_chunk", "operator.setitem")
@rule("dask.array.slicing.setitem")
def store(on: Any, name: str, /, x: Any, *more: Any, **_: Any) -> Any:
    """Write a block to where it is kept."""
    if name.endswith("setitem"):  # an array, its index, and what goes there
        array = as_array(x)
        value = as_array(more[0]) if name.startswith("dask") else as_array(more[1])
        if name.startswith("dask"):  # which copies the array first
            moved(on, name, array.known_nbytes + value.known_nbytes)
            return array
        moved(on, name, value.known_nbytes)
        return None
    array = as_array(x)
    moved(on, name, array.known_nbytes)
    return abstracted(more[0]) if more else None
