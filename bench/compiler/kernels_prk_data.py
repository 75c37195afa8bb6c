"""The Parallel Research Kernels whose work is indices, integers and particles; see `kernels_prk.py`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from .case import Kernel

#: sweeps of a check
SWEEPS = 4


def sparse(indptr, indices, values, x, y):  # type: ignore[no-untyped-def]
    for j in range(len(x)):
        x[j] += j + 1
    for i in range(len(y)):
        total = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            total += values[k] * x[indices[k]]
        y[i] += total


def _sparse_arguments(size: int) -> tuple[Any, ...]:
    """Return the periodic star of radius 4 on a grid of 2^size × 2^size, its columns scrambled by bit reversal."""
    edge, radius = 1 << size, 4
    rows = np.arange(edge * edge)
    i, j = np.divmod(rows, edge)
    columns = [rows]
    for k in range(1, radius + 1):
        columns += [((i + d) % edge) * edge + j for d in (k, -k)] + [i * edge + (j + d) % edge for d in (k, -k)]
    bits = np.stack(columns, axis=1)
    scrambled = np.zeros_like(bits)
    for bit in range(2 * size):
        scrambled |= ((bits >> bit) & 1) << (2 * size - 1 - bit)
    scrambled.sort(axis=1)
    indices = scrambled.ravel()
    indptr = np.arange(0, indices.size + 1, 4 * radius + 1)
    return indptr, indices, 1 / (indices + 1.0), np.zeros(len(rows)), np.zeros(len(rows))


def _sparse_check(f: Callable[..., Any]) -> float:
    args = _sparse_arguments(4)
    for _ in range(SWEEPS):
        f(*args)
    return abs(float(args[-1].sum()) - len(args[1]) * SWEEPS * (SWEEPS + 1) / 2)


def reduce(vectors, ones):  # type: ignore[no-untyped-def]
    ranks, n = vectors.shape
    for p in range(ranks):
        for i in range(n):
            vectors[p, i] += ones[p, i]
    for p in range(1, ranks):
        for i in range(n):
            vectors[0, i] += vectors[p, i]


def _reduce_arguments(n: int) -> tuple[Any, ...]:
    return np.ones((4, n)), np.ones((4, n))


def _reduce_check(f: Callable[..., Any]) -> float:
    vectors, ones = _reduce_arguments(10)
    for _ in range(SWEEPS):
        f(vectors, ones)
    it = SWEEPS - 1
    return float(np.abs(vectors[0] - (it + 2 + (it * it + 5 * it + 4) * 3 / 2)).max())


def random(table, starts, updates):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(table) - 1)
    for v in range(len(starts)):
        x = starts[v]
        for _ in range(updates):
            x = (x << np.uint64(1)) ^ (np.uint64(7) * (x >> np.uint64(63)))
            table[x & mask] ^= x


def _random_arguments(size: int) -> tuple[Any, ...]:
    table = np.arange(1 << size, dtype=np.uint64)
    return table, np.arange(1, 17, dtype=np.uint64) << np.uint64(40), 1 << (size - 2)


def _random_check(f: Callable[..., Any]) -> float:
    args = _random_arguments(8)
    before = args[0].copy()
    f(*args)
    f(*args)  # the same updates again restore the table
    return float(np.count_nonzero(args[0] != before))


def branch(vector, sign):  # type: ignore[no-untyped-def]
    for i in range(len(vector)):
        if vector[i] > 0:
            vector[i] -= 2 * vector[i]
        else:
            vector[i] -= 2 * sign * (3 - (i & 7))


def branch_free(vector, sign):  # type: ignore[no-untyped-def]
    for i in range(len(vector)):
        vector[i] -= 2 * sign * (3 - (i & 7))


def _branch_arguments(n: int) -> tuple[Any, ...]:
    return 3 - (np.arange(n) & 7), 1


def _branch_check(f: Callable[..., Any]) -> float:
    n = 37
    vector, _ = _branch_arguments(n)
    for sweep in range(3):
        f(vector, (-1) ** sweep)
    return abs(float(vector.sum()) - ((n % 8) * (n % 8 - 8) + n) / 2)


@numba.njit
def _force(x, y, q1, q2):  # type: ignore[no-untyped-def]
    r2 = x * x + y * y
    r = math.sqrt(r2)
    f = q1 * q2 / r2
    return f * x / r, f * y / r


def pic(charges, x, y, vx, vy, q):  # type: ignore[no-untyped-def]
    edge = charges.shape[0] - 1
    for p in range(len(x)):
        i, j = int(x[p]), int(y[p])
        dx, dy = x[p] - i, y[p] - j
        ax1, ay1 = _force(dx, dy, q[p], charges[j, i])
        ax2, ay2 = _force(dx, 1.0 - dy, q[p], charges[j + 1, i])
        ax3, ay3 = _force(1.0 - dx, dy, q[p], charges[j, i + 1])
        ax4, ay4 = _force(1.0 - dx, 1.0 - dy, q[p], charges[j + 1, i + 1])
        ax = ax1 + ax2 - ax3 - ax4
        ay = ay1 - ay2 + ay3 - ay4
        x[p] = (x[p] + vx[p] + 0.5 * ax + edge) % edge
        y[p] = (y[p] + vy[p] + 0.5 * ay + edge) % edge
        vx[p] += ax
        vy[p] += ay


def _pic_arguments(n: int) -> tuple[Any, ...]:
    edge, base, speed = 16, 0.35355339059327373, 1.0
    charges = np.where(np.arange(edge + 1) % 2 == 0, 1.0, -1.0) * np.ones((edge + 1, 1))
    column, row = np.arange(n) % edge, (np.arange(n) // edge) % edge
    sign = np.where(column % 2 == 0, 1.0, -1.0)
    return charges, column + 0.5, row + 0.5, np.zeros(n), np.full(n, speed), sign * base


def _pic_check(f: Callable[..., Any]) -> float:
    args = _pic_arguments(64)
    x0, y0 = args[1].copy(), args[2].copy()
    for _ in range(SWEEPS):
        f(*args)
    off = [args[1] - (x0 + SWEEPS) % 16, args[2] - (y0 + SWEEPS) % 16]
    return float(np.abs(off).max()) / 100  # the reference allows 1e-6 here, 1e-8 elsewhere


MIB = 1 << 20
KERNELS = (
    Kernel(
        "sparse", sparse, _sparse_arguments, (4, 5), False, 5, 10, work=lambda n: 4.0**n, check=_sparse_check, prk=True
    ),
    Kernel("reduce", reduce, _reduce_arguments, (1, 10, 33), True, 1000, MIB, check=_reduce_check, prk=True),
    Kernel(
        "random", random, _random_arguments, (4, 7), True, 12, 23, work=lambda n: 2.0**n, check=_random_check, prk=True
    ),
    Kernel("branch", branch, _branch_arguments, (8, 37), False, 8000, 8 * MIB, check=_branch_check, prk=True),
    Kernel("branch-free", branch_free, _branch_arguments, (8, 37), True, 8000, 8 * MIB, check=_branch_check, prk=True),
    Kernel("pic", pic, _pic_arguments, (16, 40), True, 1000, MIB, check=_pic_check, prk=True),
)
