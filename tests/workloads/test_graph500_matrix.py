import pickle
from itertools import pairwise

import numpy as np
import pytest
from graph500_simple import descriptions, simple
from hypothesis import given, settings
from hypothesis import strategies as st

from asafess.workloads import graph500


def whole(a):
    return np.concatenate([a.panel_array(p) for p in range(a.panels)])


def tile_counts(a):
    n, t = a.shape[0], a.tile
    return np.count_nonzero(whole(a).reshape(n // t, t, n // t, t), axis=(1, 3))


# Section 7 of the notes on the reference generator: distinct entries at scale 11, 128 x 128 tiles, seeds (2, 3).
TABLE = [
    # edge factor, symmetrize, order, nnz, min, max, share of empty tiles, share below 128 entries
    (16, False, "scrambled", 22834, 51, 138, 0.0, 0.965),
    (16, False, "recursive", 22834, 0, 1314, 0.47, 0.81),
    (16, True, "scrambled", 45570, 100, 240, 0.0, 0.023),
    (16, True, "recursive", 45570, 0, 2592, 0.004, 0.64),
    (8, False, "scrambled", 12837, 25, 83, 0.0, 1.0),
    (8, True, "recursive", 25614, 0, 1670, 0.02, 0.84),
    (32, True, "recursive", 78332, 0, 3688, 0.004, 0.50),
]


@pytest.mark.parametrize(("factor", "symmetrize", "order", "nnz", "low", "high", "empty", "below"), TABLE)
def test_tiles_have_the_published_statistics(factor, symmetrize, order, nnz, low, high, empty, below):
    """Without dense tiles, entries per tile have the statistics measured on the reference generator."""
    a = graph500.matrix(11, factor, order=order, symmetrize=symmetrize, dense_share=0.0)
    counts = tile_counts(a)
    assert a.nnz == nnz == counts.sum()
    assert (counts.min(), counts.max()) == (low, high)
    assert (counts == 0).mean() == pytest.approx(empty, abs=0.005)
    assert (counts < 128).mean() == pytest.approx(below, abs=0.005)


def test_a_random_permutation_spreads_wider_than_the_hash():
    """A true random permutation makes less equal tiles than the reference's scramble, as the notes say."""
    spread = {
        order: np.ptp(tile_counts(graph500.matrix(11, order=order, symmetrize=False, dense_share=0.0)))
        for order in ("scrambled", "random", "recursive")
    }
    assert spread["scrambled"] < spread["random"] < spread["recursive"]


@settings(deadline=None, max_examples=60)
@given(descriptions, st.data())
def test_every_form_of_a_panel_is_the_same_matrix(a, data):
    """The CSR array, the plain array, the pattern and the row counts of a panel agree to the bit."""
    p = data.draw(st.integers(0, a.panels - 1))
    dense, csr = a.panel_array(p), a.panel_csr(p)
    assert dense.dtype == csr.dtype == a.dtype
    np.testing.assert_array_equal(csr.toarray(), dense)
    np.testing.assert_array_equal(dense != 0, a.pattern(p))
    assert csr.nnz == np.count_nonzero(dense)
    assert csr.has_sorted_indices
    np.testing.assert_array_equal(a.row_counts()[a.rows(p)], np.count_nonzero(dense, axis=1))


@settings(deadline=None, max_examples=60)
@given(descriptions)
def test_panels_are_those_of_a_simple_construction(a):
    """Panels are the rows of the matrix made from its edge list in one plain array, to the bit."""
    expected = simple(a)
    np.testing.assert_array_equal(whole(a), expected)
    assert a.nnz == np.count_nonzero(expected)
    for p in range(a.panels):
        within, values = a.panel_entries(p)
        np.testing.assert_array_equal(within, np.flatnonzero(expected[a.rows(p)]))
        np.testing.assert_array_equal(values, expected[a.rows(p)].reshape(-1)[within])


def test_indices_of_csr_panels_are_as_small_as_they_can_be():
    """CSR panels have 32-bit indices, as SciPy makes them where they fit."""
    panel = graph500.matrix(8, tile=16).panel_csr(2)
    assert panel.indices.dtype == panel.indptr.dtype == np.int32


def test_a_uniform_graph_has_even_tiles():
    """Topology "uniform" spreads entries over tiles like chance does, where "kronecker" in this order does not."""
    spread = {}
    for topology in ("uniform", "kronecker"):
        counts = tile_counts(graph500.matrix(11, topology=topology, symmetrize=False, dense_share=0.0))
        above = counts[np.triu_indices(16, 1)]
        spread[topology] = above.var() / above.mean()
    assert 0.7 < spread["uniform"] < 1.4
    assert spread["kronecker"] > 100
    assert graph500.matrix(11) == graph500.matrix(11, topology="kronecker")


@settings(deadline=None, max_examples=40)
@given(descriptions, st.data())
def test_the_matrix_does_not_depend_on_the_number_of_panels(a, data):
    """Any number of panels cuts the same matrix, into panels that cover each row once."""
    tile_rows = -(-a.shape[0] // a.tile)
    b = graph500.matrix(**{**vars(a), "panels": data.draw(st.integers(1, tile_rows))})
    slices = [b.rows(p) for p in range(b.panels)]
    assert slices[0].start == 0
    assert slices[-1].stop == b.shape[0]
    assert all(s.stop == t.start for s, t in pairwise(slices))
    assert all(s.start % b.tile == 0 and s.stop > s.start for s in slices)
    np.testing.assert_array_equal(whole(a), whole(b))


@settings(deadline=None, max_examples=40)
@given(descriptions, st.integers(0, 4))
def test_analytic_values_have_their_closed_form(a, sweeps):
    """With analytic values the sum over the sweeps is the closed form, whatever the pattern."""
    a = graph500.matrix(**{**vars(a), "values": "analytic", "dtype": np.float64})
    matrix = whole(a)
    y = sum(matrix @ a.vector(k) for k in range(sweeps + 1))
    np.testing.assert_allclose(y, a.expected(sweeps), rtol=1e-8)


def test_dense_tiles_are_full_and_as_many_as_asked_for():
    """Exactly the asked share of tiles is overlaid, and with fill 1 each of their cells is stored."""
    plain, overlaid = (graph500.matrix(9, dense_share=s, tile=32) for s in (0.0, 0.25))
    full = tile_counts(overlaid) == 32 * 32
    assert full.sum() == 64
    np.testing.assert_array_equal(tile_counts(overlaid)[~full], tile_counts(plain)[~full])


def test_values_of_the_graph_stay_when_tiles_are_laid_over_it():
    """A dense tile adds entries and leaves those of the graph as they are."""
    plain, overlaid = (whole(graph500.matrix(8, dense_share=s, tile=16)) for s in (0.0, 0.5))
    np.testing.assert_array_equal(overlaid[plain != 0], plain[plain != 0])


def test_graph_part_with_random_values_is_symmetric():
    """The symmetrized graph has symmetric values; another seed gives other values."""
    a = whole(graph500.matrix(8, dense_share=0.0, tile=16))
    np.testing.assert_array_equal(a, a.T)
    full = [whole(graph500.matrix(6, dense_share=1.0, tile=16, seeds=s)) for s in ((2, 3), (3, 2))]
    assert np.isclose(*full).mean() < 0.01


def test_a_description_travels_small_and_comes_back_equal():
    """A description pickles to less than a kilobyte and makes the same panel after the journey."""
    a = graph500.matrix(8, tile=16, fill=0.5)
    frame = pickle.dumps(a)
    assert len(frame) < 1000
    b = pickle.loads(frame)
    assert a == b
    assert hash(a) == hash(b)
    np.testing.assert_array_equal(a.panel_array(3), b.panel_array(3))


@pytest.mark.parametrize("p", [-1, 16, 1.0])
def test_a_panel_that_does_not_exist_is_refused(p):
    """A panel number out of range is refused with what is allowed."""
    with pytest.raises(ValueError, match=rf"panel is {p}; it must be an integer from 0 to 15"):
        graph500.matrix(11).panel_csr(p)


def test_the_closed_form_is_refused_for_other_values():
    """The closed form is only offered for analytic values."""
    with pytest.raises(ValueError, match="values is 'ones'; the closed form holds for values='analytic'"):
        graph500.matrix(6, values="ones").expected(0)


def test_an_unknown_form_of_a_panel_is_refused():
    """An unknown form is refused with what is allowed."""
    with pytest.raises(ValueError, match="form is 'coo'; allowed are 'dense', 'sparse', 'light', 'full'"):
        graph500.matrix(6, tile=16).panel(0, "coo")
