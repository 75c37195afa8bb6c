"""Rates measured in this process."""

import numpy as np

from asafess.tiles import door
from asafess.tiles.rates import rates


def test_rates_are_plausible_and_leave_the_door_alone():
    got = rates(0.02)
    assert set(got) == {"scan", "copy", "sample", "dense_product", "sparse_product"}
    assert all(np.isfinite(rate) for rate in got.values())
    assert all(1e8 < got[name] < 1e13 for name in ("scan", "copy", "sample", "dense_product"))
    assert 1e7 < got["sparse_product"] < 1e11
    # Passing over a tile reads less of it than counting it.
    assert got["sample"] > got["scan"]
    assert door.counters()["panels"] == 0
