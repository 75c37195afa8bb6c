"""Which tiles and cells are laid over the modified Graph500 matrix, and what its entries are worth.

Everything here is a pure function of the parameters and of positions in the matrix, so a panel comes out the same on
every worker, in every order and for every number of panels. Randomness is a hash of the position (a counter-based
generator): no stream has to be shared or skipped. Where the entries of the graph are is in `graph500_positions.py`.

A position is ``row * n + column``, int64.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

#: Numbers hashed at a time: they stay in the cache.
BLOCK = 1 << 15


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


@lru_cache(maxsize=64)
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


def dense_tiles(tiles: int, share: float, seed: int, start: int = 0, stop: int | None = None) -> NDArray[np.int64]:
    """Sorted numbers of the tiles that are overlaid: exactly ``round(share * tiles)`` of them, chosen at random.

    A larger share holds all tiles of a smaller one. Only those from `start` to `stop` are returned, in memory that
    depends on this range alone.

    Examples
    --------
    >>> few, many = dense_tiles(256, 0.1, 1), dense_tiles(256, 0.2, 1)
    >>> few.size, many.size, bool(np.isin(few, many).all())
    (26, 51, True)
    >>> bool((dense_tiles(256, 0.1, 1, 100, 200) == few[(few >= 100) & (few < 200)]).all())
    True
    """
    numbers = np.arange(start, tiles if stop is None else stop)
    chosen = round(share * tiles)
    if chosen == 0:
        return numbers[:0]
    return numbers[hash64(mixed_seed(seed, 1), numbers) <= np.uint64(_highest(tiles, chosen, mixed_seed(seed, 1)))]


@lru_cache(maxsize=16)
def _highest(tiles: int, chosen: int, seed: int) -> int:
    """Hash of the last of the tiles that are chosen, which are those with the lowest hashes; no two are alike.

    Two passes: how many hashes begin with each 16 bits, then the few that begin as the one sought.
    """
    blocks = [range(first, min(first + BLOCK, tiles)) for first in range(0, tiles, BLOCK)]
    counts = np.zeros(1 << 16, np.int64)
    for block in blocks:
        np.add.at(counts, hash64(seed, np.arange(block.start, block.stop)) >> np.uint64(48), 1)
    upto = np.cumsum(counts)
    first = int(np.searchsorted(upto, chosen))
    found = []
    for block in blocks:
        hashes = hash64(seed, np.arange(block.start, block.stop))
        found.append(hashes[hashes >> np.uint64(48) == first])
    rank = chosen - 1 - int(upto[first] - counts[first])
    return int(np.partition(np.concatenate(found), rank)[rank])


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
    key, low = mixed_seed(seed, 3), (1 << scale) - 1
    values = np.empty(positions.shape)
    flat, out = positions.reshape(-1), values.reshape(-1)
    for first in range(0, flat.size, BLOCK):
        block = flat[first : first + BLOCK]
        if symmetric:
            rows, columns = block >> scale, block & low
            block = (np.minimum(rows, columns) << scale) | np.maximum(rows, columns)
        bits = hash64(key, block)
        bits >>= np.uint64(11)
        bits += np.uint64(1)
        np.multiply(bits.view(np.int64), 2.0**-53, out=out[first : first + BLOCK])
    return values
