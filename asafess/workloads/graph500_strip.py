"""One tile row of the modified Graph500 matrix: whole overlaid tiles, and the graph's entries outside of them.

This is what every form of a panel is made from, strip by strip. It holds 8 bytes per entry of the graph, and one per
cell of overlaid tiles that are not full; nothing of the size of the strip.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asafess.workloads import graph500_entries as entries
from asafess.workloads.graph500_positions import graph_positions

if TYPE_CHECKING:
    from asafess.workloads.graph500_matrix import Graph500Matrix


@dataclass(frozen=True, slots=True)
class Strip:
    """The entries of one tile row; made by `strips`."""

    #: Binary logarithm of the columns.
    scale: int
    #: Edge of a tile.
    tile: int
    #: First row, and number of rows.
    top: int
    height: int
    #: Whether each tile is overlaid, shape (tiles,).
    overlaid: NDArray[np.bool_]
    #: Columns of the overlaid tiles, ascending, shape (W,).
    columns: NDArray[np.int64]
    #: Which of their cells are stored, column by column, shape (W, height). None: all.
    stored: NDArray[np.bool_] | None
    #: Positions of the entries outside of them, ascending, shape (E,).
    graph: NDArray[np.int64]

    def blocks(self, columns: NDArray[np.int64]) -> Iterator[tuple[slice, NDArray[np.int64]]]:
        """Cut columns into blocks; yield which, and the positions of their cells, shape (columns, height)."""
        rows, step = np.arange(self.top, self.top + self.height) << self.scale, max(1, entries.BLOCK // self.height)
        for first in range(0, columns.size, step):
            block = slice(first, first + step)
            yield block, rows | columns[block, None]

    def places(self, positions: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Column, and row within the strip, of each position."""
        return positions & ((1 << self.scale) - 1), (positions >> self.scale) - self.top

    def row_counts(self) -> NDArray[np.int64]:
        """Count the entries of each row: int64, shape (height,)."""
        inside = self.columns.size if self.stored is None else np.count_nonzero(self.stored, axis=0)
        return np.bincount(self.places(self.graph)[1], minlength=self.height) + inside

    def tile_counts(self) -> NDArray[np.int64]:
        """Count the entries of each tile: int64, shape (tiles,)."""
        counts = np.bincount(self.places(self.graph)[0] // self.tile, minlength=self.overlaid.size)
        of_column = self.height if self.stored is None else np.count_nonzero(self.stored, axis=1)
        tiles = self.columns // self.tile
        return counts + np.bincount(tiles, np.broadcast_to(of_column, tiles.shape), counts.size).astype(np.int64)

    def positions(self) -> NDArray[np.int64]:
        """Positions of all entries, row by row: int64."""
        rows = np.arange(self.top, self.top + self.height)[:, None] << self.scale
        cells = rows | self.columns
        laid = cells.reshape(-1) if self.stored is None else cells[self.stored.T]
        return merged(laid, self.graph)


def merged(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """Merge two sorted arrays that have nothing in common.

    Examples
    --------
    >>> merged(np.array([1, 3, 9]), np.array([2, 4]))
    array([1, 2, 3, 4, 9])
    """
    if not (a.size and b.size):
        return a if a.size else b
    out, rest = np.empty(a.size + b.size, np.int64), np.ones(a.size + b.size, bool)
    at = np.searchsorted(a, b) + np.arange(b.size)
    out[at], rest[at] = b, False
    out[rest] = a
    return out


def strips(a: Graph500Matrix, p: int) -> list[Strip]:
    """Make the tile rows of a panel.

    Parameters
    ----------
    a : Graph500Matrix
    p : int
        Number of the panel.

    Returns
    -------
    list of Strip

    Examples
    --------
    >>> from asafess.workloads import graph500
    >>> (s,) = strips(graph500.matrix(6, tile=16, dense_share=0.25), 2)
    >>> s.overlaid, s.columns.size, int(s.tile_counts().sum()) == s.positions().size
    (array([False, False,  True, False]), 16, True)
    """
    rows, tile_rows = a.rows(p), a.tile_rows(p)
    graph = graph_positions(a.graph, rows.start, rows.stop)  # once: it may cost a pass over all edges
    cuts = np.searchsorted(graph, (np.array(tile_rows[1:], np.int64) * a.tile) << a.scale)
    return [_strip(a, i, part) for i, part in zip(tile_rows, np.split(graph, cuts), strict=True)]


def _strip(a: Graph500Matrix, tile_row: int, graph: NDArray[np.int64]) -> Strip:
    """Make one tile row, whose entries of the graph are given."""
    n, t = a.shape[1], a.tile
    across, top = -(-n // t), tile_row * t
    height = min(t, n - top)
    first = tile_row * across
    tiles = entries.dense_tiles(across * across, a.dense_share, a.dense_seed, first, first + across) - first
    overlaid = np.zeros(across, bool)
    overlaid[tiles] = True
    columns = (tiles[:, None] * t + np.arange(t)).reshape(-1)
    columns = columns[columns < n]  # the last tile may be narrower
    covered = overlaid[(graph & (n - 1)) // t]
    made = Strip(a.scale, t, top, height, overlaid, columns, None, graph[~covered])
    if a.fill == 1.0:
        return made
    stored = np.empty((columns.size, height), bool)
    for block, positions in made.blocks(columns):
        stored[block] = entries.present(positions, a.fill, a.dense_seed)
    column, row = made.places(graph[covered])
    stored[np.searchsorted(columns, column), row] = True
    return replace(made, stored=stored)
