"""Rules of views and slices: they cost nothing, or a copy of what they pick.

`dask.array` copies a slice that is less than half of its array; picking by an array of indices always copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from asafess.compiler.abstract import dtypes
from asafess.compiler.abstract.shapes import axes_of, broadcast, indexed, reshaped
from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf, Unknown, abstracted, array_of, as_array, sized
from asafess.compiler.rules.frame_values import as_frame
from asafess.compiler.rules.moving import moved
from asafess.compiler.rules.table import method, rule


@rule("operator.getitem", "dask.array.chunk.getitem", "dask.array._shuffle._getitem")
@rule("dask.array.core.getter", "dask.array.core.getter_nofancy", "dask.array.core.getter_inline")
def getitem(on: Any, name: str, /, value: Any, index: Any, **_: Any) -> Any:
    """Slice or pick."""
    value = abstracted(value)
    if name.endswith("_shuffle._getitem"):
        index = index[1]
    if isinstance(value, FrameOf):
        return on.method("__getitem__", (value, index), {})
    if isinstance(value, ArrayOf) and value.shape is None and value.dtype is None and _picks_columns(index):
        return on.method("__getitem__", (as_frame(value), index), {})  # a partition of which only the size is known
    # of a subclass even a look may be the user's code, and change it; results of NumPy are named tuples
    if type(value) is dict or ((type(value) is list or isinstance(value, tuple)) and isinstance(index, int | slice)):
        return value[index]
    if value is UNKNOWN and isinstance(index, int):
        return UNKNOWN  # an item of a tuple that nobody knows; it costs nothing
    array = as_array(value)
    fields = getattr(array.dtype, "fields", None)
    if isinstance(index, str) and fields:
        found = fields[index][0]
        return array_of(array.shape, found) if array.shape is not None else sized(array.size, found)
    try:
        shape, view = indexed(array.known_shape, index)
    except Unknown:
        if _is_mask(index):
            return _masked(on, name, array, index)
        raise
    result = array_of(shape, array.dtype)
    if not view or (name.startswith("dask.array.chunk") and shape and array.size >= 2 * result.size and array.size):
        moved(on, name, result.known_nbytes)
    elif not isinstance(value, ArrayOf):
        on.hedge(0.6, "read from a store")
        moved(on, name, result.known_nbytes)
    if view and array.stored is not None and result.nbytes is not None:
        return replace(result, stored=min(array.stored, result.nbytes))
    return result


def _picks_columns(index: Any) -> bool:
    names = index if isinstance(index, list) else [index]
    return isinstance(index, FrameOf) or (bool(names) and all(isinstance(one, str) for one in names))


def _is_mask(index: Any) -> bool:
    items = index if isinstance(index, tuple) else (index,)
    return any(isinstance(one, ArrayOf) and getattr(one.dtype, "kind", None) == "b" for one in items)


def _masked(on: Any, name: str, /, array: ArrayOf, index: Any) -> ArrayOf:
    """Pick by a mask: all of both is read, and how much is written depends on data."""
    items = index if isinstance(index, tuple) else (index,)
    read = array.known_nbytes + sum(one.known_nbytes for one in items if isinstance(one, ArrayOf))
    on.hedge(0.7, "a mask picks half")
    moved(on, name, read, array.known_nbytes / 2)
    return sized(None, array.dtype)


@method("transpose", "T", "swapaxes")
@rule("numpy.transpose", "numpy.swapaxes", "numpy.moveaxis", "numpy.rollaxis", "numpy.matrix_transpose")
@rule("dask.array.numpy_compat.moveaxis", "dask.array.numpy_compat.rollaxis", "dask.array.linalg._conj_transpose")
def transpose(on: Any, name: str, /, a: Any, *axes: Any, **more: Any) -> Any:
    """Change the order of axes; the conjugate of real numbers is a copy."""
    array = as_array(a)
    shape = array.known_shape
    kind = name.rpartition(".")[2]
    order: Sequence[int]
    if kind == "swapaxes":
        one, other = axes_of(axes or (more["axis1"], more["axis2"]), len(shape))
        order = [other if k == one else one if k == other else k for k in range(len(shape))]
    elif kind in ("moveaxis", "rollaxis"):
        source, destination = axes or (more["source"], more["destination"])
        if kind == "rollaxis":
            raise Unknown("rollaxis")
        places = dict(zip(axes_of(destination, len(shape)), axes_of(source, len(shape)), strict=True))
        rest = iter([k for k in range(len(shape)) if k not in places.values()])
        order = [places[k] if k in places else next(rest) for k in range(len(shape))]
    elif kind == "matrix_transpose":
        order = [*range(len(shape) - 2), len(shape) - 1, len(shape) - 2]
    else:
        given = more.get("axes", axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None)
        order = axes_of(given, len(shape)) if given is not None else range(len(shape))[::-1]
    result = array_of([shape[k] for k in order], array.dtype)
    if kind == "_conj_transpose":
        on.part(name, "elementwise", 0.0, 2 * array.known_nbytes)
    return result


@method("reshape")
@rule("numpy.reshape", "dask.array.reshape.reshape", "dask.array.core.reshape")
def reshape(on: Any, name: str, /, a: Any, *shape: Any, **more: Any) -> Any:
    """Give a new shape, taken as a view."""
    array = as_array(a)
    new = more.get("shape", more.get("newshape", shape[0] if len(shape) == 1 or name == "numpy.reshape" else shape))
    return array_of(reshaped(array.known_shape, new), array.dtype)


@method("ravel")
@rule("numpy.ravel")
def ravel(on: Any, name: str, /, a: Any, *_: Any, **__: Any) -> Any:
    """One dimension, taken as a view."""
    array = as_array(a)
    return array_of((int(array.size),), array.dtype)


@method("squeeze")
@rule("numpy.squeeze", "numpy.expand_dims", "numpy.atleast_1d", "numpy.atleast_2d", "numpy.atleast_3d")
def squeeze(on: Any, name: str, /, a: Any, axis: Any = None) -> Any:
    """Drop or add dimensions of length 1."""
    array = as_array(a)
    shape = array.known_shape
    kind = name.rpartition(".")[2]
    if kind == "squeeze":
        drop = [k for k, dim in enumerate(shape) if dim == 1] if axis is None else axes_of(axis, len(shape))
        return array_of([dim for k, dim in enumerate(shape) if k not in drop], array.dtype)
    if kind == "expand_dims":
        added = axis if isinstance(axis, list | tuple) else (axis,)
        ndim = len(shape) + len(added)
        rest = iter(shape)
        places = axes_of(tuple(added), ndim)
        return array_of([1 if k in places else next(rest) for k in range(ndim)], array.dtype)
    want = int(kind[-2])
    if want == 3 and len(shape) < 3:
        raise Unknown("atleast_3d of fewer dimensions")
    return array_of((1,) * (want - len(shape)) + shape, array.dtype)


@rule("numpy.broadcast_to", "numpy.broadcast_arrays")
def broadcast_to(on: Any, name: str, /, *arrays: Any, shape: Any = None, **_: Any) -> Any:
    """Repeat without writing anything."""
    if name.endswith("arrays"):
        items = [as_array(array) for array in arrays]
        both = broadcast(*(item.known_shape for item in items))
        return [replace(array_of(both, item.dtype), stored=item.touched) for item in items]
    wanted = arrays[1] if shape is None else shape
    wanted = wanted if isinstance(wanted, list | tuple) else (wanted,)
    array = as_array(arrays[0])
    return replace(array_of(wanted, array.dtype), stored=array.touched)


@rule("numpy.flip", "numpy.flipud", "numpy.fliplr", "dask.array.linalg._reverse")
def flip(on: Any, name: str, /, m: Any, *_: Any, **__: Any) -> Any:
    """Return a view from the other end."""
    return as_array(m)


@rule("numpy.rot90")
def rot90(on: Any, name: str, /, m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """Return a view turned by quarters."""
    array = as_array(m)
    return array if k % 2 == 0 else transpose(on, "numpy.swapaxes", array, *axes)


@rule("numpy.diagonal", "numpy.diag")
def diagonal(on: Any, name: str, /, a: Any, k: int = 0, axis1: int = 0, axis2: int = 1, **more: Any) -> Any:
    """Return the diagonal of matrices; `diag` of a vector writes a matrix."""
    array = as_array(a)
    shape = array.known_shape
    if len(shape) == 1:
        result = array_of((shape[0] + abs(k),) * 2, array.dtype)
        on.part(name, "creation", 0.0, result.known_nbytes + 2 * array.known_nbytes)
        return result
    k = more.get("offset", k)
    one, other = axes_of((axis1, axis2), len(shape))
    rest = [dim for at, dim in enumerate(shape) if at not in (one, other)]
    length = max(0, min(shape[one] + min(k, 0), shape[other] - max(k, 0)))
    return array_of((*rest, length), array.dtype)


@rule("numpy.tril", "numpy.triu")
def triangle(on: Any, name: str, /, m: Any, k: int = 0) -> Any:
    """Copy a triangle, by a mask."""
    array = as_array(m)
    on.part(name, "moving", 0.0, 2 * array.known_nbytes + 2 * array.size)
    return array


@method("view")
@rule("dask.array.chunk.view")
def view(on: Any, name: str, /, x: Any, dtype: Any = None, *_: Any, **__: Any) -> Any:
    """Read the same bytes as another data type."""
    array = as_array(x)
    found = dtypes.dtype_of(dtype)
    shape = array.known_shape
    if not shape or array.itemsize is None:
        raise Unknown("a view of a scalar")
    return array_of((*shape[:-1], shape[-1] * array.itemsize // found.itemsize), found)


@rule("numpy.lib.stride_tricks.sliding_window_view")
def sliding_window_view(on: Any, name: str, /, x: Any, window_shape: Any, axis: Any = None, **_: Any) -> Any:
    """Return windows as further dimensions, taken as a view."""
    array = as_array(x)
    windows = window_shape if isinstance(window_shape, list | tuple) else (window_shape,)
    shape = list(array.known_shape)
    for at, window in zip(axes_of(axis, len(shape)), windows, strict=True):
        shape[at] += 1 - window
    return array_of((*shape, *windows), array.dtype)


@rule("dask.array.slicing.getitem_variadic")
def getitem_variadic(on: Any, name: str, /, x: Any, *index: Any) -> Any:
    """``x[index]`` of several arguments."""
    return getitem(on, name, x, index)
