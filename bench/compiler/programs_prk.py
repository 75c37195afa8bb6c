"""The Parallel Research Kernels as Dask programs, two sweeps each, with their closed formulas.

*sparse* and *random* are kernels for Numba only: Dask has no sparse product of its own, and tasks must not race.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
from dask import delayed

from .case import Program

GRID = 4
SWEEPS = 2


def _ramp(n: int) -> da.Array:
    """Return A(i, j) = i + j."""
    side = da.arange(GRID * n, chunks=n, dtype=float)
    return side[:, None] + side[None, :]


def _filled(n: int, value: float) -> da.Array:
    return da.full((GRID * n, GRID * n), value, chunks=(n, n))


def _nstream(a: da.Array, b: da.Array, c: da.Array) -> da.Array:
    for _ in range(SWEEPS):
        a = a + (b + 3.0 * c)
    return a


def _star(block: np.ndarray) -> np.ndarray:
    """Return the star stencil of radius 2 on the inside of a block, 0 on its border."""
    out = np.zeros_like(block)
    inside = (slice(2, -2), slice(2, -2))
    for k, weight in ((1, 0.25), (2, 0.125)):
        right, left = block[2:-2, 2 + k : block.shape[1] - 2 + k], block[2:-2, 2 - k : -2 - k]
        below, above = block[2 + k : block.shape[0] - 2 + k, 2:-2], block[2 - k : -2 - k, 2:-2]
        out[inside] += weight * (right - left + below - above)
    return out


def _stencil(a: da.Array) -> da.Array:
    out = None
    for _ in range(SWEEPS):
        step = a.map_overlap(_star, depth=2, boundary="none", dtype=float)
        out = step if out is None else out + step
        a = a + 1.0
    return out


def _transpose(a: da.Array, b: da.Array) -> da.Array:
    for _ in range(SWEEPS):
        b = b + a.T
        a = a + 1.0
    return b


def _tile(corner: Any, above: Any, left: Any) -> np.ndarray:
    """Return a tile of G(i, j) = G(i−1, j) + G(i, j−1) − G(i−1, j−1), from the lines before it."""
    return above[-1, :][None, :] + left[:, -1][:, None] - corner[-1, -1]


def _synch_p2p(grid: da.Array) -> Any:
    """One sweep over tiles, a grouped variant: the first row and column of tiles are given."""
    tiles = grid.to_delayed()
    tile = delayed(_tile)
    for i in range(1, tiles.shape[0]):
        for j in range(1, tiles.shape[1]):
            tiles[i, j] = tile(tiles[i - 1, j - 1], tiles[i - 1, j], tiles[i, j - 1])
    return tiles[-1, -1]


def _dgemm(a: da.Array, b: da.Array, c: da.Array) -> da.Array:
    for _ in range(SWEEPS):
        c = c + a @ b
    return c


def _columns(n: int) -> da.Array:
    """Return A(i, j) = j."""
    return da.zeros((GRID * n, 1), chunks=(n, 1)) + da.arange(GRID * n, chunks=n, dtype=float)[None, :]


def _reduce(vectors: da.Array) -> da.Array:
    return (vectors + 1.0).sum(axis=0, split_every=2)


def _error(expected: Callable[[tuple[Any, ...]], Any]) -> Callable[[tuple[Any, ...], Any], float]:
    return lambda inputs, result: float(np.max(np.abs(result - expected(inputs))))


def _stencil_norm(inputs: tuple[Any, ...], result: Any) -> float:
    n = len(result)
    return abs(float(np.abs(result).sum()) / (n - 4) ** 2 - 2 * SWEEPS)


PROGRAMS = (
    Program(
        "prk-nstream",
        lambda n: (_filled(n, 0.0), _filled(n, 2.0), _filled(n, 2.0)),
        _nstream,
        1024,
        150,
        prk=True,
        check=_error(lambda inputs: 8.0 * SWEEPS),
    ),
    Program("prk-stencil", lambda n: (_ramp(n),), _stencil, 1024, 150, 16, prk=True, check=_stencil_norm),
    Program(
        "prk-transpose",
        lambda n: (_ramp(n), _filled(n, 0.0)),
        _transpose,
        1024,
        150,
        prk=True,
        check=_error(lambda inputs: inputs[0].T * SWEEPS + SWEEPS * (SWEEPS - 1) / 2),
    ),
    Program(
        "prk-synch_p2p",
        lambda n: (_ramp(n),),
        _synch_p2p,
        1024,
        192,
        prk=True,
        check=_error(lambda inputs: inputs[0][-len(inputs[0]) // GRID :, -len(inputs[0]) // GRID :]),
    ),
    Program(
        "prk-dgemm",
        lambda n: (_columns(n), _columns(n), _filled(n, 0.0)),
        _dgemm,
        640,
        96,
        prk=True,
        fast=True,
        check=lambda inputs, result: abs(
            float(result.sum()) / (SWEEPS * len(result) ** 3 * (len(result) - 1) ** 2 / 4) - 1
        ),
    ),
    Program(
        "prk-reduce",
        lambda n: (da.ones((16, n * n), chunks=(1, n * n)),),
        _reduce,
        1024,
        192,
        prk=True,
        check=_error(lambda inputs: 32.0),
    ),
)
