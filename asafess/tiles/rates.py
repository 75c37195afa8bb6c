"""How fast this process recodes and multiplies panels, measured where it is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from asafess.kernels import prepare
from asafess.tiles import recode
from asafess.tiles.panel import TiledMatrix

#: Bytes of the panels that are measured: more than a cache holds.
SIZE = 32 << 20
#: Share of non-zeros in the mostly empty panel.
DENSITY = 0.01


def rates(seconds: float = 0.3, dtype: Any = np.float64, tile: int = 128) -> dict[str, float]:
    """Measure the rates of this process, with one thread: the best of some short runs each.

    Kernels are compiled first, outside the clock. Needs about 100 MiB of memory for as long as it runs.

    Parameters
    ----------
    seconds : float
        About how long to measure, all rates together; each is measured at least three times.
    dtype : numpy dtype
    tile : int

    Returns
    -------
    dict of float
        *scan*: dense bytes per second of recoding mostly empty tiles, from the first look to the last entry written.
        *copy*: dense bytes per second at which tiles that stay dense are gathered. *sample*: dense bytes per second at
        which clearly full tiles are passed over. *dense_product*: bytes per second of the product with dense tiles.
        *sparse_product*: stored entries per second of the product with sparse tiles.

    Examples
    --------
    >>> sorted(rates(0.01))
    ['copy', 'dense_product', 'sample', 'scan', 'sparse_product']
    """
    prepare.prepare([dtype], tile)
    share = seconds / 5
    full = _panel(dtype, tile)
    full.dense[...] = 1
    x = np.ones(full.shape[1], dtype)
    result = {
        "dense_product": full.dense.nbytes / _best(lambda: full @ x, share),
        "sample": full.dense.nbytes / _best(lambda: recode.plan(full, "full"), share),
    }
    # One empty tile, so that all others have to be gathered.
    full.dense[: tile * tile] = 0
    plan = recode.plan(full, "full")
    result["copy"] = full.dense.nbytes / _best(lambda: recode.apply(full, plan), share)
    empty = full
    empty.dense[...] = 0
    empty.dense[np.random.default_rng(0).integers(0, full.dense.size, int(DENSITY * full.dense.size))] = 1
    result["scan"] = empty.dense.nbytes / _best(lambda: empty.recode("full"), share)
    sparse = empty.recode("full")
    result["sparse_product"] = sparse.values.size / _best(lambda: sparse @ x, share)
    return result


def _panel(dtype: Any, tile: int) -> TiledMatrix:
    """Return a panel of two tile rows and about `SIZE` bytes, of dense tiles that hold zeros."""
    wide = max(SIZE // np.dtype(dtype).itemsize // (2 * tile * tile), 2)
    return TiledMatrix.from_edges([], (2 * tile, wide * tile), tile, dtype=dtype, form="dense")


def _best(run: Callable[[], Any], seconds: float) -> float:
    best = np.inf
    end = time.perf_counter() + seconds
    runs = 0
    while runs < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
        runs += 1
    return float(best)
