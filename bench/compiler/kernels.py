"""Kernels for Numba beside the Parallel Research Kernels: what scientific programs are made of.

Plain functions without any annotation. Affine ones first: the compiler has to count them exactly. Then those whose work
depends on data, and those that call NumPy inside.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .case import Kernel, cube, square
from .kernels_data import KERNELS as DEPENDENT
from .kernels_prk import KERNELS as PRK


def _rng() -> np.random.Generator:
    return np.random.default_rng(1)


def _square(n: int) -> np.ndarray:
    """Return a matrix whose decompositions are harmless."""
    return _rng().random((n, n)) + n * np.eye(n)


def matvec(a, x, y):  # type: ignore[no-untyped-def]
    for i in range(a.shape[0]):
        total = 0.0
        for j in range(a.shape[1]):
            total += a[i, j] * x[j]
        y[i] = total


def triangular_solve(a, b):  # type: ignore[no-untyped-def]
    for i in range(len(b)):
        total = b[i]
        for j in range(i):
            total -= a[i, j] * b[j]
        b[i] = total / a[i, i]


def cholesky(a, result):  # type: ignore[no-untyped-def]
    for j in range(a.shape[0]):
        total = a[j, j]
        for k in range(j):
            total -= result[j, k] * result[j, k]
        result[j, j] = math.sqrt(total)
        for i in range(j + 1, a.shape[0]):
            total = a[i, j]
            for k in range(j):
                total -= result[i, k] * result[j, k]
            result[i, j] = total / result[j, j]


def lu(a, result):  # type: ignore[no-untyped-def]
    n = a.shape[0]
    for i in range(n):
        for j in range(n):
            result[i, j] = a[i, j]
    for k in range(n):
        for i in range(k + 1, n):
            result[i, k] /= result[k, k]
            for j in range(k + 1, n):
                result[i, j] -= result[i, k] * result[k, j]


def syrk(a, c):  # type: ignore[no-untyped-def]
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(i + 1):
                c[i, j] += a[i, k] * a[j, k]


def nbody(position, force):  # type: ignore[no-untyped-def]
    n = position.shape[0]
    for i in range(n):
        for j in range(i):
            dx = position[i, 0] - position[j, 0]
            dy = position[i, 1] - position[j, 1]
            dz = position[i, 2] - position[j, 2]
            r2 = dx * dx + dy * dy + dz * dz + 0.01
            s = 1.0 / (r2 * math.sqrt(r2))
            force[i, 0] += s * dx
            force[i, 1] += s * dy
            force[i, 2] += s * dz
            force[j, 0] -= s * dx
            force[j, 1] -= s * dy
            force[j, 2] -= s * dz


def jacobi(a, b):  # type: ignore[no-untyped-def]
    for i in range(1, a.shape[0] - 1):
        for j in range(1, a.shape[1] - 1):
            b[i, j] = 0.25 * (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1])


def heat(a, b, c):  # type: ignore[no-untyped-def]
    n, m, k = a.shape
    for x in range(1, n - 1):
        for y in range(1, m - 1):
            for z in range(1, k - 1):
                around = a[x - 1, y, z] + a[x + 1, y, z] + a[x, y - 1, z] + a[x, y + 1, z]
                around += a[x, y, z - 1] + a[x, y, z + 1]
                b[x, y, z] = a[x, y, z] + c * (around - 6.0 * a[x, y, z])


def convolve(signal, taps, out):  # type: ignore[no-untyped-def]
    for i in range(len(signal) - len(taps) + 1):
        total = 0.0
        for k in range(len(taps)):
            total += signal[i + k] * taps[len(taps) - 1 - k]
        out[i] = total


def horner(x, coefficients, y):  # type: ignore[no-untyped-def]
    for i in range(len(x)):
        value = 0.0
        for k in range(len(coefficients)):
            value = value * x[i] + coefficients[k]
        y[i] = value


def logistic(x, steps):  # type: ignore[no-untyped-def]
    for i in range(len(x)):
        value = x[i]
        for _ in range(steps):
            value = 3.7 * value * (1.0 - value)
        x[i] = value


def prefix_sum(x):  # type: ignore[no-untyped-def]
    for i in range(1, len(x)):
        x[i] += x[i - 1]


def red_black(a, b):  # type: ignore[no-untyped-def]
    for colour in range(2):
        for i in range(1, a.shape[0] - 1):
            for j in range(1, a.shape[1] - 1, 2):
                a[i, j] = 0.2 * (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1] + b[i, j]) + 0.01 * colour


def softmax(x, out):  # type: ignore[no-untyped-def]
    for i in range(x.shape[0]):
        total = 0.0
        for j in range(x.shape[1]):
            out[i, j] = math.exp(x[i, j])
            total += out[i, j]
        for j in range(x.shape[1]):
            out[i, j] /= total


def ellpack(columns, values, x, y):  # type: ignore[no-untyped-def]
    for i in range(values.shape[0]):
        total = 0.0
        for k in range(values.shape[1]):
            total += values[i, k] * x[columns[i, k]]
        y[i] = total


def scatter(rows, columns, values, x, y):  # type: ignore[no-untyped-def]
    for k in range(len(values)):
        y[rows[k]] += values[k] * x[columns[k]]


def complex_axpy(alpha, x, y):  # type: ignore[no-untyped-def]
    for i in range(len(x)):
        y[i] = y[i] + alpha * x[i]


def _vectors(n: int) -> tuple[Any, ...]:
    return _square(n), np.ones(n), np.zeros(n)


def _solve(n: int) -> tuple[Any, ...]:
    return _square(n), np.ones(n)


def _two(n: int) -> tuple[Any, ...]:
    return _square(n), np.zeros((n, n))


def _bodies(n: int) -> tuple[Any, ...]:
    return _rng().random((n, 3)), np.zeros((n, 3))


def _cubes(n: int) -> tuple[Any, ...]:
    return _rng().random((n, n, n)), np.zeros((n, n, n)), 0.1


def _signal(n: int) -> tuple[Any, ...]:
    return _rng().random(n + 63), np.ones(64) / 64, np.zeros(n)


def _horner(n: int) -> tuple[Any, ...]:
    return _rng().random(n), np.ones(4), np.zeros(n)


def _ellpack(n: int) -> tuple[Any, ...]:
    return _rng().integers(0, n, (n, 8)), np.ones((n, 8)), np.ones(n), np.zeros(n)


def _scatter(n: int) -> tuple[Any, ...]:
    rows = _rng().integers(0, n, 4 * n)
    return rows, rows[::-1].copy(), np.ones(4 * n), np.ones(n), np.zeros(n)


AFFINE = (
    Kernel("matvec", matvec, _vectors, (1, 7, 20), True, 100, 3000, work=square),
    Kernel("triangular-solve", triangular_solve, _solve, (1, 7, 20), True, 120, 4000, work=square),
    Kernel("cholesky", cholesky, _two, (1, 6, 15), True, 60, 600, work=cube),
    Kernel("lu", lu, _two, (1, 6, 15), True, 60, 700, work=cube),
    Kernel("syrk", syrk, _two, (1, 6, 15), True, 60, 600, work=cube),
    Kernel("nbody", nbody, _bodies, (1, 6, 15), True, 400, 4000, work=square),
    Kernel("jacobi", jacobi, _two, (2, 9, 20), True, 100, 3000, work=square),
    Kernel("heat-3d", heat, _cubes, (2, 5, 9), True, 22, 220, work=cube),
    Kernel("convolve", convolve, _signal, (1, 9, 20), True, 4000, 1 << 19),
    Kernel("horner", horner, _horner, (1, 9, 20), True, 4000, 1 << 23),
    Kernel("logistic", logistic, lambda n: (_rng().random(n), 100), (1, 9, 20), True, 4000, 1 << 17),
    Kernel("prefix-sum", prefix_sum, lambda n: (np.zeros(n),), (1, 9, 20), True, 8000, 1 << 23),
    Kernel("red-black", red_black, _two, (4, 9, 20), True, 100, 3000, work=square),
    Kernel("softmax", softmax, _two, (1, 9, 20), True, 100, 1500, work=square),
    Kernel("ellpack", ellpack, _ellpack, (1, 9, 20), True, 600, 1 << 20),
    Kernel("scatter", scatter, _scatter, (1, 9, 20), True, 500, 1 << 20),
    Kernel(
        "complex-axpy", complex_axpy, lambda n: (1j, np.ones(n) * 1j, np.ones(n) * 1j), (1, 9, 20), True, 2000, 1 << 22
    ),
)
KERNELS = (*PRK, *AFFINE, *DEPENDENT)
