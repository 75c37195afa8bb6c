"""The random numbers of the Graph500 reference: a multiple recursive generator that can skip ahead.

Pure Python integers. This file covers seeding, single steps, and skipping by matrix powers; the edges made from
the numbers are in `kronecker.py` (Numba) and `kronecker_reference.py` (the same in plain Python).

The state is z = (z1, …, z5), each in [0, p) with p = 2³¹ − 1. One step computes
``n = (107374182·z1 + 104480·z5) mod p``, puts n in front and drops z5; n is the output. As a matrix, one step is
z ← A z mod p. Skipping over k outputs is therefore a product with Aᵏ, and all powers of A commute.

Source: graph500/graph500, branch `newreference` (3.0.1), `generator/splittable_mrg.c`.
"""

from __future__ import annotations

from functools import lru_cache, reduce

#: p, the Mersenne prime 2³¹ − 1.
MODULUS = 2**31 - 1
#: Multiplier of z1.
X = 107374182
#: Multiplier of z5.
Y = 104480

State = tuple[int, int, int, int, int]
Matrix = tuple[tuple[int, ...], ...]
#: How a random number r from 0 to 9999 chooses the next bit of (source, target): below the first threshold (0, 1),
#: below the second (1, 0), below the third (0, 0), else (1, 1).
Thresholds = tuple[int, int, int]

#: The initiator of the benchmark: .57, .19, .19, .05.
KRONECKER: Thresholds = (1900, 3800, 9500)
#: All four alike: any pair of vertices is as likely as any other.
UNIFORM: Thresholds = (2500, 5000, 7500)

#: A: one step of the generator.
STEP: Matrix = (
    (X, 0, 0, 0, Y),
    (1, 0, 0, 0, 0),
    (0, 1, 0, 0, 0),
    (0, 0, 1, 0, 0),
    (0, 0, 0, 1, 0),
)


def seed_state(seeds: tuple[int, int]) -> State:
    """State that two 64-bit user seeds stand for.

    Parameters
    ----------
    seeds : (int, int)
        Each in [0, 2⁶⁴).

    Returns
    -------
    tuple of 5 int
        z1, …, z5.

    Raises
    ------
    ValueError
        If a seed is out of range, or there are not exactly two.

    Examples
    --------
    >>> seed_state((2, 3))
    (3, 1, 4, 1, 1)
    """
    if len(seeds) != 2 or not all(0 <= s < 2**64 for s in seeds):
        raise ValueError(f"seeds is {seeds!r}; it must be two integers from 0 to 2**64 - 1")
    u, v = seeds
    mask = 2**30 - 1
    return (
        (u & mask) + 1,
        ((u >> 30) & mask) + 1,
        (v & mask) + 1,
        ((v >> 30) & mask) + 1,
        ((v >> 60) << 4) + (u >> 60) + 1,
    )


def step(z: State) -> State:
    """State after one more output; the output is its first entry.

    Examples
    --------
    >>> step((3, 1, 4, 1, 1))
    (322227026, 3, 1, 4, 1)
    """
    return ((X * z[0] + Y * z[4]) % MODULUS, z[0], z[1], z[2], z[3])


def multiply(a: Matrix, b: Matrix) -> Matrix:
    """Product of two 5 × 5 matrices modulo p."""
    columns = tuple(zip(*b, strict=True))
    return tuple(tuple(sum(x * y for x, y in zip(row, c, strict=True)) % MODULUS for c in columns) for row in a)


@lru_cache(maxsize=256)
def doubled(k: int) -> Matrix:
    """Square A k times: A to the power 2ᵏ.

    Examples
    --------
    >>> doubled(0) == STEP
    True
    """
    if k == 0:
        return STEP
    half = doubled(k - 1)
    return multiply(half, half)


def _bits(exponent: int) -> list[int]:
    """Which powers of two add up to the exponent."""
    if exponent < 0:
        raise ValueError(f"exponent is {exponent}; it must not be negative, the generator does not run backwards")
    return [k for k in range(exponent.bit_length()) if exponent >> k & 1]


@lru_cache(maxsize=64)
def power(exponent: int) -> Matrix:
    """Raise A to a power that may be astronomically large, by repeated squaring.

    Parameters
    ----------
    exponent : int
        Number of outputs to skip; not negative.

    Returns
    -------
    tuple of 5 tuples of 5 int

    Examples
    --------
    >>> power(1) == STEP
    True
    >>> power(2**64)[0]
    (1570064848, 1867098831, 1821129980, 465268938, 1884436091)
    """
    identity: Matrix = tuple(tuple(int(i == j) for j in range(5)) for i in range(5))
    return reduce(multiply, map(doubled, _bits(exponent)), identity)


def skip(z: State, exponent: int) -> State:
    """State after skipping over `exponent` outputs: one matrix times vector for each bit that is set.

    Examples
    --------
    >>> z = (3, 1, 4, 1, 1)
    >>> skip(z, 2) == step(step(z))
    True
    """
    for k in _bits(exponent):
        a, b, c, d, e = (sum(x * y for x, y in zip(row, z, strict=True)) % MODULUS for row in doubled(k))
        z = a, b, c, d, e
    return z


def scramble_words(seeds: tuple[int, int]) -> tuple[int, int]:
    """Two 64-bit words that parametrize the vertex scramble of this graph.

    They come from a far corner of the stream (A^(50·2¹²⁸ + 7·2⁶⁴)) that no edge ever reaches. The multiplier is
    2³² − 1 as in the reference, not 2³².

    Examples
    --------
    >>> scramble_words((2, 3))
    (7111014902169325161, 3043718919927570188)
    """
    z = skip(seed_state(seeds), 50 * 2**128 + 7 * 2**64)
    outputs = []
    for _ in range(4):
        z = step(z)
        outputs.append(z[0])
    o1, o2, o3, o4 = outputs
    return (o1 * 0xFFFFFFFF + o2) % 2**64, (o3 * 0xFFFFFFFF + o4) % 2**64
