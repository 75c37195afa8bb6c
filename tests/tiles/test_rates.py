"""Rates measured in this process."""

import time

import numpy as np
import pytest

from asafess.tiles import door
from asafess.tiles.rates import best, panel, rates


def test_rates_are_plausible_and_leave_the_door_alone():
    got = rates(0.02)
    assert set(got) == {"scan", "copy", "sample", "dense_product", "sparse_product"}
    assert all(np.isfinite(rate) for rate in got.values())
    assert all(1e8 < got[name] < 1e13 for name in ("scan", "copy", "sample", "dense_product"))
    assert 1e7 < got["sparse_product"] < 1e11
    # Passing over a tile reads less of it than counting it.
    assert got["sample"] > got["scan"]
    assert door.counters()["panels"] == 0


@pytest.mark.parametrize("density", [0.0, 0.1, 1.0])
def test_panels_that_are_measured_have_about_the_density_that_was_asked_for(density):
    dense, sparse = panel("float32", 64, density), panel("float32", 64, density, "sparse")
    assert dense.dense.size * density == pytest.approx(dense.nnz, rel=0.01)
    assert sparse.nnz == dense.nnz
    assert set(sparse.marks.tolist()) == {1}
    assert set(dense.marks.tolist()) == {0}


@pytest.mark.parametrize(("dtype", "tile"), [("float64", 8), ("int8", 64), ("float64", 128), ("float32", 2048)])
def test_panels_that_are_measured_are_large_but_their_columns_take_two_bytes(dtype, tile, monkeypatch):
    monkeypatch.setattr("asafess.tiles.rates.SIZE", 12 << 20)
    empty = panel(dtype, tile, 0.0, "sparse")
    assert empty.cols.dtype == np.uint16
    assert 12 << 20 <= empty.logical_nbytes <= 32 << 20
    assert empty.marks.size >= 2


def test_what_others_do_meanwhile_does_not_count_unless_a_clock_is_named():
    def waits():
        time.sleep(0.02)

    assert best([waits], 0.01)[0] < 0.01
    assert best([waits], 0.01, clock=time.perf_counter)[0] >= 0.02
