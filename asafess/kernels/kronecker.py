"""Edges of the Graph500 Kronecker generator, bit for bit those of the reference code.

An edge is a pure function of (seeds, scale, edge number), so any range may be made anywhere, in any order and by any
number of threads. The random numbers of one edge wait for each other; those of different edges do not. So a kernel
makes `LANES` consecutive edges side by side, in loops that compile to vector instructions, and goes on from edge e to
edge e + LANES with the fixed matrix A^(LANES · 2⁶⁴). A number is rejected once in 600 000 draws; the edges of such a
group are then made once more, one by one.

Everything is unsigned: Numba turns uint64 mixed with a signed integer silently into float64. The kernel releases the
GIL. `kronecker_reference.py` says the same in plain Python. How fast it is: ``python -m bench.generator``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from asafess.kernels.jit import SIZE, Kernel, incoming, inner, outgoing
from asafess.kernels.recursive_generator import KRONECKER, Thresholds, power, scramble_words, seed_state, skip
from asafess.kernels.threads import default_threads, spread

#: Edges made side by side.
LANES = 64
#: Edges that a thread makes before it takes more: some milliseconds.
CHUNK = 1 << 17
#: A thread's share of a long list is cut into at most so many.
MOST_CHUNKS = 16

_P = np.uint64(2**31 - 1)
_X = np.uint64(107374182)
_Y = np.uint64(104480)
_ZERO, _ONE = np.uint64(0), np.uint64(1)
_BITS31, _BITS64 = np.uint64(31), np.uint64(64)
_REJECT, _RANGE = np.uint64(3647), np.uint64(10000)
# n // 10000 for any n below 2**32, without a division
_INVERSE, _BITS45 = np.uint64(3518437209), np.uint64(45)
_OR0, _OR1 = np.uint64(0x4519840211493211), np.uint64(0x3050852102C843A5)
_S1, _M1 = np.uint64(1), np.uint64(0x5555555555555555)
_S2, _M2 = np.uint64(2), np.uint64(0x3333333333333333)
_S4, _M4 = np.uint64(4), np.uint64(0x0F0F0F0F0F0F0F0F)
_S8, _M8 = np.uint64(8), np.uint64(0x00FF00FF00FF00FF)
_S16, _M16 = np.uint64(16), np.uint64(0x0000FFFF0000FFFF)
_S32 = np.uint64(32)


@inner
def _mod(x: Any) -> Any:
    """Reduce any 64-bit x modulo p: 2³¹ ≡ 1, so fold twice and subtract at most once."""
    x = (x & _P) + (x >> _BITS31)
    x = (x & _P) + (x >> _BITS31)
    return x - _P if x >= _P else x


@inner
def _reverse(v: Any) -> Any:
    """Put the 64 bits of a word in opposite order."""
    v = ((v >> _S1) & _M1) | ((v & _M1) << _S1)
    v = ((v >> _S2) & _M2) | ((v & _M2) << _S2)
    v = ((v >> _S4) & _M4) | ((v & _M4) << _S4)
    v = ((v >> _S8) & _M8) | ((v & _M8) << _S8)
    v = ((v >> _S16) & _M16) | ((v & _M16) << _S16)
    return (v >> _S32) | (v << _S32)


@inner
def _scramble(v: Any, word0: Any, word1: Any, shift: Any) -> Any:
    """Where the reference moves a vertex."""
    v = _reverse((v + word0 + word1) * (word0 | _OR0)) >> shift
    return _reverse(v * (word1 | _OR1)) >> shift


@inner
def _descend(source: Any, target: Any, n: Any, t: Any) -> Any:
    """Both ends after one more level, chosen by the random number n and the thresholds t."""
    r = n - ((n * _INVERSE) >> _BITS45) * _RANGE
    both = np.uint64(r >= t[2])
    down = np.uint64((r >= t[0]) & (r < t[1]))
    right = np.uint64(r < t[0])
    # Clip and flip: while the prefixes are equal, a step below the diagonal is taken above it.
    flip = down & np.uint64(source == target)
    return (source << _ONE) | both | (down ^ flip), (target << _ONE) | both | right | flip


@inner
def _alone(z: Any, lane: int, scale: int, t: Any) -> Any:
    """Both ends of the edge that starts at the state in one lane, rejecting numbers where the reference does."""
    a, b, c, d, f = _ZERO + z[0, lane], _ZERO + z[1, lane], _ZERO + z[2, lane], _ZERO + z[3, lane], _ZERO + z[4, lane]
    source, target = _ZERO, _ZERO
    level = 0
    while level < scale:
        a, b, c, d, f = _mod(_X * a + _Y * f), a, b, c, d
        if a >= _REJECT:
            source, target = _descend(source, target, a, t)
            level += 1
    return source, target


def _edges(states: Any, jump: Any, words: Any, thresholds: Any, scale: int, scrambled: bool, out: Any) -> None:
    """Fill out (count, 2).

    The first `LANES` edges start at `states`, (5, LANES), those that follow at jump times these, and so on.
    """
    z, moved = np.empty((5, LANES), np.uint32), np.empty((5, LANES), np.uint32)
    draws = np.empty((5 + scale, LANES), np.uint32)
    source, target = np.empty(LANES, np.uint64), np.empty(LANES, np.uint64)
    word0, word1, shift = words[0], words[1], _BITS64 - np.uint64(scale)
    t = thresholds[0], thresholds[1], thresholds[2]
    count = out.shape[0]
    for i in range(5):
        for lane in range(LANES):
            z[i, lane] = states[i, lane]
    for first in range(0, count, LANES):
        for i in range(5):
            for lane in range(LANES):
                draws[i, lane] = z[4 - i, lane]
        for lane in range(LANES):
            source[lane], target[lane] = _ZERO, _ZERO
        lowest = np.uint32(_P)
        for level in range(scale):
            for lane in range(LANES):
                n = _mod(_X * draws[level + 4, lane] + _Y * draws[level, lane])
                draws[level + 5, lane] = n
                lowest = min(lowest, np.uint32(n))
            for lane in range(LANES):
                n = _ZERO + draws[level + 5, lane]
                source[lane], target[lane] = _descend(source[lane], target[lane], n, t)
        if lowest < _REJECT:
            for lane in range(LANES):
                source[lane], target[lane] = _alone(z, lane, scale, t)
        if scrambled:
            for lane in range(LANES):
                source[lane] = _scramble(source[lane], word0, word1, shift)
                target[lane] = _scramble(target[lane], word0, word1, shift)
        for lane in range(min(LANES, count - first)):
            out[first + lane, 0], out[first + lane, 1] = source[lane], target[lane]
        for i in range(5):
            j0, j1, j2, j3, j4 = jump[i, 0], jump[i, 1], jump[i, 2], jump[i, 3], jump[i, 4]
            for lane in range(LANES):
                # Four products of residues fit in 64 bits; the fifth is added after folding.
                n = _mod(j0 * z[0, lane] + j1 * z[1, lane] + j2 * z[2, lane] + j3 * z[3, lane])
                moved[i, lane] = _mod(n + j4 * z[4, lane])
        z, moved = moved, z


#: Fills edges; the one combination of data types is that of the vertex numbers.
EDGES = Kernel(
    _edges,
    lambda vertex: (
        incoming(np.uint64, 2),
        incoming(np.uint64, 2),
        incoming(np.uint64),
        incoming(np.uint64),
        SIZE,
        types.boolean,
        outgoing(vertex, 2),
    ),
)


def edges(
    scale: int,
    seeds: tuple[int, int],
    start: int,
    count: int,
    scrambled: bool = True,
    thresholds: Thresholds = KRONECKER,
    threads: int | None = None,
) -> NDArray[np.int64]:
    """Edges number `start` to `start + count` of a Kronecker graph of 2**scale vertices.

    Parameters
    ----------
    scale : int
        Binary logarithm of the number of vertices, 1 to 62.
    seeds : (int, int)
        The two 64-bit user seeds.
    start, count : int
        The range of edge numbers; they are not limited by an edge factor here.
    scrambled : bool
        Send both ends through the vertex scramble of the reference. Without it the recursive order remains, and
        source ≤ target.
    thresholds : (int, int, int)
        Of the initiator, see `recursive_generator.Thresholds`.
    threads : int, optional
        Threads that share the work; by default `threads.default_threads`. The edges do not depend on it.

    Returns
    -------
    ndarray of int64, shape (count, 2)

    Examples
    --------
    >>> edges(6, (2, 3), 0, 2)
    array([[50, 43],
           [15, 17]])
    """
    kernel = EDGES[np.int64]
    words, limits = np.array(scramble_words(seeds), dtype=np.uint64), np.array(thresholds, dtype=np.uint64)
    threads = default_threads() if threads is None else threads
    size = CHUNK if threads > 1 else max(count, 1)
    while size * MOST_CHUNKS * threads < count:
        size *= 2
    firsts = range(0, count, size)
    states = np.array(skip(seed_state(seeds), start * 2**64), dtype=np.uint64)[:, None]
    states = _continued(_continued(states, LANES, 1), len(firsts), size)
    jump = _matrix(LANES)
    out = np.empty((count, 2), dtype=np.int64)

    def fill(first: int) -> None:
        column = first // size * LANES
        begin = np.ascontiguousarray(states[:, column : column + LANES])
        kernel(begin, jump, words, limits, scale, scrambled, out[first : first + size])

    spread(fill, firsts, threads)
    return out


def _matrix(edges: int) -> NDArray[np.uint64]:
    """Return what takes the state of an edge to that of the one so many further on, (5, 5)."""
    return np.array(power(edges * 2**64), dtype=np.uint64)


def _continued(states: NDArray[np.uint64], times: int, by: int) -> NDArray[np.uint64]:
    """Return states (5, k), followed by those `by` edges further on, 2 · by edges, and so on: (5, k · times)."""
    width, done = states.shape[1] * times, 1
    while done < times:
        moved = (_matrix(by * done)[:, :, None] * states % _P).sum(axis=1, dtype=np.uint64) % _P
        states, done = np.hstack([states, moved]), 2 * done
    return states[:, :width]
