"""Edges of the Graph500 generator in plain Python: the oracle for `kronecker.py`.

Every edge skips ahead from the seeded state on its own, so nothing here shares the incremental skip, the folding
modulo p, or the machine arithmetic of the kernel. About 2 000 edges per second.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asafess.kernels.recursive_generator import KRONECKER, Thresholds, scramble_words, seed_state, skip, step


def bit_reverse(v: int) -> int:
    """Put the 64 bits of a word in opposite order.

    Examples
    --------
    >>> bit_reverse(1) == 2**63
    True
    """
    return int(f"{v:064b}"[::-1], 2)


def scramble(v: int, scale: int, words: tuple[int, int]) -> int:
    """Where the reference moves vertex `v` of 2**scale: a bijection on the low `scale` bits.

    Examples
    --------
    >>> [scramble(v, 2, (7111014902169325161, 3043718919927570188)) for v in range(4)]
    [1, 2, 3, 0]
    """
    a, b = words
    v = (v + a + b) % 2**64
    v = bit_reverse(v * (a | 0x4519840211493211) % 2**64) >> (64 - scale)
    return bit_reverse(v * (b | 0x3050852102C843A5) % 2**64) >> (64 - scale)


def edge(e: int, scale: int, seeds: tuple[int, int], thresholds: Thresholds = KRONECKER) -> tuple[int, int]:
    """Edge number `e` before the scramble; source ≤ target always.

    Examples
    --------
    >>> edge(0, 6, (2, 3))
    (2, 24)
    """
    z = skip(seed_state(seeds), e * 2**64)
    right, down, stay = thresholds
    source = target = 0
    for _ in range(scale):
        z = step(z)
        while z[0] < 3647:  # p mod 10000: rejected, so that the remainder below is unbiased
            z = step(z)
        r = z[0] % 10000
        s, t = (0, 1) if r < right else (1, 0) if r < down else (0, 0) if r < stay else (1, 1)
        if source == target and s > t:  # clip and flip: only the upper triangle is produced
            s, t = t, s
        source, target = 2 * source + s, 2 * target + t
    return source, target


def edges(
    scale: int,
    seeds: tuple[int, int],
    start: int,
    count: int,
    scrambled: bool = True,
    thresholds: Thresholds = KRONECKER,
) -> NDArray[np.int64]:
    """Edges `start` to `start + count`, shape (count, 2), int64; see `kronecker.edges`.

    Examples
    --------
    >>> edges(6, (2, 3), 0, 2)
    array([[50, 43],
           [15, 17]])
    """
    out = np.empty((count, 2), dtype=np.int64)
    words = scramble_words(seeds)
    for i in range(count):
        pair = edge(start + i, scale, seeds, thresholds)
        out[i] = [scramble(v, scale, words) for v in pair] if scrambled else pair
    return out
