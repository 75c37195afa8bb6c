"""The Graph500 Kronecker generator, and the matrix made from it.

- `edges`: the edge list of the reference code, bit for bit (`graph500_edges.py`);
- `matrix`: its sparse matrix, modified by dense tiles as in the ASAFESSS paper; here are the arguments and their
  limits, the panels are made in `graph500_matrix.py`.

Both can draw their edges uniformly instead (``topology="uniform"``).

Edge weights, search keys and the breadth-first search of the benchmark are not covered.

Examples
--------
>>> from asafess.workloads import graph500
>>> graph500.edges(6, count=2)
array([[50, 43],
       [15, 17]])
>>> a = graph500.matrix(11, dense_share=0.0)
>>> a.shape, a.panels, a.nnz
((2048, 2048), 16, 45570)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from asafess.workloads.graph500_edges import (
    ORDERS,
    TOPOLOGIES,
    Order,
    Topology,
    check_choice,
    check_integer,
    check_seeds,
    edges,
    permutation,
)
from asafess.workloads.graph500_matrix import VALUES, Graph500Matrix, Values

__all__ = ["Graph500Matrix", "edges", "matrix", "permutation"]

#: A dense panel is at most this big by default, unless that makes too few panels ...
PANEL_BYTES = 32 << 20
#: ... to keep a few workers busy: four panels for each of four.
FEWEST_PANELS = 16
#: Positions row * n + column are int64.
MAX_MATRIX_SCALE = 28


def matrix(
    scale: int,
    edge_factor: int = 16,
    seeds: tuple[int, int] = (2, 3),
    order: Order = "recursive",
    symmetrize: bool = True,
    dense_share: float = 0.2,
    fill: float = 1.0,
    dense_seed: int = 1,
    values: Values = "random",
    tile: int = 128,
    panels: int | None = None,
    dtype: Any = np.float64,
    topology: Topology = "kronecker",
) -> Graph500Matrix:
    """Describe the modified Graph500 matrix of 2**scale rows and columns.

    Parameters
    ----------
    scale : int
        Binary logarithm of the number of rows, 1 to 28.
    edge_factor, seeds, order
        As in `asafess.workloads.graph500.edges`, but in recursive order by default.
    symmetrize : bool
        True: self-loops are dropped, both triangles stored. False: the edge list as generated, self-loops included.
        Duplicates are merged in both cases.
    dense_share : float
        Share of the tiles that are overlaid, 0 to 1: exactly ``round(dense_share * number of tiles)``, at random.
    fill : float
        Probability of each cell of an overlaid tile to be stored, 0 to 1.
    dense_seed : int
        Chooses the overlaid tiles and their cells.
    values : {"random", "ones", "analytic"}
        "random": in (0, 1], never zero, a function of (seeds, row, column), symmetric if `symmetrize`. "analytic":
        1/(column + 1), for which the result of a product is known in closed form, see `Graph500Matrix.expected`.
    tile : int
        Rows and columns of a tile.
    panels : int, optional
        Number of panels, 1 to the number of tile rows. By default such that a dense panel takes up to 32 MiB and
        there are at least 16.
    dtype : data type
        Of the values; float32 or float64 unless values is "ones".
    topology : {"kronecker", "uniform"}
        As in `asafess.workloads.graph500.edges`.

    Returns
    -------
    Graph500Matrix

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> a = matrix(11, dense_share=0.2)
    >>> a.shape, a.panels, a.rows(15)
    ((2048, 2048), 16, slice(1920, 2048, None))
    >>> matrix(13).panels
    16
    """
    scale = check_integer("scale", scale, 1, MAX_MATRIX_SCALE)
    edge_factor = check_integer("edge_factor", edge_factor, 0, 2**15)
    check_choice("order", order, ORDERS)
    check_choice("topology", topology, TOPOLOGIES)
    check_choice("values", values, VALUES)
    tile = check_integer("tile", tile, 1, 2**15)
    dense_seed = check_integer("dense_seed", dense_seed, -(2**63), 2**64 - 1)
    for name, share in (("dense_share", dense_share), ("fill", fill)):
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"{name} is {share!r}; it must be a number from 0 to 1")
    dtype = np.dtype(dtype).newbyteorder("=")
    if values == "ones":
        if dtype.kind not in "biu" and dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype is {dtype}; it must be bool, an integer type, float32 or float64")
    elif dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype is {dtype}; values={values!r} need float32 or float64")
    n = 1 << scale
    tile_rows = -(-n // tile)
    if panels is None:
        panels = min(tile_rows, max(FEWEST_PANELS, -(-n * n * dtype.itemsize // PANEL_BYTES)))
    panels = check_integer("panels", panels, 1, tile_rows)
    return Graph500Matrix(
        scale=int(scale),
        edge_factor=int(edge_factor),
        seeds=check_seeds(seeds),
        order=order,
        symmetrize=bool(symmetrize),
        dense_share=float(dense_share),
        fill=float(fill),
        dense_seed=int(dense_seed),
        values=values,
        tile=int(tile),
        panels=int(panels),
        dtype=dtype,
        topology=topology,
    )
