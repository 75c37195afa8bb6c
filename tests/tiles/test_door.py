"""What leaves in a panel's place, and what is counted."""

import logging
import subprocess
import sys

import numpy as np
import pytest
from tile_strategies import same_bits

from asafess import TiledMatrix
from asafess.kernels import prepare
from asafess.kernels.recode import RECODE
from asafess.tiles import door, probing


@pytest.fixture(autouse=True, scope="module")
def compiled():
    prepare.prepare(["float64"])
    prepare.prepare(["float64"], 300)


@pytest.fixture
def budget():
    yield door.set_probe_budget
    door.set_probe_budget(probing.BUDGET)


def mostly_empty(tile=32):
    a = np.zeros((64, 256))
    a[::7, ::9] = 1.5
    a[:32, :32] = 2.5
    return a, TiledMatrix.from_dense(a, tile)


def test_a_new_process_sends_panels_as_they_are():
    _, panel = mostly_empty()
    assert door.form() == "off"
    assert door.outgoing(panel) is panel


@pytest.mark.parametrize("form", ["light", "full"])
def test_an_open_door_turns_empty_tiles_sparse_and_keeps_full_ones(form):
    a, panel = mostly_empty()
    door.set_form(form)
    sent = door.outgoing(panel)
    assert sent.nbytes < panel.nbytes / 2
    assert sent.tiles[0, 0].mark == "dense"
    assert sent.tiles[1, 1].mark == "sparse"
    assert same_bits(sent.to_dense(), a)


def test_the_threshold_of_light_is_obeyed():
    _, panel = mostly_empty()
    door.set_form("light", threshold=1)
    assert door.outgoing(panel) is panel
    door.set_form("light", threshold=32 * 32)
    assert door.outgoing(panel).tiles[1, 1].mark == "sparse"


