"""Panels of the modified Graph500 matrix as tiles, written where they belong: no plain array in between.

Column-major tiles of one height, from left to right, are column-major together. So the dense tiles of a tile row are
one column-major array of their columns. Its sparse tiles come after those of the tile row above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asafess.tiles import build, layout
from asafess.tiles.layout import DENSE, SPARSE
from asafess.tiles.panel import TiledMatrix
from asafess.workloads.graph500_strip import Strip, merged, strips

if TYPE_CHECKING:
    from asafess.workloads.graph500_matrix import Form, Graph500Matrix


def panel(a: Graph500Matrix, p: int, form: Form) -> TiledMatrix:
    """See `Graph500Matrix.panel`. Takes the panel, and some bytes per entry of one strip."""
    parts = strips(a, p)
    rows = a.rows(p)
    shape, tile = (rows.stop - rows.start, a.shape[1]), a.tile
    counts = np.concatenate([s.tile_counts() for s in parts])
    marks = np.where(counts < layout.limits(form, shape, tile, a.dtype), SPARSE, DENSE).astype(np.uint8)
    counts = np.where(marks == DENSE, layout.areas(shape, tile), counts)

    dense, filled, across = np.zeros(counts[marks == DENSE].sum(), a.dtype), 0, -(-shape[1] // tile)
    sparse = []
    for k, s in enumerate(parts):
        is_dense = marks[k * across : (k + 1) * across] == DENSE
        columns = np.flatnonzero(np.repeat(is_dense, tile)[: shape[1]])
        out = dense[filled : filled + columns.size * s.height].reshape(-1, s.height)
        _fill(a, s, is_dense, columns, out)
        filled += out.size
        sparse.append(_sparse(a, s, is_dense))
    return TiledMatrix(
        *(shape, tile, marks, layout.offsets(marks, counts), counts, dense),
        *(np.concatenate([getattr(part, name) for part in sparse]) for name in ("rows", "cols", "values")),
    )


def _fill(
    a: Graph500Matrix, s: Strip, is_dense: NDArray[np.bool_], columns: NDArray[np.int64], out: NDArray[np.generic]
) -> None:
    """Write the dense tiles of a strip, whose columns are given: out has shape (columns, height) and is zero."""
    chosen = is_dense[s.columns // s.tile]
    laid = s.columns[chosen]
    stored = None if s.stored is None else s.stored[chosen]
    at = np.searchsorted(columns, laid)
    for block, positions in s.blocks(laid):
        values = a.values_at(positions)
        out[at[block]] = values if stored is None else values * stored[block]
    column, row = s.places(s.graph)
    inside = is_dense[column // s.tile]
    out[np.searchsorted(columns, column[inside]), row[inside]] = a.values_at(s.graph[inside])


def _sparse(a: Graph500Matrix, s: Strip, is_dense: NDArray[np.bool_]) -> TiledMatrix:
    """Make a strip without the entries of its dense tiles: the others are listed in it as in the panel."""
    chosen = ~is_dense[s.columns // s.tile]
    cells = s.columns[chosen][:, None] * s.tile + np.arange(s.height)
    laid = cells.reshape(-1) if s.stored is None else cells[s.stored[chosen]]
    column, row = s.places(s.graph)
    outside = ~is_dense[column // s.tile]
    # In one tile row, a place (`build.places`) is column * tile + row.
    places = merged(laid, np.sort(column[outside] * s.tile + row[outside]))
    column = places // s.tile
    values = a.values_at((places - column * s.tile + s.top) << a.scale | column)
    return build.from_places(TiledMatrix, places, values, (s.height, 1 << s.scale), s.tile, "sparse", None)
