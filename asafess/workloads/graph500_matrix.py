"""The matrix of a Graph500 graph with dense tiles laid over it, described in a few bytes and made panel by panel.

Left as generated, the scrambled graph has nearly equal tiles: there is nothing to adapt to. The ASAFESSS paper
therefore modifies the generator. Here that is two things: the order of the vertices ("recursive" by default, which
makes steep differences between tiles) and a share of tiles that are overlaid with dense ones.

A panel is whole tile rows. Each one is made from the description and its number alone, in any form, on any worker;
the matrix does not depend on the number of panels. The whole dense matrix is never held.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from asafess.workloads import graph500_entries as entries
from asafess.workloads.graph500_edges import Order, check_choice, check_integer

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

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return 1 << self.scale, 1 << self.scale

    @property
    def nnz(self) -> int:
        """Number of stored entries of the whole matrix. Makes the pattern of every panel, the first time."""
        return int(self.row_counts().sum())

    def tile_rows(self, p: int) -> range:
        """Numbers of the tile rows of panel `p`."""
        check_integer("panel", p, 0, self.panels - 1)
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

    def pattern(self, p: int) -> NDArray[np.bool_]:
        """Which cells of panel `p` are stored: bool, shape (rows of the panel, n)."""
        n, t, rows = self.shape[1], self.tile, self.rows(p)
        stored = np.zeros((rows.stop - rows.start, n), dtype=bool)
        graph = entries.graph_positions(self.scale, self.edge_factor, self.seeds, self.order, self.symmetrize)
        low, high = np.searchsorted(graph, [rows.start * n, rows.stop * n])
        stored.reshape(-1)[graph[low:high] - rows.start * n] = True
        across = -(-n // t)
        dense = entries.dense_tiles(across * across, self.dense_share, self.dense_seed)
        tile_rows = self.tile_rows(p)
        low, high = np.searchsorted(dense, [tile_rows.start * across, tile_rows.stop * across])
        for i, j in zip(*np.divmod(dense[low:high], across), strict=True):
            cells = stored[i * t - rows.start :, j * t :][:t, :t]
            if self.fill == 1.0:
                cells[...] = True
            else:
                positions = (i * t + np.arange(cells.shape[0]))[:, None] * n + (j * t + np.arange(cells.shape[1]))
                cells |= entries.present(positions, self.fill, self.dense_seed)
        return stored

    def panel_entries(self, p: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Positions within panel `p` (row in panel * n + column, ascending) and values of its entries."""
        n, within = self.shape[1], np.flatnonzero(self.pattern(p))
        if self.values == "ones":
            values: NDArray[Any] = np.ones(within.size)
        elif self.values == "analytic":
            values = (1.0 / np.arange(1, n + 1))[within & (n - 1)]
        else:
            seed = entries.mixed_seed(*self.seeds)
            positions = within + self.rows(p).start * n
            values = entries.random_values(positions, self.scale, seed, self.symmetrize)
        return within, values.astype(self.dtype, copy=False)

    def panel(self, p: int, form: Form = "dense") -> TiledMatrix:
        """Make panel `p` as a tiled matrix.

        Parameters
        ----------
        p : int
            Number of the panel.
        form : {"dense", "sparse", "light", "full"}
            Which tiles are stored sparse: none, all, those with fewer entries than rows, or those that take
            fewer bytes so. See `asafess.TiledMatrix.recode`.

        Returns
        -------
        TiledMatrix
            Shape (rows of the panel, n). Dense, it holds rows · n values; 16 MiB take about 20 ms.

        Examples
        --------
        >>> from asafess.workloads import graph500
        >>> a = graph500.matrix(6, tile=16)
        >>> bool((a.panel(1, "sparse").to_dense() == a.panel_array(1)).all())
        True
        """
        # Numba must not be loaded in the scheduler, which imports this module to unpickle our tasks.
        from asafess.tiles.panel import TiledMatrix

        check_choice("form", form, FORMS)
        dense = TiledMatrix.from_dense(self.panel_array(p), tile=self.tile)
        return dense if form == "dense" else dense.recode(form)

    def panel_array(self, p: int) -> NDArray[Any]:
        """Make panel `p` as a plain array, shape (rows of the panel, n)."""
        rows = self.rows(p)
        within, values = self.panel_entries(p)
        a = np.zeros((rows.stop - rows.start, self.shape[1]), dtype=self.dtype)
        a.reshape(-1)[within] = values
        return a

    def panel_csr(self, p: int) -> csr_array:
        """Make panel `p` as a SciPy CSR array, shape (rows of the panel, n), indices sorted, int32 where they fit."""
        from scipy.sparse import csr_array

        n, rows = self.shape[1], self.rows(p)
        within, values = self.panel_entries(p)
        starts = np.searchsorted(within, np.arange(rows.stop - rows.start + 1) * n)
        return csr_array((values, within & (n - 1), starts), shape=(rows.stop - rows.start, n))

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
    counts = np.concatenate([np.count_nonzero(a.pattern(p), axis=1) for p in range(a.panels)])
    counts = counts.astype(np.int64)
    counts.flags.writeable = False
    return counts
