"""What each encoding would leave of a frame, from looking at a part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from asafess.wire import libraries, mask
from asafess.wire.figures import MASKS

#: bytes that are looked at, at most, and the share of a frame; and in how many pieces: in a matrix of which each row is
#: full or empty, a piece sees one row
LARGEST, SHARE, PIECES = 1 << 16, 16, 64
#: pieces begin where the largest word does
_ALIGNED = 8
_GOLDEN = 0.6180339887498949


class Look(NamedTuple):
    """What was seen."""

    #: words of 8 bytes, and those of them that are zero
    words: int
    zeros: int
    #: encoding → share of the bytes that it would leave
    kept: dict[str, float]


def pieces(data: np.ndarray) -> np.ndarray:
    """Return pieces of a frame, at most a 16th of it, behind each other.

    They lie where multiples of the golden ratio fall, so they are evenly spread and in step with no power of two.

    Parameters
    ----------
    data : (n,) uint8

    Returns
    -------
    (m,) uint8
        A view of `data` when it is so small that a piece would be a few bytes.

    Examples
    --------
    >>> pieces(np.zeros(1 << 24, np.uint8)).size, pieces(np.zeros(1 << 16, np.uint8)).size
    (65536, 4096)
    """
    size = min(LARGEST, data.size // SHARE) // PIECES // _ALIGNED * _ALIGNED
    if size < 4 * _ALIGNED:
        return data
    # not concatenated: NumPy gives Python's lock away for each piece, and busy threads keep it for milliseconds
    return np.frombuffer(b"".join(_cut(data.size, size)(data.data)), np.uint8)


@lru_cache(maxsize=64)
def _cut(nbytes: int, size: int) -> Callable[[memoryview], Iterable[Any]]:
    """Return what takes the pieces out of a frame of so many bytes; frames of one size come in numbers."""
    last = (nbytes - size) // _ALIGNED
    starts = [int((k + 1) * _GOLDEN % 1 * last) * _ALIGNED for k in range(PIECES)]
    return itemgetter(*(slice(start, start + size) for start in starts))


def look(data: np.ndarray, library_names: Iterable[str] = (), nbytes: int | None = None) -> Look:
    """Say what encodings would leave.

    Parameters
    ----------
    data : (m,) uint8
        A frame, or `pieces` of it.
    library_names : iterable of str
        Of `LIBRARIES`, beside the masks; each compresses all of `data`.
    nbytes : int, optional
        Bytes of the whole frame.

    Examples
    --------
    >>> data = np.zeros(800)
    >>> data[::4] = 1.5
    >>> seen = look(data.view(np.uint8))
    >>> seen.words, seen.zeros, round(seen.kept["mask8"], 2)
    (800, 600, 0.27)
    """
    size = max(data.size, 1)
    whole = data.size if nbytes is None else nbytes
    nonzero = mask.nonzero(data)
    kept = {
        name: mask.room(whole, width, nonzero[width] / max(data.size // width, 1)) / max(whole, 1)
        for name, width in MASKS.items()
    }
    for name in library_names:
        kept[name] = len(libraries.LIBRARIES[name].compress(data.data)) / size
    return Look(data.size // 8, data.size // 8 - nonzero[8], kept)