def test_sparse_tiles_are_not_looked_at_even_where_they_are_larger_so():
    a = np.zeros((32, 64))
    a[:, :32] = 1
    panel = TiledMatrix.from_dense(a, 32)
    # The full tile sparse, the empty one dense.
    marks, entries = np.array([1, 0], np.uint8), np.arange(1024)
    panel = TiledMatrix(
        *(panel.shape, 32, marks, np.zeros(2, np.int64), panel.counts, np.zeros(1024)),
        *((entries % 32).astype(np.uint8), (entries // 32).astype(np.uint16), np.ones(1024)),
    )
    door.set_form("full")
    sent = door.outgoing(panel)
    assert sent.marks.tolist() == [1, 1]
    assert same_bits(sent.to_dense(), a)


def test_saving_less_than_a_tenth_is_not_worth_it():
    a = np.ones((32, 32 * 20))
    a[:, :32] = 0
    panel = TiledMatrix.from_dense(a, 32)
    door.set_form("full")
    assert door.outgoing(panel) is panel  # one of 20 tiles
    assert door.counters()["sent_bytes"] == panel.nbytes
    a[:, :96] = 0
    panel = TiledMatrix.from_dense(a, 32)
    assert door.outgoing(panel).marks.sum() == 3  # three of 20


@pytest.mark.parametrize(("form", "threshold"), [("on", None), ("dense", None), ("light", -1), ("light", 1.5)])
def test_a_bad_form_is_refused_and_changes_nothing(form, threshold):
    door.set_form("full")
    with pytest.raises(ValueError, match=r"allowed are"):
        door.set_form(form, threshold)
    assert door.form() == "full"


def test_counters_say_what_left():
    _, panel = mostly_empty()
    door.outgoing(panel)
    door.set_form("full")
    sent = door.outgoing(panel)
    got = door.counters()
    assert got["panels"] == 2
    assert got["logical_bytes"] == 2 * panel.logical_nbytes
    assert got["sent_bytes"] == panel.nbytes + sent.nbytes
    assert got["encode_seconds"] > 0
    assert got["uncompiled"] == got["faults"] == 0
    door.reset_counters()
    assert set(door.counters().values()) == {0.0}


def test_an_uncompiled_dtype_goes_raw_at_first_and_is_compressed_later(wait_until):
    # A word type that no other test of this process has compiled, by its wide indices.
    panel = TiledMatrix.from_dense(np.zeros((300, 300), np.int16), 300)
    assert not prepare.ready(np.int16, 300)
    door.set_form("light")
    assert door.outgoing(panel) is panel
    assert door.counters()["uncompiled"] == 1
    wait_until(lambda: prepare.ready(np.int16, 300))
    assert door.outgoing(panel).marks.all()
    assert door.counters()["uncompiled"] == 1


def test_a_fault_sends_the_panel_as_it_is_is_counted_and_warned_of_once(caplog, budget):
    _, panel = mostly_empty()
    broken = TiledMatrix(panel.shape, panel.tile, *panel._arrays())
    broken.rows = broken.rows.astype(np.float32)  # no kernel takes these
    door.set_form("full")
    budget(0)
    with caplog.at_level(logging.WARNING, "asafess"):
        assert door.outgoing(broken) is broken
        assert door.outgoing(broken) is broken
    assert door.counters()["faults"] == 2
    assert door.counters()["panels"] == 2
    assert door.counters()["sent_bytes"] == 2 * broken.nbytes
    assert len(caplog.records) == 1
    assert door.outgoing(panel) is not panel


def test_recoding_at_the_door_needs_one_specialization_only():
    _, panel = mostly_empty()
    door.set_form("full")
    door.outgoing(panel)
    assert len(RECODE.compile(np.uint64, np.uint8, np.uint16).signatures) == 1


def test_a_fault_of_probing_ends_probing_until_reset_and_the_panel_leaves_as_without_it(caplog, budget):
    a, panel = mostly_empty()
    door.set_form("full")
    # The sample has the panel's rows, which no kernel takes; there are no sparse tiles, so the door can do without.
    broken = TiledMatrix(panel.shape, panel.tile, *panel._arrays())
    broken.rows = broken.rows.astype(np.float32)
    budget(0.1)
    with caplog.at_level(logging.WARNING, "asafess"):
        assert door.outgoing(broken) is broken
        assert door.counters()["faults"] == 2  # the probe, and the panel
        door.outgoing(broken)
        assert door.counters()["faults"] == 3
    assert [record.message.split()[0] for record in caplog.records] == ["asafess.probing.fault"]
    assert same_bits(door.outgoing(panel).to_dense(), a)
    assert door.counters()["probed_bytes"] == 0
    door.reset_counters()
    assert same_bits(door.outgoing(panel).to_dense(), a)
    assert door.counters()["probed_bytes"] == panel.logical_nbytes
    assert door.counters()["faults"] == 0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_form_is_timed_in_every_state_and_changes_nothing(dtype):
    prepare.prepare([dtype])
    a, _ = mostly_empty()
    a = np.tile(a, (8, 4)).astype(dtype)
    panel = TiledMatrix.from_dense(a, 32)
    before = [array.copy() for array in panel._arrays()]
    for form in ("off", "light", "full"):
        door.reset_counters()
        door.set_form(form)
        sent = door.outgoing(panel)
        got = door.counters()
        assert got["probed_bytes"] == panel.logical_nbytes
        assert all(got[name] > 0 for name in got if name.startswith("probe")), got
        assert got["faults"] == 0
        assert same_bits(sent.to_dense(), a)
        assert (sent is panel) == (form == "off")
    assert all(same_bits(old, new) for old, new in zip(before, panel._arrays(), strict=True))


def test_a_probe_budget_of_0_ends_probing(budget):
    _, panel = mostly_empty()
    budget(0)
    door.outgoing(panel)
    assert door.counters()["probed_bytes"] == 0
    with pytest.raises(ValueError, match=r"allowed are 0 \(no probing\) to 0.1"):
        door.set_probe_budget(0.2)
    door.reset_counters()
    door.outgoing(panel)
    assert door.counters()["probed_bytes"] == 0  # still 0
    budget(0.005)
    door.outgoing(panel)
    assert door.counters()["probed_bytes"] == panel.logical_nbytes


def test_a_closed_door_does_not_import_numba():
    code = (
        "import sys, numpy as np; from asafess import TiledMatrix; from asafess.tiles import door;"
        "tiles, none = np.arange(16), np.zeros(0, np.uint8);"
        "panel = TiledMatrix((512, 512), 128, np.zeros(16, np.uint8), tiles << 14, np.full(16, 1 << 14),"
        "np.zeros(1 << 18), none, none.astype(np.uint16), none.astype(float));"
        "assert door.outgoing(panel) is panel; assert door.counters()['faults'] == 0; assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
