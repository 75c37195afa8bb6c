"""What left this process, in numbers that only grow, and what the data is like.

The second is a property of the data, so it must not depend on the state of the door: in every state one tile in 64 is
looked at, and it is said what it would take in each form.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from asafess.kernels.dtypes import word_type
from asafess.tiles import layout
from asafess.tiles.layout import DENSE

if TYPE_CHECKING:
    from asafess.tiles.panel import TiledMatrix

#: Name → meaning.
COUNTERS = {
    "panels": "panels that left",
    "logical_bytes": "their bytes as dense arrays",
    "sent_bytes": "their physical bytes as they left",
    "encode_seconds": "seconds spent on recoding them",
    "uncompiled": "panels that left as they were because kernels were not compiled",
    "faults": "panels that left as they were because recoding failed, and probes that failed",
    "sampled_words": "words of the tiles that were looked at",
    "sampled_zeros": "those without any bit set",
    "sampled_bytes": "bytes of these tiles, dense",
    "sampled_light_bytes": "bytes of these tiles in the form light",
    "sampled_full_bytes": "bytes of these tiles in the form full",
    "probed_bytes": "bytes of the samples that forms were timed on, dense; of each of the three samples of a probe",
    "probe_seconds": "all seconds spent on probing",
    "probed_encode_light_seconds": "seconds for putting so many bytes into the form light",
    "probed_encode_full_seconds": "seconds for putting so many bytes into the form full",
    "probed_product_off_seconds": "seconds for multiplying so many bytes with a vector, dense",
    "probed_product_light_seconds": "seconds for multiplying so many bytes with a vector, in the form light",
    "probed_product_full_seconds": "seconds for multiplying so many bytes with a vector, in the form full",
}

# A tile is looked at when its number times the golden ratio falls into the first 64th of the circle: one in 64, evenly
# spread, and in step with no power of two (a fixed stride would always meet the same column of tiles).
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_SIXTY_FOURTH = np.uint64(1 << 58)


class Counters:
    """Numbers that only grow, until reset. Any thread may use one; the lock is held for additions only.

    Examples
    --------
    >>> counters = Counters()
    >>> counters.add(panels=1, sent_bytes=10)
    >>> counters.read()["sent_bytes"]
    10.0
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Set every number to 0."""
        with self._lock:
            self._values = dict.fromkeys(COUNTERS, 0.0)
            self._tiles = 0

    def add(self, **amounts: float) -> None:
        """Add to some of the numbers, together."""
        with self._lock:
            for name, amount in amounts.items():
                self._values[name] += amount

    def read(self) -> dict[str, float]:
        """Return all numbers as they are now, by name."""
        with self._lock:
            return dict(self._values)

    def sample(self, matrix: TiledMatrix, threshold: int | None) -> None:
        """Look at one in 64 tiles.

        Parameters
        ----------
        matrix : TiledMatrix
        threshold : int, optional
            Of the form *light*.
        """
        with self._lock:
            first = self._tiles
            self._tiles += matrix.marks.size
        numbers = np.arange(first, first + matrix.marks.size, dtype=np.uint64)
        chosen = np.flatnonzero(numbers * _GOLDEN < _SIXTY_FOURTH)
        if not chosen.size:
            return
        found = matrix.counts[chosen].copy()
        for k in np.flatnonzero(matrix.marks[chosen] == DENSE):
            start = matrix.offsets[chosen[k]]
            found[k] = np.count_nonzero(matrix.dense[start : start + found[k]].view(word_type(matrix.dtype)))
        geometry = matrix.shape, matrix.tile
        words = layout.areas(*geometry)[chosen]
        dense = words * matrix.dtype.itemsize
        sparse = found * layout.entry_bytes(matrix.dtype, matrix.tile, matrix.shape[1])
        light = layout.limits("light", *geometry, matrix.dtype, threshold)[chosen]
        self.add(
            sampled_words=int(words.sum()),
            sampled_zeros=int((words - found).sum()),
            sampled_bytes=int(dense.sum()),
            sampled_light_bytes=int(np.where(found < light, sparse, dense).sum()),
            sampled_full_bytes=int(np.minimum(sparse, dense).sum()),
        )
