import tracemalloc

import numpy as np
import pytest
from graph500_simple import descriptions, simple
from hypothesis import given, settings
from hypothesis import strategies as st

from asafess import TiledMatrix
from asafess.tiles import layout
from asafess.workloads import graph500, graph500_positions

FORMS = ("dense", "sparse", "light", "full")
ARRAYS = ("marks", "offsets", "counts", "dense", "rows", "cols", "values")


@settings(deadline=None, max_examples=80)
@given(descriptions, st.sampled_from(FORMS))
def test_panels_of_tiles_are_those_of_a_simple_construction(a, form):
    """A panel has, array by array, what the tiles of the same rows of a plain array have, listed by their entries."""
    whole = simple(a)
    for p in range(a.panels):
        rows = whole[a.rows(p)]
        panel = a.panel(p, form)
        i, j = np.nonzero(rows)
        edges = np.column_stack([i, j])
        expected = TiledMatrix.from_edges(edges, rows.shape, a.tile, rows[i, j], a.dtype, form)
        assert (panel.shape, panel.tile, panel.dtype) == (rows.shape, a.tile, a.dtype)
        for name in ARRAYS:
            found, wanted = getattr(panel, name), getattr(expected, name)
            assert found.dtype == wanted.dtype, name
            np.testing.assert_array_equal(found, wanted, err_msg=name)
        np.testing.assert_array_equal(panel.to_dense(), rows)


@pytest.mark.parametrize("form", FORMS)
def test_tiles_are_marked_by_what_they_hold(form):
    """A tile is sparse exactly where it holds fewer entries than the form's limit."""
    a = graph500.matrix(8, tile=32, panels=3, dtype=np.float32)
    for p in range(3):
        panel = a.panel(p, form)
        held = np.count_nonzero(a.pattern(p).reshape(-1, 32, 8, 32), axis=(1, 3)).reshape(-1)
        np.testing.assert_array_equal(panel.marks, held < layout.limits(form, panel.shape, 32, panel.dtype))
    assert {"dense": panel.marks.sum() == 0, "sparse": panel.marks.all()}.get(form, 0 < panel.marks.mean() < 1)


@pytest.mark.parametrize("values", [bool, np.int16])
def test_ones_of_any_type_make_panels(values):
    """A matrix of integer or boolean ones has panels of that type, also with cells left out of dense tiles."""
    a = graph500.matrix(7, tile=16, values="ones", dtype=values, fill=0.5)
    for form in FORMS:
        panel = a.panel(1, form)
        assert panel.dtype == values
        np.testing.assert_array_equal(panel.to_dense(), a.panel_array(1))


def peak(make):
    """Bytes of NumPy's arrays that making something takes at most, and those of what was made."""
    tracemalloc.start()
    made = make()
    now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most, now, made


@pytest.mark.parametrize(("form", "times"), [("dense", 1.15), ("full", 1.6), ("light", 1.5), ("sparse", 4)])
def test_a_panel_takes_the_memory_of_what_it_holds(form, times):
    """Making a panel takes little more than the panel; as a plain array it would take 16 MiB more."""
    a = graph500.matrix(12, panels=8)
    a.panel(0, form)  # the positions of the graph are kept, the modules imported
    most, _, panel = peak(lambda: a.panel(3, form))
    assert most < times * panel.nbytes + 2**20
    assert most < panel.logical_nbytes or form == "dense"


def test_a_csr_panel_takes_the_memory_of_its_entries():
    """Making a CSR panel takes a few times its own bytes."""
    a = graph500.matrix(12, panels=8)
    a.panel_csr(0)
    most, now, _ = peak(lambda: a.panel_csr(3))
    assert most < 3 * now


def test_a_panel_of_a_large_graph_takes_neither_its_rows_nor_the_whole_graph(monkeypatch):
    """Of a panel of 1024 rows of 131072, neither a plain array nor the other 4 million entries are ever held."""
    monkeypatch.setattr(graph500_positions, "KEPT_BYTES", 0)
    a = graph500.matrix(17, panels=128, dense_share=0.0)
    most, _, panel = peak(lambda: a.panel(20, "full"))
    assert 10_000 < panel.values.size < 100_000
    assert most < 18 << 20
    assert panel.logical_nbytes == 1 << 30
