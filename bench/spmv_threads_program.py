"""The program of `bench.spmv_threads`: one matrix in shared memory, some threads, and the arms.

*adaptive* starts with dense panels and rates that were measured before. Without a cluster there are no scheduled
tasks to look at, so it is given the number of products. It looks at a sample of the tiles if compressing could pay at
all, and compresses tiles below the break-even density of these rates if by the sample it does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from asafess.kernels.threads import spread
from asafess.tiles import break_even
from asafess.tiles.panel import TiledMatrix
from asafess.tiles.rates import best, rates
from asafess.workloads.graph500 import matrix

from .demo import Job
from .harness import Outcome

#: adaptive looks at one tile in so many
SAMPLED = 16
#: ... those whose number times this falls into the first part of a circle: evenly spread, in step with no power of two
GOLDEN = (5**0.5 - 1) / 2
#: the oracle tries so many thresholds, evenly spread over the tiles
TRIED = 16
#: each of them so often, for so many seconds: far apart, so that no mood of the machine decides
PASSES = 3
SECONDS = 0.04


class Program:
    """One matrix in shared memory and some threads, in any arm."""

    def __init__(self, job: Job, threads: int, most_products: int) -> None:
        self.job, self.threads = job, threads
        self.matrix = matrix(
            job.scale,
            order=job.order,
            tile=job.tile,
            dense_share=job.dense_share,
            dense_seed=job.seed,
            values="analytic",
            panels=min(threads, 2**job.scale // job.tile),
        )
        numbers = range(self.matrix.panels)
        #: before the clock, by form
        self.panels: dict[str, list[Any]] = {
            "dense": spread(self.matrix.panel, numbers, threads),
            "sparse": spread(self.matrix.panel_csr, numbers, threads),
        }
        self.vectors = [self.matrix.vector(k) for k in range(most_products)]
        self.rates = rates(1.0, tile=job.tile)
        #: non-zeros below which adaptive and the oracle make a tile sparse
        self.break_even = math.ceil(break_even.light(self.rates, 8) * job.tile**2)
        self.oracle = self._best_threshold()
        self.panels["oracle"] = self._recoded(self.oracle)
        self._bits: dict[int, bytes] = {}

    def _recoded(self, threshold: int) -> list[Any]:
        return spread(lambda panel: panel.recode("light", threshold), self.panels["dense"], self.threads)

    def _best_threshold(self) -> int:
        """Return the number of non-zeros below which tiles are better off sparse, tried in place.

        The product of a sparse tile takes longer the more non-zeros it has, that of a dense one always as long. So
        the best form of every tile follows from one number; it lies between two of the numbers that tiles have.
        """
        counts = np.concatenate([panel.recode("sparse").counts for panel in self.panels["dense"]])
        tried = np.quantile(counts, np.linspace(0, 1, TRIED), method="nearest") + 1
        took = dict.fromkeys(sorted({0, self.break_even, *map(int, tried)}), math.inf)
        for threshold in [*took] * PASSES:
            panels = self._recoded(threshold)
            (seconds,) = best([partial(self._product, panels, self.vectors[0])], SECONDS, clock=time.perf_counter)
            took[threshold] = min(took[threshold], seconds)
        return min(took, key=lambda threshold: took[threshold])

    def _product(self, panels: list[Any], x: np.ndarray, form: Callable[[Any], Any] | None = None) -> np.ndarray:
        """Multiply once, all panels with x; `form` first puts each panel into its form for good."""

        def block(p: int) -> np.ndarray:
            if form is not None:
                panels[p] = form(panels[p])
            panel = panels[p]
            return panel.dot(x, threads=1) if isinstance(panel, TiledMatrix) else panel @ x

        return np.concatenate(spread(block, range(len(panels)), self.threads))

    def decide(self, products: int) -> bool:
        """Say whether *adaptive* compresses."""
        nbytes = float(sum(panel.logical_nbytes for panel in self.panels["dense"]))
        if not break_even.pays(self.rates, products, removed=nbytes, scanned=nbytes):
            return False
        removed, entries, copied = sample(self.panels["dense"], self.break_even)
        return break_even.pays(self.rates, products, removed, entries, scanned=nbytes, copied=copied)

    def run(self, arm: str, products: int) -> Outcome:
        """Multiply with x_k = (k + 1)(j + 1) for each product k, added up."""
        form: Callable[[Any], Any] | None = None
        if arm == "light":
            form = partial(_recode, "light", self.job.tile)
        elif arm == "full":
            form = partial(_recode, "full", None)
        elif arm == "adaptive" and self.decide(products):
            form = partial(_recode, "light", self.break_even)
        panels = list(self.panels.get(arm, self.panels["dense"]))
        start = time.perf_counter()
        total = self._product(panels, self.vectors[0], form)
        first = time.perf_counter() - start
        for x in self.vectors[1:products]:
            total += self._product(panels, x)
        sparse = 0 if arm == "sparse" else int(sum(np.count_nonzero(panel.marks) for panel in panels))
        return Outcome((arm, products, total), {"first_product_seconds": first, "sparse_tiles": sparse})

    def verify(self, outcome: Outcome) -> Mapping[str, Any] | str:
        """Check the sum against its closed form, and the bits of our arms against each other."""
        arm, products, total = outcome.value
        expected = self.matrix.expected(products - 1)
        error = float(np.max(np.abs(total - expected), initial=0.0))
        if not np.allclose(total, expected, rtol=1e-8, atol=0):
            return f"wrong result: off by {error:g}"
        if arm != "sparse" and self._bits.setdefault(products, total.tobytes()) != total.tobytes():
            return "the bits differ from those of another arm"
        return {"products": products, "max_abs_error": error}


def sample(panels: Sequence[Any], below: int) -> tuple[float, float, float]:
    """Look at one tile in `SAMPLED` of dense panels and estimate what making tiles sparse would do to all.

    Returns
    -------
    removed : float
        Bytes of the tiles with fewer non-zeros than `below`.
    entries : float
        Their non-zeros.
    copied : float
        Bytes of the other tiles.
    """
    removed, entries, copied = 0, 0, 0
    before = 0
    for panel in panels:
        numbers = np.arange(panel.marks.size)
        chosen = numbers[(numbers + before) * GOLDEN % 1 < 1 / SAMPLED]
        before += panel.marks.size
        for t in chosen.tolist():
            tile = panel.tiles[divmod(t, panel.grid[1])]
            found = tile.nnz
            if found < below:
                removed += tile.dense.nbytes
                entries += found
            else:
                copied += tile.dense.nbytes
    share = sum(panel.logical_nbytes for panel in panels) / max(removed + copied, 1)
    return removed * share, entries * share, copied * share


def _recode(form: str, threshold: int | None, panel: Any) -> Any:
    return panel.recode(form, threshold)
