"""The matrix of a Graph500 graph with dense tiles laid over it, described in a few bytes and made panel by panel.

Left as generated, the scrambled graph has nearly equal tiles: there is nothing to adapt to. The ASAFESSS paper
therefore modifies the generator. Here that is two things: the order of the vertices ("recursive" by default, which
makes steep differences between tiles) and a share of tiles that are overlaid with dense ones.

A panel is whole tile rows. Each one is made from the description and its number alone, in any form, on any worker;
the matrix does not depend on the number of panels. Neither the whole matrix nor a plain array of a panel is held on
the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from asafess.workloads import graph500_entries as entries
from asafess.workloads.graph500_edges import Order, Topology, check_choice, check_integer
from asafess.workloads.graph500_positions import Graph
from asafess.workloads.graph500_strip import strips

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from asafess.tiles.panel import TiledMatrix

Values = Literal["random", "ones", "analytic"]
VALUES = ("random", "ones", "analytic")
Form = Literal["dense", "sparse", "light", "full"]
FORMS = ("dense", "sparse", "light", "full")


@dataclass(frozen=True)
class Graph500Matrix:
    """Description of a modified Graph500 matrix; small enough to travel in every task.

    Make it with `asafess.workloads.graph500.matrix`, which checks the arguments and says what they mean.

    Examples
    --------
    >>> from asafess.workloads import graph500
    >>> a = graph500.matrix(6, dense_share=0.0, tile=16, values="ones")
    >>> a.panel_csr(0).shape, int(a.row_counts()[:16].sum()) == a.panel_csr(0).nnz
    ((16, 64), True)
    """

    #: Binary logarithm of the number of rows.
    scale: int
    #: Edges per vertex.
    edge_factor: int
    #: The two user seeds of the graph and of random values.
    seeds: tuple[int, int]
    #: Names of the vertices.
    order: Order
    #: Whether both triangles are stored and self-loops dropped.
    symmetrize: bool
    #: Share of tiles that are overlaid.
    dense_share: float
    #: Probability of each cell of an overlaid tile.
    fill: float
    #: Chooses the overlaid tiles and their cells.
    dense_seed: int
    #: What entries are worth.
    values: Values
    #: Rows and columns of a tile.
    tile: int
    #: Number of panels.
    panels: int
    #: Type of the values.
    dtype: np.dtype[Any]
    #: Which pairs of vertices the graph joins.
    topology: Topology = "kronecker"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return 1 << self.scale, 1 << self.scale

    @property
    def nnz(self) -> int:
        """Number of stored entries of the whole matrix; counts those of every panel, the first time."""
        return int(self.row_counts().sum())

    def tile_rows(self, p: int) -> range:
        """Numbers of the tile rows of panel `p`."""
        p = check_integer("panel", p, 0, self.panels - 1)
        every = -(-self.shape[0] // self.tile)
        return range(p * every // self.panels, (p + 1) * every // self.panels)

    def rows(self, p: int) -> slice:
        """Rows of panel `p`.

        Raises
        ------
        ValueError
            If there is no such panel.
        """
        tile_rows = self.tile_rows(p)
        return slice(tile_rows.start * self.tile, min(tile_rows.stop * self.tile, self.shape[0]))

    @property
    def graph(self) -> Graph:
        """The graph without the tiles laid over it."""
        return Graph(self.scale, self.edge_factor, self.seeds, self.order, self.symmetrize, self.topology)

    def values_at(self, positions: NDArray[np.int64]) -> NDArray[Any]:
        """Return what entries at some positions (row * n + column) are worth: same shape, the matrix's data type."""
        if self.values == "ones":
            return np.ones(positions.shape, self.dtype)
        if self.values == "analytic":
            return (1.0 / ((positions & (self.shape[1] - 1)) + 1)).astype(self.dtype, copy=False)
        seed = entries.mixed_seed(*self.seeds)
        values = entries.random_values(positions, self.scale, seed, self.symmetrize)
        return values.astype(self.dtype, copy=False)

    def pattern(self, p: int) -> NDArray[np.bool_]:
        """Which cells of panel `p` are stored: bool, shape (rows of the panel, n)."""
        return self._plain(p, np.dtype(bool), lambda positions: True)

    def panel_entries(self, p: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Positions within panel `p` (row in panel * n + column, ascending) and values of its entries."""
        positions = np.concatenate([s.positions() for s in strips(self, p)])
        values = self.values_at(positions)
        positions -= self.rows(p).start << self.scale
        return positions, values

    def panel(self, p: int, form: Form = "dense") -> TiledMatrix:
        """Make panel `p` as a tiled matrix.

        Parameters
        ----------
        p : int
            Number of the panel.
        form : {"dense", "sparse", "light", "full"}
            Which tiles are stored sparse: none, all, those with few entries, or those that take fewer bytes so.
            See `asafess.TiledMatrix.recode`.

        Returns
        -------
        TiledMatrix
            Shape (rows of the panel, n). Dense, it holds rows · n values. Making it takes the memory of the panel
            itself and of the graph's edges in it; the edges of other panels are generated, and dropped or kept for
            them within a bound, see `asafess.workloads.graph500_positions`.

        Examples
        --------
        >>> from asafess.workloads import graph500
        >>> a = graph500.matrix(6, tile=16)
        >>> bool((a.panel(1, "sparse").to_dense() == a.panel_array(1)).all())
        True
        """
        # Numba must not be loaded in the scheduler, which imports this module to unpickle our tasks.
        from asafess.workloads import graph500_panel

        check_choice("form", form, FORMS)
        return graph500_panel.panel(self, p, form)

    def panel_array(self, p: int) -> NDArray[Any]:
        """Make panel `p` as a plain array, shape (rows of the panel, n)."""
        return self._plain(p, self.dtype, self.values_at)

    def _plain(self, p: int, dtype: np.dtype[Any], values: Callable[[NDArray[np.int64]], Any]) -> NDArray[Any]:
        """Plain array of panel `p` with some values of its entries."""
        rows, n = self.rows(p), self.shape[1]
        a = np.zeros((rows.stop - rows.start, n), dtype)
        for s in strips(self, p):
            positions = s.positions()
            a.reshape(-1)[positions - rows.start * n] = values(positions)
        return a

    def panel_csr(self, p: int) -> csr_array:
        """Make panel `p` as a SciPy CSR array, shape (rows of the panel, n), indices sorted, int32 where they fit."""
        from scipy.sparse import csr_array

        n, parts = self.shape[1], strips(self, p)
        starts = np.concatenate([[0], *(s.row_counts() for s in parts)]).cumsum()
        index = np.int32 if max(n, starts[-1]) < 2**31 else np.int64
        columns, values = np.empty(starts[-1], index), np.empty(starts[-1], self.dtype)
        first = 0
        for s in parts:
            positions = s.positions()
            here = slice(first, first + positions.size)
            columns[here], values[here] = positions & (n - 1), self.values_at(positions)
            first += positions.size
        return csr_array((values, columns, starts.astype(index)), shape=(starts.size - 1, n))

    def row_counts(self) -> NDArray[np.int64]:
        """Count the stored entries of each row: int64, shape (n,), read-only. Kept for the last few matrices."""
        return _row_counts(self)

    def vector(self, sweep: int = 0) -> NDArray[np.float64]:
        """Return the x of the closed form: x_j = (sweep + 1) (j + 1)."""
        return np.arange(1, self.shape[1] + 1, dtype=np.float64) * (sweep + 1)

    def expected(self, sweep: int) -> NDArray[np.float64]:
        """Sum of the products of sweeps 0 to `sweep`, in closed form, for "analytic" values.

        Entry (i, j) is 1/(j + 1) and x_j is (k + 1)(j + 1) in sweep k, so each entry of row i adds k + 1 and the
        sum over the sweeps is nnz_i (sweep + 1)(sweep + 2)/2, whatever the pattern. Source: the Parallel Research
        Kernels, `sparse`. A relative difference of 1e-8 is an error.

        Raises
        ------
        ValueError
            If the values of the matrix are not analytic.

        Examples
        --------
        >>> from asafess.workloads import graph500
        >>> a = graph500.matrix(6, tile=16, values="analytic")
        >>> y = sum(a.panel_array(0) @ a.vector(k) for k in range(3))
        >>> bool(np.allclose(y, a.expected(2)[:16], rtol=1e-8))
        True
        """
        if self.values != "analytic":
            raise ValueError(f"values is {self.values!r}; the closed form holds for values='analytic'")
        return self.row_counts().astype(np.float64) * ((sweep + 1) * (sweep + 2) / 2)


@lru_cache(maxsize=8)
def _row_counts(a: Graph500Matrix) -> NDArray[np.int64]:
    counts = np.concatenate([s.row_counts() for p in range(a.panels) for s in strips(a, p)])
    counts.flags.writeable = False
    return counts
