import tracemalloc
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.workloads import graph500_positions
from asafess.workloads.graph500_edges import edges
from asafess.workloads.graph500_positions import Graph, graph_positions

graphs = st.builds(
    Graph,
    scale=st.integers(1, 8),
    edge_factor=st.sampled_from([0, 1, 16]),
    seeds=st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)),
    order=st.sampled_from(["scrambled", "recursive", "random"]),
    symmetrize=st.booleans(),
    topology=st.sampled_from(["kronecker", "uniform"]),
)


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    monkeypatch.setattr(graph500_positions, "_kept", {})


@pytest.fixture
def generated(monkeypatch):
    """Numbers of the edges generated in each call."""
    counts = []

    def counted(*args, **kwargs):
        counts.append(kwargs["count"])
        return edges(*args, **kwargs)

    monkeypatch.setattr(graph500_positions, "edges", counted)
    return counts


def simple(graph):
    """Positions of the whole graph, from its edge list and a set."""
    pairs = edges(graph.scale, graph.edge_factor, graph.seeds, order=graph.order, topology=graph.topology).tolist()
    if graph.symmetrize:
        pairs = [ends for i, j in pairs if i != j for ends in ((i, j), (j, i))]
    return np.array(sorted({(i << graph.scale) + j for i, j in pairs}), np.int64)


@given(graphs, st.integers(0, 3000), st.integers(1, 700), st.data())
def test_any_rows_asked_for_in_any_order_are_those_of_the_whole(graph, kept, chunk, data):
    """Whatever is kept and however edges are cut into chunks, rows hold what they hold in the whole matrix."""
    whole, n = simple(graph), 1 << graph.scale
    graph500_positions._kept.clear()
    with mock.patch.multiple(graph500_positions, KEPT_BYTES=kept, CHUNK=chunk):
        for _ in range(3):
            start, stop = sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n))))
            expected = whole[(whole >= start * n) & (whole < stop * n)]
            np.testing.assert_array_equal(graph_positions(graph, start, stop), expected)
            assert all(rows.positions.nbytes <= kept for rows in graph500_positions._kept.values())


def test_symmetrized_positions_hold_both_triangles_and_no_loop():
    """Symmetrized: no self-loop, both triangles, each entry once and in order; as generated: loops stay."""
    symmetric = graph_positions(Graph(8, 16, (2, 3), "recursive", True))
    i, j = np.divmod(symmetric, 256)
    assert (i != j).all()
    assert (np.diff(symmetric) > 0).all()
    np.testing.assert_array_equal(np.sort(j * 256 + i), symmetric)
    as_generated = graph_positions(Graph(8, 16, (2, 3), "recursive", False))
    i, j = np.divmod(as_generated, 256)
    assert (i == j).any()
    np.testing.assert_array_equal(np.union1d(as_generated[i != j], (j * 256 + i)[i != j]), symmetric)


def test_a_graph_that_fits_is_generated_once_for_all_panels(generated):
    """All panels of a graph that fits cost one pass, whichever comes first; another graph does not undo it."""
    one, other = Graph(10, 16, (2, 3), "scrambled", True), Graph(10, 16, (5, 8), "scrambled", True)
    for p in (3, 0, 1, 2):
        for graph in (one, other):
            graph_positions(graph, 256 * p, 256 * (p + 1))
    assert sum(generated) == 2 * 16 << 10


def test_a_graph_that_does_not_fit_costs_a_pass_for_as_many_panels_as_fit(generated, monkeypatch):
    """From top to bottom, 32 panels of which about 8 fit cost 4 to 6 passes over the edges, not 32."""
    graph = Graph(12, 16, (2, 3), "scrambled", True)
    monkeypatch.setattr(graph500_positions, "KEPT_BYTES", graph_positions(graph).nbytes // 4)
    monkeypatch.setattr(graph500_positions, "CHUNK", 1 << 12)
    graph500_positions._kept.clear()
    generated.clear()
    for p in range(32):
        graph_positions(graph, 128 * p, 128 * (p + 1))
    assert 4 * 16 << 12 <= sum(generated) <= 6 * 16 << 12


def test_what_is_kept_belongs_to_two_graphs_at_most():
    """The graph asked for last is the last one dropped."""
    a, b, c = (Graph(6, 16, (2, s), "scrambled", True) for s in range(3))
    for graph in (a, b, a, c):
        graph_positions(graph)
    assert list(graph500_positions._kept) == [a, c]


@pytest.mark.parametrize("order", ["scrambled", "recursive"])
def test_the_rows_of_a_panel_take_no_memory_for_the_others(order, monkeypatch):
    """Where nothing may be kept, a 64th of the rows takes a chunk of edges at a time, not all of them."""
    graph = Graph(17, 16, (2, 3), order, True)
    monkeypatch.setattr(graph500_positions, "KEPT_BYTES", 0)
    tracemalloc.start()
    found = graph_positions(graph, 30 << 11, 31 << 11)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    whole = 2 * 8 * (16 << 17)
    assert found.nbytes < whole / 40
    assert peak < 18 << 20 < whole
    assert not graph500_positions._kept


def test_positions_are_read_only():
    """What all callers share can't be written to."""
    with pytest.raises(ValueError, match="read-only"):
        graph_positions(Graph(3, 1, (2, 3), "scrambled", True))[0] = 0
