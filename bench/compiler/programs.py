"""Dask programs without annotations, of arrays and of delayed functions; see `case.Program`.

Inputs are `GRID` × `GRID` blocks of doubles (`GRID`² of a vector); with four workers, each holds one row of blocks. So
what is at its place already and what has to be fetched is the same in each run.
"""

from __future__ import annotations

from typing import Any

import dask.array as da
import numba
import numpy as np
from dask import delayed

from .case import Program
from .programs_frames import PROGRAMS as FRAMES
from .programs_more_frames import PROGRAMS as MORE_FRAMES
from .programs_prk import PROGRAMS as PRK

GRID = 4


def matrix(n: int, seed: int = 1) -> da.Array:
    """Return random numbers between 0 and 1, in blocks of n × n."""
    return da.random.default_rng(seed).random((GRID * n, GRID * n), chunks=(n, n))


def _one(n: int) -> tuple[da.Array, ...]:
    return (matrix(n),)


def _two(n: int) -> tuple[da.Array, ...]:
    return matrix(n), matrix(n, 2)


def _strips(n: int) -> tuple[da.Array, ...]:
    """Return whole rows, n of them in a block, 1024 long."""
    return (da.random.default_rng(1).random((GRID * n, 1024), chunks=(n, 1024)),)


def _tall(n: int) -> tuple[da.Array, ...]:
    """Return a tall matrix with 128 columns."""
    return (da.random.default_rng(1).random((16 * GRID * n, 128), chunks=(16 * n, 128)),)


def _vector_too(n: int) -> tuple[da.Array, ...]:
    return matrix(n), da.random.default_rng(2).random(GRID * n, chunks=n)


def _normalized(x: da.Array) -> da.Array:
    return (x - x.mean(axis=0)) / x.std(axis=0)


def _permuted(x: da.Array) -> da.Array:
    order = np.random.default_rng(3).permutation(x.shape[0])
    return x[order]


def _powers(a: da.Array, x: da.Array) -> da.Array:
    for _ in range(2):
        x = a @ x
        x = x / 1000.0
    return x


def _softmax(x: da.Array) -> da.Array:
    e = da.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@numba.njit(nogil=True)
def logistic(block):  # type: ignore[no-untyped-def]
    out = np.empty_like(block)
    for i in range(block.shape[0]):
        for j in range(block.shape[1]):
            value = block[i, j]
            for _ in range(40):
                value = 3.7 * value * (1.0 - value)
            out[i, j] = value
    return out


@numba.njit(nogil=True)
def total(block):  # type: ignore[no-untyped-def]
    result = 0.0
    for i in range(block.shape[0]):
        for j in range(block.shape[1]):
            result += block[i, j]
    return result


def _product(x: da.Array, y: da.Array) -> da.Array:
    return x @ y


def _delayed_products(x: da.Array, y: da.Array) -> Any:
    """Return x @ y, block by block."""
    a, b = x.to_delayed(), y.to_delayed()
    rows = range(a.shape[0])
    return [delayed(sum)([delayed(np.dot)(a[i, k], b[k, j]) for k in rows]) for i in rows for j in range(b.shape[1])]


def _delayed_totals(x: da.Array) -> Any:
    return delayed(sum)([delayed(total)(block) for block in x.to_delayed().ravel()])


def _delayed_mirror(x: da.Array) -> Any:
    """Return x + xᵀ, block by block."""
    a = x.to_delayed()
    n = range(a.shape[0])
    return [delayed(np.add)(a[i, j], delayed(np.transpose)(a[j, i])) for i in n for j in n]


PROGRAMS = (
    # what is touched is where it is needed, and hardly anything is calculated with it
    Program("scale", _one, lambda x: 2 * x + 1, 1024, 256),
    Program("add", _two, lambda x, y: x + y, 1024, 192),
    Program("sum", _one, lambda x: x.sum(), 1400, 400),
    Program("mean-rows", _one, lambda x: x.mean(axis=1), 1400, 400),
    Program("std", _one, lambda x: x.std(), 1024, 256),
    Program("normalize", _one, _normalized, 1024, 192),
    Program("select", _one, lambda x: da.where(x > 0.5, x, 0.0), 1024, 192),
    Program("float32", _one, lambda x: x.astype("f4"), 1024, 256),
    Program("maximum", _two, lambda x, y: da.maximum(x, y).max(axis=0), 1024, 192),
    Program("cumsum", _strips, lambda x: x.cumsum(axis=1), 1024, 48),
    Program("dot", _two, lambda x, y: (x * y).sum(), 1024, 192),
    Program("matvec-steps", _vector_too, _powers, 1024, 300),
    Program("delayed-totals", _one, _delayed_totals, 1400, 400, counted=16),
    # much is calculated
    Program("matmul", _two, _product, 768, 96, fast=True),
    Program("tall-gram", _tall, lambda x: x.T @ x, 1024, 64, 1),
    Program("tensordot", _two, lambda x, y: da.tensordot(x, y, axes=((1,), (1,))), 640, 96, fast=True),
    Program("einsum", _two, lambda x, y: da.einsum("ik,kj->ij", x, y), 384, 96, fast=True),
    Program("qr", _tall, lambda x: da.linalg.qr(x)[1], 1024, 64, 1),
    Program("svd", _tall, lambda x: da.linalg.svd(x)[1], 512, 64, 1),
    Program("inverses", _one, lambda x: x.map_blocks(np.linalg.inv, dtype="f8"), 500, 96),
    Program("fft", _strips, lambda x: da.fft.fft(x, axis=1), 1024, 24),
    Program("powers", _one, lambda x: x**1.7, 1024, 256),
    Program("softmax", _strips, _softmax, 1024, 32),
    Program("sort-rows", _strips, lambda x: x.map_blocks(np.sort, axis=1), 1024, 48),
    Program("logistic", _one, lambda x: x.map_blocks(logistic, dtype="f8"), 512, 64, counted=6),
    Program("delayed-products", _two, _delayed_products, 640, 96, fast=True),
    # data has to go to where other data is
    Program("matmul-slow-link", _two, _product, 400, 96),
    Program("mirror", _one, lambda x: x + x.T, 1024, 192),
    Program("rechunk", _one, lambda x: x.rechunk((GRID * x.chunksize[0], x.chunksize[1] // 4)), 1024, 192),
    Program("one-chunk", _one, lambda x: x.rechunk(x.shape), 700, 64),
    Program("permute", _one, _permuted, 1024, 192),
    Program(
        "outer-halves", _one, lambda x: da.concatenate([x[x.shape[0] // 2 :], x[: x.shape[0] // 2]]) + x, 1024, 192
    ),
    Program(
        "deep-overlap",
        _one,
        lambda x: da.overlap.overlap(x, depth={0: x.chunksize[0] // 2}, boundary="periodic"),
        1024,
        192,
    ),
    Program("delayed-mirror", _one, _delayed_mirror, 1024, 192),
    *PRK,
    *FRAMES,
    *MORE_FRAMES,
)
