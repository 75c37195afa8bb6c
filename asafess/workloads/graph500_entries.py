"""Where the entries of the modified Graph500 matrix are, and what they are worth.

Everything here is a pure function of the parameters and of positions in the matrix, so a panel comes out the same on
every worker, in every order and for every number of panels. Randomness is a hash of the position (a counter-based
generator): no stream has to be shared or skipped.

A position is ``row * n + column``, int64.
"""

from __future__ import annotations

import threading
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from asafess.workloads.graph500_edges import Order, edges

_lock = threading.Lock()


def hash64(seed: int, positions: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Hash positions to 64 uniformly distributed bits each (the output function of SplitMix64).

    Parameters
    ----------
    seed : int
        Any integer; only its residue modulo 2**64 counts.
    positions : ndarray of int64, any shape

    Returns
    -------
    ndarray of uint64, same shape

    Examples
    --------
    The second output of SplitMix64 seeded with 0 is the hash of position 2:

    >>> hex(hash64(0, np.array([2]))[0])
    '0x6e789e6aa1b965f4'
    """
    h = positions.astype(np.uint64)
    h *= np.uint64(0x9E3779B97F4A7C15)
    h += np.uint64(seed % 2**64)
    h ^= h >> np.uint64(30)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(27)
    h *= np.uint64(0x94D049BB133111EB)
    h ^= h >> np.uint64(31)
    return h


def mixed_seed(*parts: int) -> int:
    """One 64-bit seed from several, so that (2, 3) and (3, 2) differ.

    Examples
    --------
    >>> mixed_seed(2, 3) != mixed_seed(3, 2)
    True
    """
    seed = 0
    for part in parts:
        seed = int(hash64(seed ^ part, np.array([1]))[0])
    return seed


def graph_positions(
    scale: int, edge_factor: int, seeds: tuple[int, int], order: Order, symmetrize: bool
) -> NDArray[np.int64]:
    """Sorted positions of the graph's entries, each once; kept for the last few graphs of this process.

    Parameters
    ----------
    scale, edge_factor, seeds, order
        As in `asafess.workloads.graph500.edges`.
    symmetrize : bool
        True: drop self-loops and store both triangles. False: the list as generated, self-loops included.

    Returns
    -------
    ndarray of int64, shape (entries,)
        Read-only.

    Examples
    --------
    >>> graph_positions(1, 16, (2, 3), "recursive", True)
    array([1, 2])
    """
    with _lock:  # threads of one worker ask at the same time; one of them generates
        return _graph_positions(scale, edge_factor, seeds, order, symmetrize)


@lru_cache(maxsize=2)
def _graph_positions(
    scale: int, edge_factor: int, seeds: tuple[int, int], order: Order, symmetrize: bool
) -> NDArray[np.int64]:
    source, target = edges(scale, edge_factor, seeds, order=order).T
    if symmetrize:
        proper = source != target
        source, target = source[proper], target[proper]
        source, target = np.concatenate([source, target]), np.concatenate([target, source])
    positions = np.unique((source << scale) | target)
    positions.flags.writeable = False
    return positions


@lru_cache(maxsize=16)
def dense_tiles(tiles: int, share: float, seed: int) -> NDArray[np.int64]:
    """Sorted numbers of the tiles that are overlaid: exactly ``round(share * tiles)`` of them, chosen at random.

    A larger share holds all tiles of a smaller one.

    Examples
    --------
    >>> few, many = dense_tiles(256, 0.1, 1), dense_tiles(256, 0.2, 1)
    >>> few.size, many.size, bool(np.isin(few, many).all())
    (26, 51, True)
    """
    rank = np.argsort(hash64(mixed_seed(seed, 1), np.arange(tiles)), kind="stable")
    chosen = np.sort(rank[: round(share * tiles)])
    chosen.flags.writeable = False
    return chosen


def present(positions: NDArray[np.int64], fill: float, seed: int) -> NDArray[np.bool_]:
    """Tell which cells of dense tiles are stored: each with probability `fill`.

    Examples
    --------
    >>> present(np.arange(4), 1.0, seed=1)
    array([ True,  True,  True,  True])
    """
    # 53 bits, because a share of 2**64 is not exact in a float
    bits = hash64(mixed_seed(seed, 2), positions) >> np.uint64(11)
    return np.asarray(bits < np.uint64(fill * 2.0**53))


def random_values(positions: NDArray[np.int64], scale: int, seed: int, symmetric: bool) -> NDArray[np.float64]:
    """Return values in (0, 1], never zero, each a function of its position alone.

    With `symmetric`, (i, j) and (j, i) have the same value.

    Examples
    --------
    >>> v = random_values(np.array([1, 2]), scale=1, seed=7, symmetric=True)
    >>> bool(v[0] == v[1]), bool(0 < v[0] <= 1)
    (True, True)
    """
    if symmetric:
        rows, columns = positions >> scale, positions & ((1 << scale) - 1)
        positions = (np.minimum(rows, columns) << scale) | np.maximum(rows, columns)
    bits = hash64(mixed_seed(seed, 3), positions)
    bits >>= np.uint64(11)
    bits += np.uint64(1)
    return bits.astype(np.float64) * 2.0**-53
