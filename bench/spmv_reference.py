"""What a run of `bench.spmv` must come to.

With *analytic* values it is known in closed form. These repeat in every row, so that lz4 and zstd shrink dense tiles a
hundredfold, as they would not with values that differ. So stock Dask also runs with *random* values, beside *adaptive*
alone, and these are checked against SciPy's product.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from asafess.workloads.graph500 import Graph500Matrix


@lru_cache(maxsize=4)
def first(matrix: Graph500Matrix) -> NDArray[np.float64]:
    """Return the product with x_j = j + 1, the vector of the first sweep."""
    if matrix.values == "analytic":
        return matrix.expected(0)
    x = matrix.vector(0)
    return np.concatenate([matrix.panel_csr(p) @ x for p in range(matrix.panels)])


def expected(matrix: Graph500Matrix, sweeps: int) -> NDArray[np.float64]:
    """Return the sum of the products of so many sweeps, with x_j = (k + 1)(j + 1) in sweep k."""
    return first(matrix) * (sweeps * (sweeps + 1) / 2)


def wrong(found: NDArray[np.float64], right: NDArray[np.float64]) -> str | None:
    """Return what is wrong with a result, None where it is right to 1e-8 of each number.

    >>> wrong(np.array([1.0, 2.0]), np.array([1.0, 2.5]))
    'wrong result: off by 0.5'
    """
    if found.shape != right.shape:
        return f"wrong result: shape {found.shape}, not {right.shape}"
    if np.allclose(found, right, rtol=1e-8, atol=0):
        return None
    return f"wrong result: off by {np.max(np.abs(found - right)):g}"
