"""One tile of a tiled matrix: a marked view, made when asked for. Nothing on a hot path makes one."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from asafess.kernels.dtypes import word_type
from asafess.tiles.layout import SPARSE

if TYPE_CHECKING:
    from asafess.tiles.panel import TiledMatrix


class Tile:
    """One tile, as a view into its matrix.

    Obtained from `TiledMatrix.tiles`.

    Examples
    --------
    >>> from asafess import TiledMatrix
    >>> tile = TiledMatrix.from_edges([[0, 1], [3, 2]], (4, 4), tile=2, form="sparse").tiles[1, 1]
    >>> tile
    <Tile sparse 2 × 2 float64, 1 non-zero>
    >>> tile.rows, tile.cols, tile.values
    (array([1], dtype=uint8), array([0], dtype=uint16), array([1.]))
    """

    __slots__ = ("cols", "dense", "mark", "rows", "shape", "values")

    def __init__(self, matrix: TiledMatrix, i: int, j: int) -> None:
        m, n = matrix.shape
        t = i * matrix.grid[1] + j
        part = slice(int(matrix.offsets[t]), int(matrix.offsets[t] + matrix.counts[t]))
        sparse = matrix.marks[t] == SPARSE
        #: (rows, columns), both at most the edge of a tile.
        self.shape = (min(matrix.tile, m - i * matrix.tile), min(matrix.tile, n - j * matrix.tile))
        #: "dense" or "sparse".
        self.mark = "sparse" if sparse else "dense"
        #: Of a dense tile: a column-major view; of a sparse one: None.
        self.dense = None if sparse else matrix.dense[part].reshape(self.shape, order="F")
        entries = part if sparse else slice(0)
        #: Of a sparse tile: rows, columns and values of its entries, column by column; of a dense one: empty. Rows and
        #: columns count from the tile's own corner.
        self.rows, self.values = matrix.rows[entries], matrix.values[entries]
        self.cols = matrix.cols[entries] - matrix.cols.dtype.type(j * matrix.tile)

    @property
    def dtype(self) -> np.dtype:
        """Data type of the values."""
        return self.values.dtype

    @property
    def nnz(self) -> int:
        """Number of entries with any bit set, so −0.0 and NaN count."""
        return self.values.size if self.dense is None else int(np.count_nonzero(self.dense.view(word_type(self.dtype))))

    def to_dense(self) -> np.ndarray:
        """Return the tile as an array: a view of a dense tile, a new array of a sparse one.

        Examples
        --------
        >>> from asafess import TiledMatrix
        >>> TiledMatrix.from_edges([[0, 1]], (2, 2), tile=2).tiles[0, 0].to_dense()
        array([[0., 1.],
               [0., 0.]])
        """
        if self.dense is not None:
            return self.dense
        full = np.zeros(self.shape, self.dtype)
        full[self.rows, self.cols] = self.values
        return full

    def __repr__(self) -> str:
        rows, cols = self.shape
        return f"<Tile {self.mark} {rows} × {cols} {self.dtype}, {self.nnz} non-zero>"


class Tiles:
    """The tiles of a matrix by block row and block column: `matrix.tiles[i, j]`.

    Examples
    --------
    >>> from asafess import TiledMatrix
    >>> tiles = TiledMatrix.from_dense([[1.0, 2.0], [3.0, 4.0]], tile=1).tiles
    >>> tiles[0, -1].to_dense()
    array([[2.]])
    >>> tiles[0, 2]
    Traceback (most recent call last):
    ...
    IndexError: tile (0, 2) is outside the grid of 2 × 2 tiles
    """

    __slots__ = ("_matrix",)

    def __init__(self, matrix: TiledMatrix) -> None:
        self._matrix = matrix

    def __getitem__(self, place: tuple[Any, Any]) -> Tile:
        high, wide = self._matrix.grid
        try:
            i, j = map(operator.index, place)
        except (TypeError, ValueError):
            raise TypeError(f"tiles[{place!r}]: give a block row and a block column, as in tiles[0, 1]") from None
        if not (-high <= i < high and -wide <= j < wide):
            raise IndexError(f"tile ({i}, {j}) is outside the grid of {high} × {wide} tiles")
        return Tile(self._matrix, i % high, j % wide)
