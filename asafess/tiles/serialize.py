"""How a tiled matrix travels: a small header that names the encoding, and a few frames.

Covers Dask's serializer and pickle. Both pass through the door (`door`), because Dask finds our serializer only for
a bare matrix and one level of list, tuple or dict, and pickles everything else. What is spilled to disk through
Dask's serializer keeps the form that it has (`context=None`).

Data says how it was written: the header decides how frames are read, whatever the state of the door is by then. The
receiver keeps views into the frames; they may be read-only and aligned to nothing.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from dask.sizeof import sizeof
from distributed.protocol.serialize import dask_deserialize, dask_serialize

from asafess.kernels.dtypes import checked_dtype, column_type, row_type
from asafess.tiles import door, layout
from asafess.tiles.layout import DENSE, SPARSE

if TYPE_CHECKING:
    from asafess.tiles.panel import TiledMatrix

#: Name and version of the encoding written here: the arrays of the panel as they are.
ENCODING = "panel-2"

_FRAMES = ("dense", "rows", "cols", "values")


def encode(matrix: TiledMatrix) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Return the header and the frames of a matrix, in the form that it has.

    Parameters
    ----------
    matrix : TiledMatrix

    Returns
    -------
    header : dict
        Of strings, ints and bytes. Where tiles start is left out: marks and counts say it.
    frames : list of (bytes,) uint8
        Views, without copies; empty ones are left out.

    Examples
    --------
    >>> from asafess import TiledMatrix
    >>> header, frames = encode(TiledMatrix.from_dense([[1.0]]))
    >>> header["encoding"], header["frames"], frames
    ('panel-2', ['dense'], [array([  0,   0,   0,   0,   0,   0, 240,  63], dtype=uint8)])
    """
    frames = {name: getattr(matrix, name) for name in _FRAMES if getattr(matrix, name).size}
    header = {
        "encoding": ENCODING,
        "shape": list(matrix.shape),
        "tile": matrix.tile,
        "dtype": matrix.dtype.str,
        "marks": matrix.marks.tobytes(),
        "counts": matrix.counts.tobytes(),
        "frames": list(frames),
    }
    # Frames are bytes; what they mean is in the header.
    return header, [frame.view(np.uint8) for frame in frames.values()]


