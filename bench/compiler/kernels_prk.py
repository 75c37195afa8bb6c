"""The Parallel Research Kernels as plain functions for Numba; each checks its closed formula.

One call is one sweep. Left out: *synch_global* and *refcount*, which measure locks and barriers, and *AMR*, which is
the stencil at changing places.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .case import Kernel, cube, square
from .kernels_prk_data import KERNELS as DATA

#: sweeps of a check
SWEEPS = 4


def nstream(a, b, c, scalar):  # type: ignore[no-untyped-def]
    for i in range(len(a)):
        a[i] += b[i] + scalar * c[i]


def _nstream_arguments(n: int) -> tuple[Any, ...]:
    return np.zeros(n), np.full(n, 2.0), np.full(n, 2.0), 3.0


def _nstream_check(f: Callable[..., Any]) -> float:
    args = _nstream_arguments(100)
    for _ in range(SWEEPS):
        f(*args)
    return abs(float(args[0].sum()) / (8 * 100 * SWEEPS) - 1)


def stencil_star(a, b, weights, radius):  # type: ignore[no-untyped-def]
    n, m = a.shape
    for i in range(radius, n - radius):
        for j in range(radius, m - radius):
            for k in range(1, radius + 1):
                w = weights[k - 1]
                b[i, j] += w * (a[i, j + k] - a[i, j - k] + a[i + k, j] - a[i - k, j])
    for i in range(n):
        for j in range(m):
            a[i, j] += 1.0


def _star_arguments(n: int) -> tuple[Any, ...]:
    radius = 2
    weights = np.array([1 / (2 * k * radius) for k in range(1, radius + 1)])
    return np.add.outer(np.arange(n), np.arange(n)) * 1.0, np.zeros((n, n)), weights, radius


def stencil_grid(a, b, weights):  # type: ignore[no-untyped-def]
    n, m = a.shape
    r = weights.shape[0] // 2
    for i in range(r, n - r):
        for j in range(r, m - r):
            total = 0.0
            for di in range(-r, r + 1):
                for dj in range(-r, r + 1):
                    total += weights[di + r, dj + r] * a[i + di, j + dj]
            b[i, j] += total
    for i in range(n):
        for j in range(m):
            a[i, j] += 1.0


def _grid_arguments(n: int) -> tuple[Any, ...]:
    r = 2
    weights = np.zeros((2 * r + 1, 2 * r + 1))
    for j in range(1, r + 1):
        for i in range(-j + 1, j):
            weights[r + i, r + j] = weights[r + j, r + i] = 1 / (4 * j * (2 * j - 1) * r)
            weights[r + i, r - j] = weights[r - j, r + i] = -1 / (4 * j * (2 * j - 1) * r)
        weights[r + j, r + j], weights[r - j, r - j] = 1 / (4 * j * r), -1 / (4 * j * r)
    return np.add.outer(np.arange(n), np.arange(n)) * 1.0, np.zeros((n, n)), weights


def _stencil_check(arguments: Callable[[int], tuple[Any, ...]]) -> Callable[[Callable[..., Any]], float]:
    def check(f: Callable[..., Any]) -> float:
        n = 20
        args = arguments(n)
        for _ in range(SWEEPS):
            f(*args)
        return abs(float(np.abs(args[1]).sum()) / (n - 4) ** 2 - 2 * SWEEPS)

    return check


def transpose(a, b):  # type: ignore[no-untyped-def]
    n, m = a.shape
    for i in range(n):
        for j in range(m):
            b[i, j] += a[j, i]
            a[j, i] += 1.0


def transpose_tiled(a, b, tile):  # type: ignore[no-untyped-def]
    n = a.shape[0]
    for it in range(0, n, tile):
        for jt in range(0, n, tile):
            for i in range(it, min(n, it + tile)):
                for j in range(jt, min(n, jt + tile)):
                    b[i, j] += a[j, i]
                    a[j, i] += 1.0


def _transpose_arguments(n: int) -> tuple[Any, ...]:
    return np.arange(n * n, dtype=float).reshape(n, n), np.zeros((n, n))


def _transpose_check(*more: Any) -> Callable[[Callable[..., Any]], float]:
    def check(f: Callable[..., Any]) -> float:
        a, b = _transpose_arguments(30)
        expected = a.T * SWEEPS + SWEEPS * (SWEEPS - 1) / 2
        for _ in range(SWEEPS):
            f(a, b, *more)
        return float(np.abs(b - expected).sum())

    return check


def synch_p2p(grid):  # type: ignore[no-untyped-def]
    m, n = grid.shape
    for i in range(1, m):
        for j in range(1, n):
            grid[i, j] = grid[i - 1, j] + grid[i, j - 1] - grid[i - 1, j - 1]
    grid[0, 0] = -grid[m - 1, n - 1]


def _p2p_arguments(n: int) -> tuple[Any, ...]:
    grid = np.zeros((n, n))
    grid[0], grid[:, 0] = np.arange(n), np.arange(n)
    return (grid,)


def _p2p_check(f: Callable[..., Any]) -> float:
    (grid,) = _p2p_arguments(20)
    for _ in range(SWEEPS):
        f(grid)
    return abs(float(grid[-1, -1]) / (SWEEPS * 38) - 1)


def dgemm(a, b, c):  # type: ignore[no-untyped-def]
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                c[i, j] += a[i, k] * b[k, j]


def dgemm_blocked(a, b, c, block):  # type: ignore[no-untyped-def]
    n = a.shape[0]
    for it in range(0, n, block):
        for kt in range(0, n, block):
            for jt in range(0, n, block):
                for i in range(it, min(n, it + block)):
                    for k in range(kt, min(n, kt + block)):
                        for j in range(jt, min(n, jt + block)):
                            c[i, j] += a[i, k] * b[k, j]


def _dgemm_arguments(n: int) -> tuple[Any, ...]:
    a = np.tile(np.arange(n, dtype=float), (n, 1))
    return a, a.copy(), np.zeros((n, n))


def _dgemm_check(*more: Any) -> Callable[[Callable[..., Any]], float]:
    def check(f: Callable[..., Any]) -> float:
        n = 20
        args = _dgemm_arguments(n)
        for _ in range(SWEEPS):
            f(*args, *more)
        return abs(float(args[2].sum()) / (SWEEPS * n**3 * (n - 1) ** 2 / 4) - 1)

    return check


MIB = 1 << 20
KERNELS = (
    Kernel("nstream", nstream, _nstream_arguments, (1, 10, 57), True, 4000, 4 * MIB, check=_nstream_check, prk=True),
    Kernel(
        "stencil-star",
        stencil_star,
        _star_arguments,
        (5, 9, 16),
        True,
        90,
        3000,
        work=square,
        check=_stencil_check(_star_arguments),
        prk=True,
    ),
    Kernel(
        "stencil-grid",
        stencil_grid,
        _grid_arguments,
        (5, 9, 16),
        True,
        90,
        2000,
        work=square,
        check=_stencil_check(_grid_arguments),
        prk=True,
    ),
    Kernel(
        "transpose",
        transpose,
        _transpose_arguments,
        (1, 8, 21),
        True,
        90,
        3000,
        work=square,
        check=_transpose_check(),
        prk=True,
    ),
    Kernel(
        "transpose-tiled",
        transpose_tiled,
        lambda n: (*_transpose_arguments(n), 8),
        (8, 16, 21),
        True,
        90,
        3000,
        work=square,
        check=_transpose_check(8),
        prk=True,
    ),
    Kernel(
        "synch_p2p", synch_p2p, _p2p_arguments, (2, 7, 20), True, 120, 4000, work=square, check=_p2p_check, prk=True
    ),
    Kernel("dgemm", dgemm, _dgemm_arguments, (1, 6, 13), True, 60, 600, work=cube, check=_dgemm_check(), prk=True),
    Kernel(
        "dgemm-blocked",
        dgemm_blocked,
        lambda n: (*_dgemm_arguments(n), 32 if n > 32 else 4),
        (4, 8, 11),
        True,
        60,
        600,
        work=cube,
        check=_dgemm_check(32),
        prk=True,
    ),
    *DATA,
)
