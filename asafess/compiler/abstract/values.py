"""Abstract values: what is known of a task's result before it exists.

Dask's graphs are interpreted over these instead of data, as `jax.eval_shape` does for JAX. A value is an
`ArrayOf`, a `FrameOf`, a container of such, a Python constant standing for itself, or `UNKNOWN`. Rules raise
`Unknown` where they can't say, with the reason as its message; nothing is guessed silently.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from asafess.compiler.abstract import dtypes

#: bytes of an element where nobody knows; whoever uses it says so by a lower confidence
ITEMSIZE = 8
#: items of a list that are looked at to see what array it makes
LOOKED_AT = 100


class Unknown(Exception):  # noqa: N818  it is no error: the task stays untyped by the compiler
    """Raised by a rule that can't say; the message says why."""


class _UnknownValue:
    """The type of `UNKNOWN`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


#: nothing is known
UNKNOWN: Final = _UnknownValue()


@dataclass(frozen=True, slots=True)
class ArrayOf:
    """An array known by shape and data type; `array_of` makes one.

    Examples
    --------
    >>> ArrayOf(None, None, 800.0).size
    100.0
    """

    #: None where even the number of dimensions is unknown
    shape: tuple[int, ...] | None
    #: bytes of an element
    itemsize: int | None
    #: bytes; may be known where the shape is not, from the scheduler's records
    nbytes: float | None = None
    #: the NumPy dtype
    dtype: Any = None
    #: bytes of its different elements, where a broadcast array repeats them; None: each element is there once
    stored: float | None = None

    @property
    def ndim(self) -> int:
        """Number of dimensions; raises `Unknown`."""
        return len(self.known_shape)

    @property
    def known_shape(self) -> tuple[int, ...]:
        """The shape; raises `Unknown`."""
        if self.shape is None:
            raise Unknown("the shape of an input is not known")
        return self.shape

    @property
    def size(self) -> float:
        """Number of elements; raises `Unknown`."""
        if self.shape is not None:
            return math.prod(self.shape)
        return self.known_nbytes / (self.itemsize or ITEMSIZE)

    @property
    def known_nbytes(self) -> float:
        """Bytes, with `ITEMSIZE` where that is not known; raises `Unknown`."""
        if self.nbytes is not None:
            return self.nbytes
        if self.shape is None:
            raise Unknown("the size of an input is not known")
        return math.prod(self.shape) * (self.itemsize or ITEMSIZE)

    @property
    def touched(self) -> float:
        """Bytes that reading it all touches: a broadcast array repeats the same ones; raises `Unknown`."""
        return self.known_nbytes if self.stored is None else self.stored

    @property
    def exact(self) -> bool:
        """Whether shape and data type are both known."""
        return self.shape is not None and self.itemsize is not None


@dataclass(frozen=True, slots=True)
class FrameOf:
    """A pandas object known by its rows and bytes.

    Examples
    --------
    >>> FrameOf("series", 100, 800.0, ("x",)).rows
    100
    """

    #: "frame", "series" or "index"
    kind: str
    rows: float | None
    nbytes: float | None
    columns: tuple[Any, ...] | None = None

    @property
    def known_nbytes(self) -> float:
        """Bytes; raises `Unknown`."""
        if self.nbytes is None:
            raise Unknown("the size of a partition is not known")
        return self.nbytes

    @property
    def known_rows(self) -> float:
        """Rows; raises `Unknown`."""
        if self.rows is None:
            raise Unknown("the number of rows of a partition is not known")
        return self.rows


def array_of(shape: Any, dtype: Any) -> ArrayOf:
    """Make an `ArrayOf` from a shape and anything that names a data type (None: not known).

    Examples
    --------
    >>> array_of((3, 4), "f4").nbytes
    48
    """
    found = dtypes.dtype_of(dtype)
    dims = tuple(map(int, shape))
    itemsize = None if found is None else int(found.itemsize)
    return ArrayOf(dims, itemsize, None if itemsize is None else math.prod(dims) * itemsize, found)


def sized(size: float | None, dtype: Any) -> ArrayOf:
    """Make an `ArrayOf` of unknown shape, of so many elements if that is known."""
    found = dtypes.dtype_of(dtype)
    itemsize = None if found is None else int(found.itemsize)
    return ArrayOf(None, itemsize, None if size is None else size * (itemsize or ITEMSIZE), found)


def abstracted(value: Any) -> Any:
    """Return what stands for a concrete value: arrays and pandas objects by their size, the rest for itself.

    Examples
    --------
    >>> import numpy as np
    >>> abstracted(np.zeros((2, 3))).shape
    (2, 3)
    >>> abstracted(5)
    5
    """
    root = root_of(value)
    if root not in ("numpy", "pandas"):
        return value  # whatever it is: its attributes may be anyone's code, and are not asked for
    shape = getattr(value, "shape", None)
    if type(shape) is not tuple:
        return value
    if root == "pandas":
        return _frame(value, shape)
    if hasattr(value, "strides"):  # and no dtype, which has a shape as well
        stored = None
        if 0 in value.strides:
            dims = [dim for dim, stride in zip(shape, value.strides, strict=True) if stride]
            stored = float(math.prod(dims) * value.dtype.itemsize)
        return ArrayOf(shape, value.dtype.itemsize, value.nbytes, value.dtype, stored)
    return value


def root_of(value: Any) -> str:
    """Return the package that a value's type is from.

    Examples
    --------
    >>> import numpy as np
    >>> root_of(np.zeros(3)), root_of(3)
    ('numpy', 'builtins')
    """
    module = getattr(type(value), "__module__", "")
    return module.partition(".")[0] if type(module) is str else ""


def _frame(value: Any, shape: tuple[int, ...]) -> FrameOf:
    kind = "frame" if len(shape) == 2 else "index" if type(value).__name__.endswith("Index") else "series"
    columns = tuple(value.columns) if kind == "frame" else (getattr(value, "name", None),)
    if not shape[0]:  # the empty examples that Dask's tasks carry; pandas takes long to say that they are empty
        return FrameOf(kind, 0, 0.0, columns)
    if kind == "index":
        return FrameOf(kind, shape[0], float(value.nbytes), columns)
    nbytes = value.index.nbytes + (value.nbytes if kind == "series" else _column_bytes(value))
    return FrameOf(kind, shape[0], float(nbytes), columns)


def _column_bytes(frame: Any) -> int:
    """Return what `memory_usage` adds up to, which makes a series of it and takes a third of a millisecond."""
    known = [dtype.itemsize if root_of(dtype) == "numpy" else 0 for dtype in frame.dtypes]
    return sum(known) * len(frame) + sum(frame.iloc[:, at].nbytes for at, size in enumerate(known) if not size)


def as_array(value: Any) -> ArrayOf:
    """Return an operand of a NumPy function as an array; raises `Unknown`.

    Examples
    --------
    >>> as_array([1, 2, 3]).shape
    (3,)
    """
    value = abstracted(value)
    if isinstance(value, ArrayOf):
        return value
    if isinstance(value, FrameOf) and value.kind != "frame" and value.rows is not None:
        return ArrayOf((int(value.rows),), None, value.nbytes)
    if isinstance(value, bool | int | float | complex):
        return array_of((), dtypes.of_scalar(value))
    if isinstance(value, list | tuple | range) and value:
        items = [as_array(item) for item in value[:LOOKED_AT]]  # all have one shape, or it is no array
        return array_of((len(value), *items[0].known_shape), dtypes.promoted(*(item.dtype for item in items)))
    if value is UNKNOWN:
        raise Unknown("an input is not known")
    if is_store(value):
        return array_of(value.shape, value.dtype)
    raise Unknown(f"an input is a {type(value).__name__}")


def is_store(value: Any) -> bool:
    """Say whether arrays are read from a value by slicing it: HDF5, Zarr and the like, nothing sparse."""
    shape = getattr(value, "shape", None)
    dense = not hasattr(value, "nnz") and isinstance(getattr(getattr(value, "dtype", None), "itemsize", None), int)
    return dense and isinstance(shape, tuple) and all(isinstance(dim, int) for dim in shape)


def leaves(value: Any) -> Iterator[Any]:
    """Yield the arrays, frames and constants inside nested containers."""
    if isinstance(value, list | tuple | set):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    else:
        yield value


def nbytes_in(value: Any) -> float:
    """Return the bytes of all arrays and frames in a value; raises `Unknown`."""
    total = 0.0
    for leaf in leaves(value):
        leaf = abstracted(leaf)
        if leaf is UNKNOWN:
            raise Unknown("an input is not known")
        if isinstance(leaf, ArrayOf | FrameOf):
            total += leaf.known_nbytes
    return total
