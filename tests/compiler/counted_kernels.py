"""Kernels whose cost is compared with a run that counts.

All but the last two are affine; those depend on data that is there beforehand, so `bind` must find it.
"""

import math

import numpy as np
from numba import njit, prange


def nstream(a, b, c, x):
    for i in range(len(a)):
        a[i] += b[i] + x * c[i]


def star(a, b, w, r):
    n, m = a.shape
    for i in range(r, n - r):
        for j in range(r, m - r):
            s = 0.0
            for k in range(-r, r + 1):
                s += w[r, r + k] * a[i, j + k]
            for k in range(-r, 0):
                s += w[r + k, r] * a[i + k, j]
            for k in range(1, r + 1):
                s += w[r + k, r] * a[i + k, j]
            b[i, j] += s


@njit(parallel=True)
def transpose(a, b):
    for i in prange(a.shape[0]):
        for j in range(a.shape[1]):
            b[j, i] += a[i, j]


def tiled_transpose(a, b, tile):
    n, m = a.shape
    for it in range(0, n, tile):
        for jt in range(0, m, tile):
            for i in range(it, min(n, it + tile)):
                for j in range(jt, min(m, jt + tile)):
                    b[j, i] = a[i, j]


def matmul(a, b, c):
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            total = 0.0
            for k in range(a.shape[1]):
                total += a[i, k] * b[k, j]
            c[i, j] = total


def triangular_solve(a, b):
    for i in range(len(b)):
        total = b[i]
        for j in range(i):
            total -= a[i, j] * b[j]
        b[i] = total / a[i, i]


def back_solve(a, b):
    n = b.size
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            b[i] -= a[i, j] * b[j]
        b[i] /= a[i, i]


def cholesky(a):
    n = a.shape[0]
    for j in range(n):
        total = a[j, j]
        for k in range(j):
            total -= a[j, k] ** 2
        a[j, j] = math.sqrt(total)
        for i in range(j + 1, n):
            total = a[i, j]
            for k in range(j):
                total -= a[i, k] * a[j, k]
            a[i, j] = total / a[j, j]


def lu(a):
    n = a.shape[0]
    for k in range(n - 1):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]


def prefix_sum(a):
    for i in range(1, a.size):
        a[i] += a[i - 1]


def rows(a, x, y):
    for i, row in enumerate(a):
        total = 0.0
        for left, right in zip(row, x):  # noqa: B905
            total += left * right
        y[i] = total


def views(a, b):
    inner = a[1:-1, ::2]
    for i in range(inner.shape[0]):
        row = inner[i]
        for j in range(row.size):
            b[i, j] = 2.0 * row[j]
    flipped = b.T
    for i in range(len(flipped)):
        flipped[i, -1] += 1.0


def floyd_warshall(d):
    n = d.shape[0]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                d[i, j] = min(d[i, j], d[i, k] + d[k, j])


def histogram(x, counts):
    for i in range(x.size):
        counts[int(x[i] * counts.size)] += 1


def convolve(a, w, out):
    for i in range(a.size - w.size + 1):
        total = 0.0
        for k in range(w.size):
            total += a[i + k] * w[w.size - 1 - k]
        out[i] = total


def convolve_2d(a, w, out):
    for i in range(a.shape[0] - w.shape[0] + 1):
        for j in range(a.shape[1] - w.shape[1] + 1):
            for p in range(w.shape[0]):
                for q in range(w.shape[1]):
                    out[i, j] += a[i + p, j + q] * w[p, q]


def jacobi(a, b, sweeps):
    n, m = a.shape
    for _ in range(sweeps):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                b[i, j] = 0.25 * (a[i - 1, j] + a[i + 1, j] + a[i, j - 1] + a[i, j + 1])
        a, b = b, a


def horner(c, x, y):
    for i in range(x.size):
        value = c[-1]
        for k in range(c.size - 2, -1, -1):
            value = value * x[i] + c[k]
        y[i] = value


@njit
def _force(d, e):
    return d / math.sqrt(d * d + e)


def nbody(p, v):
    for i in range(p.size):
        for j in range(p.size):
            if i != j:
                v[i] += _force(p[j] - p[i], 1e-3)


def red_black(a):
    n, m = a.shape
    for colour in range(2):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                if (i + j) % 2 == colour:
                    a[i, j] = 0.5 * (a[i - 1, j] + a[i + 1, j])


def banded(a, x, y, width):
    n = x.size
    for i in range(n):
        for j in range(max(0, i - width), min(n, i + width + 1)):
            y[i] += a[i, j] * x[j]


