"""Arithmetic of shapes: broadcasting, slicing, reducing, joining, multiplying."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from asafess.compiler.abstract.values import ArrayOf, Unknown, abstracted

Shape = tuple[int, ...]


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape that arrays have together.

    Examples
    --------
    >>> broadcast((3, 1), (4,), ())
    (3, 4)
    """
    first = shapes[0]
    if all(shape == first for shape in shapes):
        return first
    ndim = max(map(len, shapes))
    dims = [1] * ndim
    for shape in shapes:
        for at, dim in enumerate(shape, ndim - len(shape)):
            if dim != 1:
                if dims[at] not in (1, dim):
                    raise Unknown(f"shapes {shapes} do not go together")
                dims[at] = dim
    return tuple(dims)


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return an argument `axis` as non-negative axes, all of them for None.

    Examples
    --------
    >>> axes_of((-1, 0), 3)
    (2, 0)
    """
    if axis is None:
        return tuple(range(ndim))
    found = tuple(operator.index(one) for one in (axis if isinstance(axis, list | tuple) else (axis,)))
    if not all(-ndim <= one < ndim for one in found):
        raise Unknown(f"axis {axis} of an array with {ndim} dimensions")
    return tuple(one % ndim for one in found)


def reduced(shape: Shape, axis: Any, keepdims: bool = False) -> Shape:
    """Return the shape after a reduction.

    Examples
    --------
    >>> reduced((2, 3, 4), (0, 2)), reduced((2, 3), None, keepdims=True)
    ((3,), (1, 1))
    """
    axes = axes_of(axis, len(shape))
    if keepdims:
        return tuple(1 if k in axes else dim for k, dim in enumerate(shape))
    return tuple(dim for k, dim in enumerate(shape) if k not in axes)


def joined(shapes: Sequence[Shape], axis: int) -> Shape:
    """Return the shape of arrays concatenated along an axis.

    Examples
    --------
    >>> joined([(2, 3), (4, 3)], 0)
    (6, 3)
    """
    (axis,) = axes_of(axis, len(shapes[0]))
    first = shapes[0]
    for shape in shapes:
        if len(shape) != len(first) or shape[:axis] != first[:axis] or shape[axis + 1 :] != first[axis + 1 :]:
            raise Unknown(f"shapes {list(shapes)[:3]} can't be joined along axis {axis}")
    return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])


def reshaped(shape: Shape, new: Any) -> Shape:
    """Return the shape after `reshape`, which may leave one dimension out as -1.

    Examples
    --------
    >>> reshaped((4, 6), (2, -1))
    (2, 12)
    """
    dims = [operator.index(dim) for dim in (new if isinstance(new, list | tuple) else (new,))]
    if -1 in dims:
        rest = math.prod(dim for dim in dims if dim != -1)
        dims[dims.index(-1)] = math.prod(shape) // rest if rest else 0
    if math.prod(dims) != math.prod(shape):
        raise Unknown(f"shape {shape} can't become {tuple(dims)}")
    return tuple(dims)


def multiplied(a: Shape, b: Shape) -> Shape:
    """Return the shape of ``a @ b``.

    Examples
    --------
    >>> multiplied((5, 2, 3), (3, 4)), multiplied((3,), (3,))
    ((5, 2, 4), ())
    """
    if not a or not b or a[-1] != (b[-2] if len(b) > 1 else b[0]):
        raise Unknown(f"shapes {a} and {b} can't be multiplied")
    rows, columns = a[-2:-1], b[-1:] if len(b) > 1 else ()
    return (*broadcast(a[:-2], b[:-2]), *rows, *columns)


def indexed(shape: Shape, index: Any) -> tuple[Shape, bool]:
    """Return the shape of ``array[index]`` and whether it is a view of the array.

    Raises
    ------
    Unknown
        An index whose length depends on data.

    Examples
    --------
    >>> indexed((10, 20), (slice(None, None, 3), None, 5))
    ((4, 1), True)
    >>> indexed((10, 20), ([1, 2], slice(5)))
    ((2, 5), False)
    """
    items = list(index) if isinstance(index, tuple) else [index]
    items = [item if item is None or item is Ellipsis or isinstance(item, slice) else _advanced(item) for item in items]
    taken = sum(_taken(item) for item in items)
    if taken > len(shape):
        raise Unknown(f"an index of {taken} dimensions into shape {shape}")
    if Ellipsis in [item for item in items if not isinstance(item, tuple)]:
        at = next(k for k, item in enumerate(items) if item is Ellipsis)
        items[at : at + 1] = [slice(None)] * (len(shape) - taken)
    else:
        items += [slice(None)] * (len(shape) - taken)
    return _picked(shape, items)


def _advanced(item: Any) -> int | Shape | Any:
    """Return an index as a number, or an array of numbers as the shape of what it picks."""
    if isinstance(item, list):
        if not all(isinstance(one, int) for one in item):
            import numpy

            item = numpy.asarray(item)
        elif item and all(isinstance(one, bool) for one in item):
            return (sum(item),)
        else:
            return (len(item),)
    found = abstracted(item)
    if isinstance(found, ArrayOf):
        kind = getattr(found.dtype, "kind", None)
        if kind == "b":
            if isinstance(item, ArrayOf) or found.ndim != 1:
                raise Unknown("picks by a mask: how many depends on data")
            return (int(item.sum()),)
        return found.known_shape if found.known_shape or kind in (None, "O") else 0
    try:
        return operator.index(item)
    except TypeError:
        raise Unknown(f"an index is a {type(item).__name__}") from None


def _taken(item: Any) -> int:
    return 0 if item is None or item is Ellipsis else 1


def _picked(shape: Shape, items: list[Any]) -> tuple[Shape, bool]:
    dims: list[int] = []
    arrays: list[tuple[int, Shape]] = []
    places: list[int] = []
    at = 0
    for place, item in enumerate(items):
        if item is None:
            dims.append(1)
            continue
        if isinstance(item, slice):
            dims.append(len(range(*item.indices(shape[at]))))
        else:
            if isinstance(item, tuple):
                arrays.append((len(dims), item))
            places.append(place)
        at += 1
    if not arrays:
        return tuple(dims), True
    # NumPy puts the dimensions of index arrays where they stand, or first when something stands between them
    together = places[-1] - places[0] == len(places) - 1
    where = arrays[0][0] if together else 0
    if together and places[0] < next(k for k, item in enumerate(items) if isinstance(item, tuple)):
        where = min(where, sum(1 for item in items[: places[0]] if not isinstance(item, int)))
    picked = broadcast(*(shape_ for _, shape_ in arrays))
    return (*dims[:where], *picked, *dims[where:]), False