def decode(cls: type[TiledMatrix], header: dict[str, Any], frames: Sequence[Any]) -> TiledMatrix:
    """Return the matrix that a header and frames stand for.

    Parameters
    ----------
    cls : type
        What to make.
    header : dict
        From `encode`.
    frames : sequence of bytes-like
        bytes, bytearray, memoryview or arrays; kept, not copied.

    Returns
    -------
    TiledMatrix

    Raises
    ------
    ValueError
        For an encoding that this version doesn't know, or frames that don't fit the header.

    Examples
    --------
    >>> from asafess import TiledMatrix
    >>> header, frames = encode(TiledMatrix.from_dense([[1.0]]))
    >>> decode(TiledMatrix, header, [b"1234"])
    Traceback (most recent call last):
    ...
    ValueError: frame 'dense' has 4 bytes, but its header says 8: the data was cut or mixed up on its way
    """
    if header.get("encoding") != ENCODING:
        raise ValueError(
            f"the encoding of this matrix is {header.get('encoding')!r}, but this version of asafess reads "
            f"{ENCODING!r} only: install the same version everywhere"
        )
    try:
        shape, tile = layout.checked_shape(header["shape"]), layout.checked_tile(header["tile"])
        dtype = checked_dtype(header["dtype"])
        marks = np.frombuffer(header["marks"], np.uint8)
        counts = np.frombuffer(header["counts"], np.int64)
        given = dict(zip(header["frames"], frames, strict=True))
    except (KeyError, TypeError) as error:
        raise ValueError(f"the header of this matrix is damaged: {error!r}") from None
    dense = marks == DENSE
    # First in Python's integers: arrays of the size that a damaged shape asks for might not fit in memory.
    fit = marks.size == counts.size == -(-shape[0] // tile) * -(-shape[1] // tile) and not (marks > SPARSE).any()
    areas = layout.areas(shape, tile) if fit else counts
    if not fit or (counts != areas)[dense].any() or (counts < 0).any() or (counts > areas).any():
        raise ValueError(f"marks and counts of the header don't fit a matrix of shape {shape} with tiles of {tile}")
    entries = int(counts[~dense].sum())
    sizes = {
        "dense": (dtype, int(counts[dense].sum())),
        "rows": (row_type(tile), entries),
        "cols": (column_type(shape[1]), entries),
        "values": (dtype, entries),
    }
    arrays = {name: _view(name, *sizes[name], given.get(name, b"")) for name in _FRAMES}
    _check_inside(shape, tile, ~dense, counts, arrays["rows"], arrays["cols"])
    return cls(shape, tile, marks, layout.offsets(marks, counts), counts, *arrays.values())


def _check_inside(
    shape: tuple[int, int], tile: int, sparse: np.ndarray, counts: np.ndarray, rows: np.ndarray, cols: np.ndarray
) -> None:
    """Refuse entries outside their tile: the kernels would write outside their arrays."""
    if not rows.size:
        return
    high, wide = -(-shape[0] // tile), -(-shape[1] // tile)
    counts = counts[sparse]
    if shape[0] % tile == 0:
        inside = int(rows.max()) < tile
    else:
        inside = bool((rows < np.repeat(np.repeat(layout.edges(shape[0], tile), wide)[sparse], counts)).all())
    if not inside:
        raise ValueError("frame 'rows' has entries outside their tile: the data was damaged on its way")
    left = np.tile((np.arange(wide) * tile).astype(cols.dtype), high)[sparse]
    # Unsigned: what lies before the tile is far behind it.
    within = cols - np.repeat(left, counts)
    width = np.tile(layout.edges(shape[1], tile).astype(np.uint64) - np.uint64(1), high)[sparse].astype(cols.dtype)
    if not bool((within <= (width[0] if shape[1] % tile == 0 else np.repeat(width, counts))).all()):
        raise ValueError("frame 'cols' has entries outside their tile: the data was damaged on its way")


def _view(name: str, dtype: np.dtype, size: int, frame: Any) -> np.ndarray:
    nbytes = memoryview(frame).nbytes
    if nbytes != size * dtype.itemsize:
        raise ValueError(
            f"frame {name!r} has {nbytes} bytes, but its header says {size * dtype.itemsize}: "
            "the data was cut or mixed up on its way"
        )
    return np.frombuffer(frame, dtype) if size else np.empty(0, dtype)


def reduce(matrix: TiledMatrix, protocol: int) -> tuple[Any, ...]:
    """Return what pickle makes of a matrix; from protocol 5 on, frames are out-of-band buffers.

    Examples
    --------
    >>> from asafess import TiledMatrix
    >>> pickle.loads(pickle.dumps(TiledMatrix.from_dense([[1.0]]))).to_dense()
    array([[1.]])
    """
    header, frames = encode(door.outgoing(matrix))
    buffers = [pickle.PickleBuffer(frame.data) if protocol >= 5 else frame.tobytes() for frame in frames]
    return decode, (type(matrix), header, buffers)


def register(cls: type[TiledMatrix]) -> None:
    """Tell Dask how to send, receive and measure matrices; called once, where the class is defined.

    Examples
    --------
    >>> from asafess import TiledMatrix
    >>> matrix = TiledMatrix.from_dense(np.zeros((4, 4)))
    >>> sizeof(matrix) == matrix.nbytes
    True
    """

    @dask_serialize.register(cls)
    def dumps(matrix: TiledMatrix, context: Any = None) -> tuple[dict[str, Any], list[memoryview]]:
        header, frames = encode(matrix if context is None else door.outgoing(matrix))
        return header, [frame.data for frame in frames]

    @dask_deserialize.register(cls)
    def loads(header: dict[str, Any], frames: list[Any]) -> TiledMatrix:
        return decode(cls, header, frames)

    @sizeof.register(cls)
    def size(matrix: TiledMatrix) -> int:
        return matrix.nbytes
