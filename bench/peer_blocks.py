"""A sparse matrix in blocks (BSR), with the edge that suits it and who multiplies with it.

A peer that stores blocks would be treated unfairly with blocks as large as our tiles: a few entries fill a block with
zeros. So several edges are looked at, and the few that store least are timed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.sparse import bsr_array, csr_array

#: edges that are looked at, beside that of the tile; the TRIED that store least are timed
EDGES = (2, 4, 8, 16, 32)
TRIED = 3


def narrow(csr: csr_array) -> csr_array:
    """Return the matrix with int32 indices, sharing what has them already."""
    if max(csr.nnz, *csr.shape) > np.iinfo(np.int32).max:
        raise ValueError(f"{csr.nnz} entries, shape {csr.shape}: too many for int32 indices")
    parts = csr.data, csr.indices.astype(np.int32, copy=False), csr.indptr.astype(np.int32, copy=False)
    return csr_array(parts, shape=csr.shape)


def count_blocks(csr: csr_array, edges: Sequence[int]) -> dict[int, int]:
    """Count the blocks that hold any entry, by edge, in one pass over the entries. The edges divide the shape."""
    finest = math.gcd(*edges)
    height, width = csr.shape[0] // finest, csr.shape[1] // finest
    held = np.zeros((height, width), bool)
    step = 512 * finest
    for top in range(0, csr.shape[0], step):
        starts = csr.indptr[top : top + step + 1]
        rows = np.repeat((top + np.arange(starts.size - 1)) // finest, np.diff(starts))
        held[rows, csr.indices[starts[0] : starts[-1]] // finest] = True
    found = {}
    for edge in edges:
        k = edge // finest
        found[edge] = int(np.count_nonzero(held.reshape(height // k, k, width // k, k).any(axis=(1, 3))))
    return found


def block_bytes(csr: csr_array, tile: int) -> dict[int, int]:
    """Return the bytes that blocks take, by edge, fewest first; only edges that divide the shape."""
    fits = [b for b in sorted({*EDGES, tile}) if all(size % b == 0 for size in csr.shape)] or [1]
    found = {b: count * (b * b * csr.dtype.itemsize + 4) for b, count in count_blocks(csr, fits).items()}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def most_bytes(csr: csr_array, tile: int) -> int:
    """Return the bytes of the largest matrix that `fastest` makes."""
    return list(block_bytes(csr, tile).values())[:TRIED][-1]


def fastest(csr: csr_array, tile: int, multiply: Callable[[Any, np.ndarray], Any]) -> bsr_array:
    """Return the matrix in the blocks with which `multiply(matrix, vector)` is fastest."""
    x = np.ones(csr.shape[1], csr.dtype)
    best, least = None, math.inf
    for edge in list(block_bytes(csr, tile))[:TRIED]:
        a = narrow(csr).tobsr((edge, edge))
        seconds = []
        for _ in range(4):  # the first warms up
            start = time.perf_counter()
            multiply(a, x)
            seconds.append(time.perf_counter() - start)
        if min(seconds[1:]) < least:
            best, least = a, min(seconds[1:])
    return best
