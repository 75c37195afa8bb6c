import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from asafess.workloads import graph500
from asafess.workloads.pagerank import add, column_sums, pagerank

MATRIX = graph500.matrix(7, tile=16, panels=4, symmetrize=False, dense_share=0.05)
WHOLE = np.concatenate([MATRIX.panel_array(p) for p in range(4)])


def stationary(links, damping):
    """The fixed point by a direct solve: another way than sweeping."""
    n = links.shape[0]
    weights = links.sum(axis=0)
    transition = np.where(weights > 0, links / np.where(weights > 0, weights, 1), 1 / n)
    ranks = np.linalg.solve(np.eye(n) - damping * transition, np.full(n, (1 - damping) / n))
    return ranks / ranks.sum()


def test_ranks_are_the_stationary_distribution():
    """Ranks of a graph with dangling vertices solve the linear system, and add up to one."""
    assert (WHOLE.sum(axis=0) == 0).any()
    found = pagerank(MATRIX, tolerance=1e-14, iterations=300)
    np.testing.assert_allclose(found.ranks, stationary(WHOLE, 0.85), rtol=1e-10)
    assert found.ranks.sum() == pytest.approx(1.0, abs=1e-14)
    assert found.sweeps < 300
    assert found.change <= 1e-14


@settings(deadline=None, max_examples=30)
@given(
    hnp.arrays(np.float64, st.integers(1, 6).map(lambda n: (n, n)), elements=st.sampled_from([0.0, 0.0, 1.0, 2.5])),
    st.floats(0, 0.95),
)
def test_any_graph_has_ranks_that_add_up_to_one(links, damping):
    """Whatever the graph, dangling vertices, self-loops or none at all, ranks solve the system and add up to one."""
    found = pagerank(list(np.array_split(links, min(2, len(links)))), 2000, damping=damping, tolerance=1e-13)
    assert found.ranks.sum() == pytest.approx(1.0, abs=1e-13)
    np.testing.assert_allclose(found.ranks, stationary(links, damping), atol=1e-10)


@pytest.mark.parametrize(("placement", "form"), [("stream", "csr"), ("resident", "full"), (None, "dense")])
def test_a_cluster_finds_the_same_bits(client, placement, form):
    """Neither placement nor form nor cluster changes a bit of the ranks."""
    threads = pagerank(MATRIX, 4, form="sparse")
    cluster = pagerank(MATRIX, 4, client=client, placement=placement, form=form)
    assert cluster.sweeps == threads.sweeps == 4
    np.testing.assert_array_equal(cluster.ranks, threads.ranks)


def test_iterations_limit_the_sweeps():
    """No more sweeps are made than asked for."""
    assert pagerank(MATRIX, 2).sweeps == 2


@pytest.mark.parametrize("form", ["dense", "sparse", "light", "full"])
def test_column_sums_have_the_same_bits_in_every_form(form):
    """Column sums of tiles are those of CSR and of the plain array, to the bit."""
    expected = column_sums(MATRIX.panel_csr(1))
    np.testing.assert_array_equal(column_sums(MATRIX.panel(1, form)), expected)
    np.testing.assert_array_equal(column_sums(MATRIX.panel_array(1)), expected)
    np.testing.assert_allclose(expected, MATRIX.panel_array(1).sum(axis=0), rtol=1e-13)


def test_adding_leaves_its_inputs_alone():
    """Adding arrays changes none of them: a worker may hold them for others."""
    a, b = np.ones(2), np.ones(2)
    assert add(a, b, b).tolist() == [3.0, 3.0]
    assert a.tolist() == b.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("links", "arguments", "message"),
    [
        (np.eye(2), {"damping": 1.5}, "damping is 1.5; it must be a number from 0 to 1"),
        (np.eye(2), {"iterations": 0}, "iterations is 0"),
        (np.array([[1.0, -2.0], [0.0, 0.0]]), {}, r"column 1 adds up to .*-2\.0.*finite and not negative"),
        (np.array([[np.nan, 0.0], [0.0, 0.0]]), {}, "column 0 adds up to .*nan"),
        (np.ones((2, 3)), {}, r"the matrix has shape \(2, 3\); PageRank needs a square one"),
    ],
)
def test_bad_arguments_are_named(links, arguments, message):
    """Bad arguments are refused with their value and what is allowed."""
    with pytest.raises(ValueError, match=message):
        pagerank([links], **arguments)
