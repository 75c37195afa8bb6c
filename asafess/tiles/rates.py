"""How fast this process recodes and multiplies panels, measured where it is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from asafess.kernels import prepare
from asafess.kernels.dtypes import checked_dtype
from asafess.tiles import recode
from asafess.tiles.panel import TiledMatrix

#: Bytes of the panels that are measured, as dense ones: more than a core's caches hold.
SIZE = 32 << 20
#: Share of non-zeros in the mostly empty panel.
DENSITY = 0.01
#: Share of non-zeros in the panel that is multiplied sparse: about where products of dense and sparse tiles take as
#: long. At `DENSITY` the visit of a tile would count for more than its entries.
SPARSE_DENSITY = 1 / 8


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
        *sparse_product*: stored entries per second of the product with sparse tiles, one word in eight non-zero.

    Examples
    --------
    >>> sorted(rates(0.01))
    ['copy', 'dense_product', 'sample', 'scan', 'sparse_product']
    """
    prepare.prepare([dtype], tile)
    share = seconds / 5
    full = panel(dtype, tile, 1.0)
    x = np.ones(full.shape[1], dtype)
    dense_product, sample = best([lambda: full.dot(x, threads=1), lambda: full.recode("full")], 2 * share)
    # One empty tile, so that all others have to be gathered.
    full.dense[: tile * tile] = 0
    plans: list[recode.Plan] = []
    (copy,) = best(
        [lambda: recode.apply(full, plans.pop())], share, before=lambda: plans.append(recode.plan(full, "full"))
    )
    nbytes = full.dense.nbytes
    empty, sparse = panel(dtype, tile, DENSITY), panel(dtype, tile, SPARSE_DENSITY, "sparse")
    scan, sparse_product = best([lambda: empty.recode("sparse"), lambda: sparse.dot(x, threads=1)], 2 * share)
    return {
        "scan": nbytes / scan,
        "copy": nbytes / copy,
        "sample": nbytes / sample,
        "dense_product": nbytes / dense_product,
        "sparse_product": sparse.nnz / sparse_product,
    }


def panel(dtype: Any, tile: int, density: float, form: str = "dense") -> TiledMatrix:
    """Return a panel of about `SIZE` bytes, of two tiles at least, with non-zeros uniformly spread.

    It has at most 65536 columns, so that their numbers take two bytes.

    Parameters
    ----------
    dtype : numpy dtype
    tile : int
    density : float
        About which share of the words is 1, 0 to 1; the others are 0.
    form : str
        *dense* or *sparse*.

    Returns
    -------
    TiledMatrix

    Examples
    --------
    >>> panel("float64", 128, 0.0, "sparse").nnz
    0
    """
    tiles = max(SIZE // checked_dtype(dtype).itemsize // (tile * tile), 2)
    wide = max(min(tiles // 2, 65536 // tile), 1)
    made = TiledMatrix.from_edges([], (tiles // wide * tile, wide * tile), tile, dtype=dtype, form="dense")
    if density == 1:
        made.dense[...] = 1
    else:
        # a word of 16 random bits for each: quick, and fine enough
        random = np.random.default_rng(0).integers(0, 1 << 16, made.dense.size, np.uint16)
        made.dense[...] = random < density * (1 << 16)
    return made if form == "dense" else made.recode(form)


def best(
    runs: Sequence[Callable[[], Any]],
    seconds: float,
    before: Callable[[], Any] = lambda: None,
    clock: Callable[[], float] = time.thread_time,
) -> list[float]:
    """Return the seconds of the quickest of some runs of each: what the machine can do when it is left alone.

    They run in turns, each at least three times, so that all of them meet the machine's moods. `before` is called
    before each of them, untimed. By default the time of this thread counts: what other processes do meanwhile says
    nothing of runs that have one thread; those of several need another `clock`.

    Examples
    --------
    >>> quick, slow = best([lambda: None, lambda: sum(range(10_000))], 0.01)
    >>> quick < slow
    True
    """
    quickest = [float("inf")] * len(runs)
    end, turns = time.perf_counter() + seconds, 0
    while turns < 3 or time.perf_counter() < end:
        for k, run in enumerate(runs):
            before()
            start = clock()
            run()
            quickest[k] = min(quickest[k], clock() - start)
        turns += 1
    return quickest
