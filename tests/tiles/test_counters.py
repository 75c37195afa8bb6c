"""The sample of the data: one tile in 64, the same in every state."""

import threading

import numpy as np
import pytest

from asafess import TiledMatrix
from asafess.kernels import prepare
from asafess.tiles import door
from asafess.tiles.counters import COUNTERS, Counters

SAMPLED = [name for name in COUNTERS if name.startswith("sampled_")]


def panel_of_three_kinds(form="dense"):
    """Return a panel of 192 tiles of 16 × 16: empty, 12 of 256 and full, one after the other."""
    a = np.zeros((16, 192, 16))
    a[0, 1::3, :12] = 1
    a[:, 2::3] = 1
    return TiledMatrix.from_dense(a.reshape(16, -1), 16, form)


def test_one_tile_in_64_is_looked_at():
    counters = Counters()
    for _ in range(100):
        counters.sample(panel_of_three_kinds(), None)
    assert counters.read()["sampled_words"] == pytest.approx(100 * 192 / 64 * 256, rel=0.01)


@pytest.mark.parametrize("period", [1, 2, 3, 5, 16, 64, 128])
def test_every_kind_of_tile_has_its_share_whatever_the_period_of_the_data(period):
    counters = Counters()
    a = np.zeros((1, 640))
    a[:, ::period] = 1
    matrix = TiledMatrix.from_dense(a, 1)
    for _ in range(200):
        counters.sample(matrix, None)
    got = counters.read()
    assert got["sampled_zeros"] / got["sampled_words"] == pytest.approx(1 - 1 / period, abs=0.02)


def test_the_sample_says_exactly_what_its_tiles_would_take():
    counters, matrix = Counters(), panel_of_three_kinds()
    for _ in range(320):
        counters.sample(matrix, None)
    got = counters.read()
    share = {name: got[name] / got["sampled_bytes"] for name in SAMPLED}
    assert got["sampled_bytes"] == got["sampled_words"] * 8
    assert share["sampled_zeros"] * 8 == pytest.approx((256 + 244 + 0) / 768, rel=0.02)
    assert share["sampled_light_bytes"] == pytest.approx((0 + 120 + 2048) / 6144, rel=0.02)
    assert share["sampled_full_bytes"] == pytest.approx((0 + 120 + 2048) / 6144, rel=0.02)
    strict = Counters()
    for _ in range(320):
        strict.sample(matrix, 12)  # 12 non-zeros are not below 12
    got = strict.read()
    assert got["sampled_light_bytes"] / got["sampled_bytes"] == pytest.approx(2 / 3, rel=0.02)


def test_the_sample_is_the_same_in_every_state_of_the_door_and_every_form_of_the_data():
    prepare.prepare(["float64"])
    seen = []
    for form in ("off", "light", "full"):
        for data in ("dense", "full", "sparse"):
            door.reset_counters()
            door.set_form(form)
            panel = panel_of_three_kinds(data)
            for _ in range(10):
                door.outgoing(panel)
            seen.append([door.counters()[name] for name in SAMPLED])
    assert all(sample == seen[0] for sample in seen)
    assert seen[0][0] > 0


def test_additions_of_many_threads_are_all_counted():
    counters = Counters()

    def count():
        for _ in range(500):
            counters.add(panels=1, sent_bytes=2)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.read()["panels"] == 2000
    assert counters.read()["sent_bytes"] == 4000


def test_matrices_without_tiles_add_nothing():
    counters = Counters()
    counters.sample(TiledMatrix.from_dense(np.empty((0, 3))), None)
    assert set(counters.read().values()) == {0.0}


def test_every_probed_figure_has_a_name_and_nothing_else_has():
    assert {name for name in COUNTERS if name.startswith("probe")} == {
        *("probed_bytes", "probe_seconds", "probed_encode_light_seconds", "probed_encode_full_seconds"),
        *(f"probed_product_{form}_seconds" for form in door.DOOR_FORMS),
    }
