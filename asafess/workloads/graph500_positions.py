"""Where the entries of a Graph500 graph are, row by row, without holding its edge list.

Edges are made in chunks; of each chunk only the positions in the rows asked for are kept. One pass over all edges
costs the same however few rows are asked for, so a pass keeps as much as `KEPT_BYTES` allow: all rows, where the
whole graph fits, else those asked for and as many of the rows that follow as fit. Panels made from top to bottom in
one process therefore cost one pass for every `KEPT_BYTES` of positions; in another order, up to one pass each. While
it sorts, a pass takes up to three times what it keeps. A process keeps the positions of at most two graphs.

A position is ``row * n + column``, int64: 8 bytes per entry.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from asafess.workloads.graph500_edges import Order, Topology, edges

#: Edges made at a time: they and what is made of them take 16 MiB at most.
CHUNK = 1 << 18
#: Bytes of positions that are kept of a graph.
KEPT_BYTES = 128 << 20
#: Graphs that are kept.
KEPT_GRAPHS = 2


class Graph(NamedTuple):
    """What the positions depend on; see `asafess.workloads.graph500.matrix`."""

    scale: int
    edge_factor: int
    seeds: tuple[int, int]
    order: Order
    #: True: self-loops are dropped and both triangles stored. False: the list as generated, self-loops included.
    symmetrize: bool
    topology: Topology = "kronecker"


class _Rows(NamedTuple):
    """Sorted positions of the entries in rows start to stop."""

    start: int
    stop: int
    positions: NDArray[np.int64]


_lock = threading.Lock()
_kept: dict[Graph, _Rows] = {}


def graph_positions(graph: Graph, start: int = 0, stop: int | None = None) -> NDArray[np.int64]:
    """Sorted positions of the graph's entries in some rows, each once.

    Parameters
    ----------
    graph : Graph
    start, stop : int
        The rows; all of them by default.

    Returns
    -------
    ndarray of int64, shape (entries,)
        Read-only.

    Examples
    --------
    >>> graph_positions(Graph(1, 16, (2, 3), "recursive", True))
    array([1, 2])
    """
    stop = 1 << graph.scale if stop is None else stop
    with _lock:  # threads of one worker ask at the same time; one of them generates
        rows = _kept.pop(graph, None)
        if rows is None or not rows.start <= start <= stop <= rows.stop:
            rows = None  # what does not help must not take memory meanwhile
            rows = _collect(graph, start, stop)
        if rows.positions.nbytes <= KEPT_BYTES:
            _kept[graph] = rows  # the last one asked for is the last one dropped
            while len(_kept) > KEPT_GRAPHS:
                del _kept[next(iter(_kept))]
    low, high = np.searchsorted(rows.positions, [start << graph.scale, stop << graph.scale])
    return rows.positions[low:high]


def _collect(graph: Graph, start: int, stop: int) -> _Rows:
    """Pass over all edges; keep the rows from start to stop, and more as `KEPT_BYTES` allow."""
    end, total = 1 << graph.scale, graph.edge_factor << graph.scale
    if 8 * total * (1 + graph.symmetrize) <= KEPT_BYTES:
        start = 0
    positions = np.empty(0, np.int64)
    loose: list[NDArray[np.int64]] = []
    for first in range(0, total, CHUNK):
        done = min(first + CHUNK, total)
        loose += _chunk(graph, first, done - first, start, end)
        if done < total and sum(part.size for part in loose) < max(CHUNK, positions.size):
            continue
        positions = _sorted([positions, *loose])
        loose = []
        if positions.nbytes > KEPT_BYTES and end > stop:
            # Cut to the rows that will fill the bound once all edges have been made.
            last = positions[int(KEPT_BYTES // 8 * (done / total))]
            end = max(stop, int(last >> graph.scale))
            positions = positions[: np.searchsorted(positions, end << graph.scale)].copy()
    positions.flags.writeable = False  # it is shared by all callers
    return _Rows(start, end, positions)


def _chunk(graph: Graph, first: int, count: int, start: int, end: int) -> list[NDArray[np.int64]]:
    """Positions of some edges in rows start to end, in no order."""
    scale = graph.scale
    pairs = edges(scale, seeds=graph.seeds, start=first, count=count, order=graph.order, topology=graph.topology)
    source, target = pairs[:, 0], pairs[:, 1]
    ways = [(source, target)]
    if graph.symmetrize:
        proper = source != target
        source, target = source[proper], target[proper]
        ways = [(source, target), (target, source)]
    parts = []
    for row, column in ways:
        if (start, end) != (0, 1 << scale):
            inside = (row >= start) & (row < end)
            row, column = row[inside], column[inside]
        parts.append((row << scale) | column)
    return parts


def _sorted(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Sort positions and keep each once; np.unique hashes them first, which takes longer."""
    positions = np.concatenate(parts)
    parts.clear()
    positions.sort()
    new = np.ones(positions.size, bool)
    np.not_equal(positions[1:], positions[:-1], out=new[1:])
    return positions if new.all() else positions[new]
