"""Libraries that multiply the whole matrix in one process, without Dask: what the sizes of `bench.spmv` cost at home.

Nothing moves, so this is no *stream*: it says what a cluster costs at this size at all. Only products are timed;
conversions of vectors and matrix are outside the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.sparse import csr_array, vstack

from asafess.workloads.graph500 import Graph500Matrix

from .harness import Outcome
from .peers import Product, usable
from .spmv_reference import first, wrong

#: of `bench.peers`
NAMES = ("numpy", "scipy-csr", "graphblas", "mkl-optimized")
#: SciPy has one thread
THREADS = {"scipy-csr": (1,)}
#: vectors that sweeps go through in turn
VECTORS = 8


class Local:
    """The libraries of `bench.peers` that are installed, on one and two threads."""

    def __init__(self, matrix: Graph500Matrix, say: Callable[[str], object]) -> None:
        peers = usable(NAMES, say)
        self._makers = {
            f"local {name} × {threads}": (peer.make, threads)
            for name, peer in peers.items()
            for threads in THREADS.get(name, (1, 2))
        }
        self.kinds: Mapping[str, str] = dict.fromkeys(self._makers, "local")
        self.matrix, self.sweeps = matrix, 1
        self._csr = csr_array(vstack([matrix.panel_csr(p) for p in range(matrix.panels)], format="csr"))
        self._product: Product | None = None
        self._vectors: list[Any] = []

    def start(self, sweeps: int) -> None:
        """Set the number of sweeps."""
        self.sweeps = sweeps

    def prepare(self, arm: str) -> None:
        """Make the library's matrix and vectors; the number of threads is the process's, so it is set anew."""
        make, threads = self._makers[arm]
        self._product = make(self._csr, self.matrix.tile, threads)
        self._vectors = [self._product.bring(self.matrix.vector(k)) for k in range(VECTORS)]
        self._product.multiply(self._vectors[0])

    def run(self, arm: str) -> Outcome:
        """Multiply `sweeps` times, with another vector each time."""
        assert self._product is not None
        multiply, vectors = self._product.multiply, self._vectors
        for sweep in range(self.sweeps):
            y = multiply(vectors[sweep % VECTORS])
        return Outcome((arm, y))

    def verify(self, outcome: Outcome) -> Mapping[str, Any] | str:
        """Check the last product."""
        assert self._product is not None
        y = np.asarray(self._product.take(outcome.value[1])).ravel()
        right = first(self.matrix) * float((self.sweeps - 1) % VECTORS + 1)
        return wrong(y, right) or {}
