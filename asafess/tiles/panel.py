"""The tiled matrix: tiles of one edge, each marked dense or sparse, in a few flat arrays.

A *panel* is a local `TiledMatrix`, usually a few tile rows of a larger matrix. Making one from other things is in
`build` and `sparse`, the reverse in `convert`, changing its form in `recode`, the product in `product`, and how it
travels in `serialize` and `door`; this module holds the format and the names a user sees.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from asafess.kernels.dtypes import word_type
from asafess.tiles import build, convert, product, recode, serialize, sparse
from asafess.tiles.layout import SPARSE, Shape
from asafess.tiles.tile import Tiles

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class TiledMatrix:
    """A matrix of dense and sparse tiles.

    Made by `from_dense`, `from_scipy`, `from_edges` and `from_matrix_market`; the constructor takes the arrays below
    as they are and checks nothing. Immutable by convention: whatever changes something returns another matrix, which
    may share arrays with this one. Any number of threads may use one.

    Zero means that no bit is set: −0.0 and NaN are data, and every way into a tile and out of it keeps their bits.

    Parameters
    ----------
    shape : (int, int)
        (m, n).
    tile : int
        Edge of a tile; those at the right and at the bottom are smaller. T below is the number of tiles,
        ceil(m / tile) · ceil(n / tile), numbered row by row.
    marks : (T,) uint8
        0 dense, 1 sparse. An empty tile is a sparse one without entries.
    offsets : (T,) int64
        Where each tile starts, in `dense` or in `rows`, `cols` and `values`.
    counts : (T,) int64
        How many words (dense) or entries (sparse) each tile has there.
    dense : (D,)
        Dense tiles one after the other, each column-major.
    rows : (S,) uint8 if tile ≤ 256, else uint16
        Rows of the entries of the sparse tiles, within their tile. Entries come tile by tile without gaps, within a
        tile column by column, rows ascending.
    cols : (S,) uint16 if n ≤ 65536, else uint32
        Their columns, within the matrix: so that the entries of neighbouring sparse tiles are one loop.
    values : (S,)
        Of the same data type as `dense`: bool, an integer, float32 or float64.

    Examples
    --------
    >>> a = TiledMatrix.from_edges([[0, 0], [2, 3]], (4, 4), tile=2)
    >>> a
    <TiledMatrix 4 × 4 float64, tile 2: 0 of 4 tiles dense, 2 non-zero, 0.70 of the dense bytes>
    >>> a @ [1.0, 2.0, 3.0, 4.0]
    array([1., 0., 4., 0.])
    >>> a.tiles[1, 1].mark
    'sparse'
    """

    __slots__ = ("cols", "counts", "dense", "marks", "offsets", "rows", "shape", "tile", "values")

    #: NumPy leaves `array @ matrix` and `array + matrix` to us, and we know neither: TypeError instead of nonsense.
    __array_ufunc__ = None

    def __init__(
        self,
        shape: Shape,
        tile: int,
        marks: np.ndarray,
        offsets: np.ndarray,
        counts: np.ndarray,
        dense: np.ndarray,
        rows: np.ndarray,
        cols: np.ndarray,
        values: np.ndarray,
    ) -> None:
        self.shape, self.tile = shape, tile
        self.marks, self.offsets, self.counts = marks, offsets, counts
        self.dense, self.rows, self.cols, self.values = dense, rows, cols, values

    @classmethod
    def from_dense(cls, a: Any, tile: int = 128, form: str = "dense", threshold: int | None = None) -> TiledMatrix:
        """Cut an array into tiles, all dense unless another form is asked for.

        Parameters
        ----------
        a : (m, n) array_like
        tile : int
            Edge of a tile, 1 to 65536.
        form : str
        threshold : int, optional
            As in `recode`.

        Returns
        -------
        TiledMatrix

        Raises
        ------
        TypeError
            For a data type other than bool, integers, float32 and float64.
        ValueError
            Unless the array has two dimensions.

        Examples
        --------
        >>> TiledMatrix.from_dense(np.ones((3, 2)), tile=2).grid
        (2, 1)
        """
        return build.from_dense(cls, a, tile).recode(form, threshold)

    @classmethod
    def from_scipy(cls, s: Any, tile: int = 128, form: str = "full", threshold: int | None = None) -> TiledMatrix:
        """Make a tiled matrix from a SciPy sparse matrix or array of any format.

        Parameters
        ----------
        s : (m, n) sparse matrix or array
            Duplicates are added up, as SciPy does. What SciPy's conversion to CSR drops is gone before: −0.0 of a
            `dia_array`.
        tile : int
        form : str
            *dense*, *sparse*, *light* (sparse below `threshold` non-zeros) or *full* (sparse where that takes fewer
            bytes).
        threshold : int, optional
            For *light*; default: see `layout.limits`.

        Returns
        -------
        TiledMatrix

        Examples
        --------
        >>> import scipy.sparse
        >>> TiledMatrix.from_scipy(scipy.sparse.eye_array(4), tile=2).tiles[0, 1].nnz
        0
        """
        return sparse.from_scipy(cls, s, tile, form, threshold)

    @classmethod
    def from_edges(
        cls,
        edges: Any,
        shape: tuple[int, int],
        tile: int = 128,
        values: Any = None,
        dtype: Any = np.float64,
        form: str = "full",
        threshold: int | None = None,
    ) -> TiledMatrix:
        """Make a tiled matrix from edges of a graph.

        Parameters
        ----------
        edges : (E, 2) array_like of ints
            Rows and columns.
        shape : (int, int)
        tile : int
        values : (E,) array_like, optional
            Values of the edges, those of the same edge added up. Left out, each distinct edge has the value 1.
        dtype : numpy dtype
        form : str
        threshold : int, optional
            As in `from_scipy`.

        Returns
        -------
        TiledMatrix

        Raises
        ------
        ValueError
            For an edge outside the shape.

        Examples
        --------
        >>> TiledMatrix.from_edges([[0, 1], [0, 1]], (2, 2)).to_dense()
        array([[0., 1.],
               [0., 0.]])
        """
        return build.from_edges(cls, edges, shape, tile, values, dtype, form, threshold)

    @classmethod
    def from_matrix_market(
        cls, path: str | os.PathLike[str], tile: int = 128, form: str = "full", threshold: int | None = None
    ) -> TiledMatrix:
        r"""Read a tiled matrix from a Matrix Market file.

        Parameters
        ----------
        path : str or path
            May end in .gz or .bz2.
        tile : int
        form : str
        threshold : int, optional
            As in `from_scipy`.

        Returns
        -------
        TiledMatrix

        Examples
        --------
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.mtx"
        >>> _ = path.write_text("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 2 7.5\n")
        >>> TiledMatrix.from_matrix_market(path).to_dense()
        array([[0. , 7.5],
               [0. , 0. ]])
        """
        return build.from_matrix_market(cls, path, tile, form, threshold)

    @property
    def dtype(self) -> np.dtype:
        """Data type of the values."""
        return self.values.dtype

    @property
    def grid(self) -> tuple[int, int]:
        """Number of tile rows and tile columns."""
        return -(-self.shape[0] // self.tile), -(-self.shape[1] // self.tile)

    @property
    def nnz(self) -> int:
        """Number of entries with any bit set, so −0.0 and NaN count; the dense tiles are counted anew each time."""
        return int(np.count_nonzero(self.dense.view(word_type(self.dtype)))) + self.values.size

    @property
    def nbytes(self) -> int:
        """Physical bytes: what the arrays take in memory."""
        arrays = (self.marks, self.offsets, self.counts, self.dense, self.rows, self.cols, self.values)
        return sum(array.nbytes for array in arrays)

    @property
    def logical_nbytes(self) -> int:
        """Bytes of the same matrix as one dense array."""
        return self.shape[0] * self.shape[1] * self.dtype.itemsize

    @property
    def tiles(self) -> Tiles:
        """The tiles by block row and block column, as marked views: `matrix.tiles[i, j]`."""
        return Tiles(self)

    def to_dense(self) -> np.ndarray:
        """Return the matrix as a new (m, n) array, row-major.

        Examples
        --------
        >>> TiledMatrix.from_dense([[1, 2], [3, 4]], tile=1).to_dense()
        array([[1, 2],
               [3, 4]])
        """
        return convert.to_dense(self)

    def to_scipy(self) -> csr_array:
        """Return the matrix as a SciPy `csr_array` that holds the entries with any bit set.

        Examples
        --------
        >>> TiledMatrix.from_dense([[0.0, 2.0]]).to_scipy().nnz
        1
        """
        return convert.to_scipy(self)

    def astype(self, dtype: Any) -> TiledMatrix:
        """Return the matrix with another data type; tiles keep their marks. The same object if it has it already.

        Examples
        --------
        >>> TiledMatrix.from_dense([[0.5, 2.0]]).astype("int8").to_dense()
        array([[0, 2]], dtype=int8)
        """
        return convert.astype(self, dtype)

    def recode(self, form: str, threshold: int | None = None) -> TiledMatrix:
        """Return the matrix in another form; the same object if no tile changes its mark.

        Parameters
        ----------
        form : str
        threshold : int, optional
            As in `from_scipy`. For *full*, a dense tile is left alone when a sample of it says that it clearly
            holds too many non-zeros.

        Returns
        -------
        TiledMatrix
            With the same values, to the bit.

        Raises
        ------
        ValueError
            For an unknown form or a negative threshold.

        Examples
        --------
        >>> TiledMatrix.from_dense(np.eye(4), tile=2).recode("light", threshold=1).marks
        array([0, 1, 1, 0], dtype=uint8)
        """
        return recode.recode(self, form, threshold)

    def dot(self, x: Any, threads: int | None = None) -> np.ndarray:
        """Multiply with a vector or a block of vectors; `matrix @ x` is the same.

        Each column of a block gets the bits that it gets alone, and so does every form of the matrix and every number
        of threads: the order of additions is that of the format (`asafess.kernels.product`). What is NaN is NaN in all
        of them, but which one, where two meet, is the processor's choice. The first product with a data type compiles
        its kernel.

        Parameters
        ----------
        x : (n,) or (n, k) array_like
        threads : int, optional
            How many threads share the tile rows, small matrices aside. Left out: the cores of this process
            (`OMP_NUM_THREADS` if set), but one in any thread except the main one, so that a Dask worker's tasks stay
            out of each other's way.

        Returns
        -------
        (m,) or (m, k) ndarray
            Of the data type that NumPy gives such a product.

        Raises
        ------
        ValueError
            For another shape, in NumPy's own words, or threads below 1.
        TypeError
            If the result would be of a data type that tiles can't hold, such as complex.

        Examples
        --------
        >>> TiledMatrix.from_dense(np.eye(2, dtype="float32")).dot([1, 2], threads=2)
        array([1., 2.])
        """
        return product.dot(self, x, threads)

    def __matmul__(self, x: Any) -> np.ndarray:
        if isinstance(x, TiledMatrix) or hasattr(x, "__dask_graph__") or hasattr(x, "tocsr"):
            return NotImplemented
        return product.dot(self, x)

    def __copy__(self) -> TiledMatrix:
        return self

    def __deepcopy__(self, _memo: Any) -> TiledMatrix:
        return TiledMatrix(self.shape, self.tile, *(array.copy() for array in self._arrays()))

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        # Not by way of pickle: what the door does today must not change a name.
        return ("asafess.TiledMatrix", self.shape, self.tile, self.dtype.str, *self._arrays())

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return serialize.reduce(self, int(protocol))

    def _arrays(self) -> tuple[np.ndarray, ...]:
        return self.marks, self.offsets, self.counts, self.dense, self.rows, self.cols, self.values

    def __repr__(self) -> str:
        m, n = self.shape
        tiles, share = self.marks.size, self.nbytes / max(self.logical_nbytes, 1)
        dense = tiles - np.count_nonzero(self.marks == SPARSE)
        return (
            f"<TiledMatrix {m} × {n} {self.dtype}, tile {self.tile}: {dense} of {tiles} tiles dense, "
            f"{self.nnz} non-zero, {share:.2f} of the dense bytes>"
        )


serialize.register(TiledMatrix)