def wavefront(a):
    n = a.shape[0]
    for d in range(2 * n - 1):
        for i in range(max(0, d - n + 1), min(d + 1, n)):
            a[i, d - i] += 1.0


def while_loop(a, n):
    i = 0
    while i < n:
        a[i] = math.exp(a[i])
        i += 2


def halving(a):
    n = a.size
    while n > 1:
        for i in range(n // 2):
            a[i] += a[n - 1 - i]
        n = n // 2


def edges(a):
    n = a.shape[0]
    for i in range(n):
        for j in range(n):
            if i == 0 or j == 0 or i == n - 1 or j == n - 1:
                a[i, j] = 0.0
            elif j > i:
                a[i, j] *= 2.0
            else:
                a[i, j] += 1.0


def checked(a, n):
    if n > a.size:
        raise ValueError("too many")
    for i in range(n):
        if a[i] < -1e300:
            raise ValueError("too small")
        a[i] = a[i] + 1.0


def fourth_power(a):
    for i in range(a.size):
        for j in range(i, a.size):
            for k in range(i, j + 1):
                for m in range(k):
                    a[m] += 1.0


def spmv(indptr, indices, data, x, y):
    for i in range(y.size):
        total = 0.0
        for k in range(indptr[i], indptr[i + 1]):
            total += data[k] * x[indices[k]]
        y[i] = total


def positive_sum(a):
    total = 0.0
    for i in range(a.size):
        if a[i] > 0.25:
            total += a[i] * a[i]
    return total


def mandelbrot(xs, out, most):
    for i in range(xs.size):
        x, y, n = xs[i], 0.5 * xs[i], 0
        while n < most and x * x + y * y <= 4.0:
            x, y = x * x - y * y + xs[i], 2.0 * x * y + 0.5
            n += 1
        out[i] = n


def _floats(*shape):
    return np.random.default_rng(0).random(shape)


def _csr(n):
    counts = np.random.default_rng(n).integers(0, 4, n)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return indptr, np.zeros(indptr[-1], dtype=np.int64), _floats(int(indptr[-1])), _floats(n), _floats(n)


#: kernel → three small sizes → arguments
KERNELS = {
    nstream: lambda n, m, k: (_floats(n), _floats(n), _floats(n), 3.0),
    star: lambda n, m, k: (_floats(n, m), _floats(n, m), _floats(2 * k + 1, 2 * k + 1), k),
    transpose: lambda n, m, k: (_floats(n, m), _floats(m, n)),
    tiled_transpose: lambda n, m, k: (_floats(n, m), _floats(m, n), k),
    matmul: lambda n, m, k: (_floats(n, k), _floats(k, m), _floats(n, m)),
    triangular_solve: lambda n, m, k: (_floats(n, n), _floats(n)),
    back_solve: lambda n, m, k: (_floats(n, n), _floats(n)),
    cholesky: lambda n, m, k: (_floats(n, n),),
    lu: lambda n, m, k: (_floats(n, n),),
    prefix_sum: lambda n, m, k: (_floats(n),),
    rows: lambda n, m, k: (_floats(n, m), _floats(m), _floats(n)),
    views: lambda n, m, k: (_floats(n + 2, m), _floats(n, (m + 1) // 2)),
    floyd_warshall: lambda n, m, k: (_floats(n, n),),
    histogram: lambda n, m, k: (_floats(n), np.zeros(k, dtype=np.int64)),
    convolve: lambda n, m, k: (_floats(n + k), _floats(k), _floats(n + 1)),
    convolve_2d: lambda n, m, k: (_floats(n, m), _floats(k, 2), _floats(n, m)),
    jacobi: lambda n, m, k: (_floats(n, m), _floats(n, m), k),
    horner: lambda n, m, k: (_floats(m), _floats(n), _floats(n)),
    nbody: lambda n, m, k: (_floats(n), _floats(n)),
    red_black: lambda n, m, k: (_floats(n, m),),
    banded: lambda n, m, k: (_floats(n, n), _floats(n), _floats(n), k),
    wavefront: lambda n, m, k: (_floats(n, n),),
    while_loop: lambda n, m, k: (_floats(n), n),
    halving: lambda n, m, k: (_floats(n),),
    edges: lambda n, m, k: (_floats(n, n),),
    checked: lambda n, m, k: (_floats(n), n),
    fourth_power: lambda n, m, k: (_floats(n),),
    spmv: lambda n, m, k: _csr(n),
    positive_sum: lambda n, m, k: (_floats(n),),
}
