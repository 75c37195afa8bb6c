"""Kernels whose work depends on data, or that call NumPy inside; see `kernels.py`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .case import Kernel, cube, square


def spmm(indptr, indices, values, x, y):  # type: ignore[no-untyped-def]
    for i in range(y.shape[0]):
        for k in range(indptr[i], indptr[i + 1]):
            for j in range(x.shape[1]):
                y[i, j] += values[k] * x[indices[k], j]


def pagerank(indptr, indices, degree, rank, new, damping):  # type: ignore[no-untyped-def]
    n = len(rank)
    for i in range(n):
        total = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            total += rank[indices[k]] / degree[indices[k]]
        new[i] = (1.0 - damping) / n + damping * total


def histogram(x, counts):  # type: ignore[no-untyped-def]
    bins = len(counts)
    for i in range(len(x)):
        k = int(x[i] * bins)
        if 0 <= k < bins:
            counts[k] += 1


def mandelbrot(re, im, limit, out):  # type: ignore[no-untyped-def]
    for i in range(len(re)):
        x, y, steps = 0.0, 0.0, 0
        while steps < limit and x * x + y * y < 4.0:
            x, y = x * x - y * y + re[i], 2.0 * x * y + im[i]
            steps += 1
        out[i] = steps


def newton(x, out):  # type: ignore[no-untyped-def]
    for i in range(len(x)):
        guess = x[i]
        while abs(guess * guess - x[i]) > 1e-12 * x[i]:
            guess = 0.5 * (guess + x[i] / guess)
        out[i] = guess


def relax(distance, k):  # type: ignore[no-untyped-def]
    """Do one step of Floyd and Warshall."""
    n = distance.shape[0]
    for i in range(n):
        for j in range(n):
            through = distance[i, k] + distance[k, j]
            if through < distance[i, j]:
                distance[i, j] = through


def positive_sum(x):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(len(x)):
        if x[i] > 0.0:
            total += x[i] * x[i]
    return total


def bisect(sorted_, wanted, found):  # type: ignore[no-untyped-def]
    for i in range(len(wanted)):
        low, high = 0, len(sorted_)
        while low < high:
            middle = (low + high) // 2
            if sorted_[middle] < wanted[i]:
                low = middle + 1
            else:
                high = middle
        found[i] = low


def norm(x):  # type: ignore[no-untyped-def]
    return math.sqrt(np.sum(x * x))


def smooth(a, b):  # type: ignore[no-untyped-def]
    b[1:-1] = 0.5 * (a[:-2] + a[2:])


def standardize(a, out):  # type: ignore[no-untyped-def]
    for i in range(a.shape[0]):
        row = a[i]
        mean = np.sum(row) / len(row)
        out[i, :] = row - mean


def gram(a, out):  # type: ignore[no-untyped-def]
    for i in range(a.shape[0]):
        for j in range(a.shape[0]):
            out[i, j] = np.dot(a[i], a[j])


def product(a, b):  # type: ignore[no-untyped-def]
    return np.dot(a, b)


def wave(x, out):  # type: ignore[no-untyped-def]
    out[:] = np.sin(x) * np.exp(-x)


def _rng() -> np.random.Generator:
    return np.random.default_rng(2)


def _csr(n: int, per_row: int = 8) -> tuple[Any, ...]:
    """Return a matrix whose rows are uneven: on average `per_row` entries, some none, some many."""
    lengths = _rng().poisson(per_row, n)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    return indptr, _rng().integers(0, n, indptr[-1])


def _spmm(n: int) -> tuple[Any, ...]:
    indptr, indices = _csr(n)
    return indptr, indices, np.ones(len(indices)), np.ones((n, 16)), np.zeros((n, 16))


def _pagerank(n: int) -> tuple[Any, ...]:
    return *_csr(n), np.full(n, 8.0), np.full(n, 1 / n), np.zeros(n), 0.85


def _mandelbrot(n: int) -> tuple[Any, ...]:
    return 3 * _rng().random(n) - 2.2, 2 * _rng().random(n) - 1, 200, np.zeros(n, dtype=np.int64)


def _sorted(n: int) -> tuple[Any, ...]:
    return np.sort(_rng().random(n)), _rng().random(n), np.zeros(n, dtype=np.int64)


def _normal(n: int) -> np.ndarray:
    return _rng().normal(size=n)


KERNELS = (
    Kernel("spmm", spmm, _spmm, (20, 60), False, 200, 1 << 18),
    Kernel("pagerank", pagerank, _pagerank, (20, 60), False, 500, 1 << 20),
    Kernel(
        "histogram",
        histogram,
        lambda n: (_rng().random(n), np.zeros(64, dtype=np.int64)),
        (20, 60),
        False,
        8000,
        1 << 23,
    ),
    Kernel("mandelbrot", mandelbrot, _mandelbrot, (20, 60), False, 2000, 1 << 15),
    Kernel("newton", newton, lambda n: (1 + _rng().random(n), np.zeros(n)), (20, 60), False, 4000, 1 << 18),
    Kernel("relax", relax, lambda n: (_rng().random((n, n)), n // 2), (8, 20), False, 120, 3000, work=square),
    Kernel("positive-sum", positive_sum, lambda n: (_normal(n),), (20, 60), False, 8000, 1 << 23),
    Kernel("bisect", bisect, _sorted, (20, 60), False, 1000, 1 << 22, work=lambda n: n * math.log2(n)),
    Kernel("norm", norm, lambda n: (np.ones(n),), (20, 60), False, 8000, 1 << 23),
    Kernel("smooth", smooth, lambda n: (np.ones(n), np.zeros(n)), (20, 60), False, 8000, 1 << 23),
    Kernel(
        "standardize",
        standardize,
        lambda n: (_rng().random((n, n)), np.zeros((n, n))),
        (8, 20),
        False,
        100,
        3000,
        work=square,
    ),
    Kernel("gram", gram, lambda n: (_rng().random((n, n)), np.zeros((n, n))), (8, 20), False, 64, 500, work=cube),
    Kernel(
        "product", product, lambda n: (_rng().random((n, n)), _rng().random((n, n))), (8, 20), False, 64, 800, work=cube
    ),
    Kernel("wave", wave, lambda n: (_rng().random(n), np.zeros(n)), (20, 60), False, 4000, 1 << 21),
)
