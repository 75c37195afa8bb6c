"""The per-tile oracle: the form in which each tile costs least, known without looking at a running program.

Cost of a tile in a form = its bytes ÷ the measured rate of a link (*stream* only; *resident* moves nothing) + the
time its product takes, measured on a worker. A tile's non-zeros are counted, not sampled. Product times are measured
at some numbers of non-zeros and read off in between. Panels are stored so beforehand: the oracle pays for no encoding
and decides nothing while it runs. So it is a lower bound, as far as the cost of a tile does not depend on its
neighbours.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

#: bytes of the panels that are multiplied to measure: what a worker holds, and at most this
LARGEST = 32 << 20
#: seconds of measuring at each number of non-zeros
SECONDS = 0.05


@dataclass(frozen=True)
class Costs:
    """What one tile takes, by its number of non-zeros where it is sparse."""

    #: non-zeros at which it was measured, ascending, from 0 to all
    nonzeros: tuple[int, ...]
    #: of a sparse tile, at each of them
    seconds: tuple[float, ...]
    nbytes: tuple[float, ...]
    #: of a dense tile
    dense_seconds: float
    dense_nbytes: float


def ladder(tile: int) -> list[int]:
    """Return the numbers of non-zeros to measure at.

    >>> ladder(128)
    [0, 32, 128, 512, 2048, 8192, 16384]
    """
    steps = [max(1, tile // 4) * 4**k for k in range(12)]
    return [0, *(k for k in steps if k < tile * tile), tile * tile]


def measured_costs(tile: int, n: int, rows: int) -> Costs:
    """Task: measure on a worker, in the thread that also runs the program's tasks.

    Parameters
    ----------
    tile, n : int
        Edge of a tile, columns of the matrix.
    rows : int
        Rows that a worker holds; a whole number of tiles, or what `LARGEST` leaves of them, is multiplied.
    """
    from asafess import TiledMatrix

    rows = max(tile, min(rows, LARGEST // (8 * n)) // tile * tile)
    tiles = rows // tile * (n // tile)
    rank = np.random.default_rng(1).permutation(tile * tile).reshape(tile, tile)
    rank = np.tile(rank, (rows // tile, n // tile))
    x = np.ones(n)
    dense = TiledMatrix.from_dense(np.ones((rows, n)), tile)
    nonzeros = ladder(tile)
    seconds, nbytes = [], []
    for k in nonzeros:
        sparse = TiledMatrix.from_dense((rank < k).astype(np.float64), tile).recode("sparse")
        seconds.append(_seconds(sparse, x) / tiles)
        nbytes.append(sparse.nbytes / tiles)
    return Costs(tuple(nonzeros), tuple(seconds), tuple(nbytes), _seconds(dense, x) / tiles, dense.nbytes / tiles)


def _seconds(a: Any, x: np.ndarray) -> float:
    """Return the median seconds of a product; the first is not counted."""
    a @ x
    took: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(took) < 5 or time.perf_counter() < end:
        start = time.perf_counter()
        a @ x
        took.append(time.perf_counter() - start)
    return median(took)


def threshold(costs: Costs, link: float = math.inf) -> int:
    """Return the number of non-zeros below which a tile costs less in sparse form.

    More non-zeros never cost less: a measurement that says so is noise. So one number says it for all tiles.

    Parameters
    ----------
    costs : Costs
    link : float
        Bytes/s; infinite where nothing moves.

    >>> free = Costs((0, 100), (0.0, 10.0), (0.0, 100.0), dense_seconds=5.0, dense_nbytes=80.0)
    >>> threshold(free), threshold(free, link=1.0)
    (50, 78)
    """
    every = np.arange(costs.nonzeros[-1] + 1)
    seconds = np.interp(every, costs.nonzeros, np.maximum.accumulate(costs.seconds))
    nbytes = np.interp(every, costs.nonzeros, np.maximum.accumulate(costs.nbytes))
    dense = costs.dense_seconds + costs.dense_nbytes / link
    slower = seconds + nbytes / link >= dense
    return int(np.argmax(slower)) if slower.any() else int(every[-1]) + 1


def stored(panel: Any, below: int) -> Any:
    """Task: return a panel with the tiles sparse that have fewer non-zeros than that; it counts all of them."""
    return panel.recode("light", threshold=below)
