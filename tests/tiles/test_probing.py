"""Probing keeps to its budget, times each form on its own tiles, and meets all tiles in time."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess import TiledMatrix
from asafess.kernels import prepare
from asafess.tiles import probing
from asafess.tiles.counters import Counters
from asafess.tiles.layout import DENSE
from asafess.tiles.probing import Allowance, Probe


@pytest.fixture(autouse=True, scope="module")
def compiled():
    prepare.prepare(["float64"])


class Clock:
    """Time that passes when it is told to."""

    now = 1000.0

    def __call__(self):
        return self.now


def numbered(rows=512, columns=1024, tile=128):
    """Return a panel whose tiles hold their number, the first one 1."""
    a = np.zeros((rows // tile, tile, columns // tile, tile))
    a += np.arange(1, a.shape[0] * a.shape[2] + 1).reshape(a.shape[0], 1, -1, 1)
    return TiledMatrix.from_dense(a.reshape(rows, columns), tile)


def probe_of(clock, cost, budget=0.005):
    """Return a probe whose recoding takes so many seconds of a clock, or what a function says, and its counters."""

    def recode(matrix, nbytes, form, threshold):
        clock.now += cost() if callable(cost) else cost
        return matrix

    counters = Counters()
    return Probe(counters, recode, budget, clock, clock), counters


def numbers(sample):
    """Return the numbers of the tiles of a sample of a numbered panel, in its order."""
    return [int(sample.dense[sample.offsets[t]]) for t in np.flatnonzero(sample.marks == DENSE)]


@given(st.sampled_from((0.001, 0.005, 0.1)), st.lists(st.tuples(st.floats(0, 3), st.floats(1e-6, 0.5)), max_size=60))
def test_what_is_spent_is_never_more_than_the_share_and_the_last_piece(share, run):
    now = start = 50.0
    allowance, spent = Allowance(share, now), 0.0
    for pause, seconds in run:
        now += pause
        if now >= allowance.due:
            assert spent <= share * (now - start) + 1e-9
            allowance.spend(now, seconds)
            spent += seconds
            now += seconds


@pytest.mark.parametrize("budget", [0.001, 0.005, 0.1])
def test_over_a_run_probing_takes_its_budget_and_hardly_less(budget):
    clock, panel, rng = Clock(), numbered(), np.random.default_rng(0)
    dearest = 0.0

    def cost():
        nonlocal dearest
        seconds = rng.exponential(2e-4)
        dearest = max(dearest, seconds)
        return seconds

    probe, counters = probe_of(clock, cost, budget)
    for _ in range(10000):
        clock.now += rng.exponential(1e-3)
        probe.look(panel, None)
        # Two forms are put into a form, and products take no time of this clock.
        assert counters.read()["probe_seconds"] <= budget * (clock.now - Clock.now) + 2 * dearest
    assert counters.read()["probe_seconds"] > 0.8 * budget * (clock.now - Clock.now)


def test_a_long_pause_is_not_paid_out_in_a_burst():
    clock, panel = Clock(), numbered()
    probe, counters = probe_of(clock, 0.0005)
    clock.now += 3600  # 18 s of probing, were it all saved
    for _ in range(1000):
        probe.look(panel, None)
    # 5 ms are saved, each probe takes 1.
    assert counters.read()["probe_seconds"] == pytest.approx(0.005)


def test_a_panel_is_probed_once_at_most():
    clock, panel = Clock(), numbered()
    probe, counters = probe_of(clock, 1e-6)
    probe.look(panel, None)
    assert counters.read()["probed_bytes"] == panel.logical_nbytes
    clock.now += 3600
    probe.look(panel, None)
    assert counters.read()["probed_bytes"] == 2 * panel.logical_nbytes


def test_a_probe_that_was_dear_by_accident_is_not_the_last():
    clock, panel, costs = Clock(), numbered(), iter([1.0, 0.0, *[1e-4] * 100])
    probe, counters = probe_of(clock, lambda: next(costs))
    probe.look(panel, None)
    clock.now += 190  # 1 s is paid for after 200
    probe.look(panel, None)
    assert counters.read()["probed_bytes"] == panel.logical_nbytes
    clock.now += 12
    probe.look(panel, None)
    assert counters.read()["probed_bytes"] == 2 * panel.logical_nbytes


def test_each_figure_is_that_of_its_form_whichever_is_first():
    seconds, clock, order = {"light": 1.0, "full": 10.0, "off": 0.0}, Clock(), []

    class Timed(TiledMatrix):
        form = "off"

        def dot(self, x, threads=None):
            assert threads == 1
            assert x.tolist() == [1.0] * self.shape[1]
            clock.now += {"off": 100.0, "light": 1000.0, "full": 10000.0}[self.form]

    def recode(matrix, nbytes, form, threshold):
        assert (nbytes, threshold) == (matrix.logical_nbytes, 7)
        order.append(form)
        clock.now += seconds[form]
        matrix.form = form
        return matrix

    counters, plain = Counters(), numbered()
    panel = Timed(plain.shape, plain.tile, *plain._arrays())
    probe = Probe(counters, recode, 0.1, clock, clock)
    probe.look(panel, 7)
    clock.now += 1e9
    probe.look(panel, 7)
    got = counters.read()
    assert sorted(order[:2]) == ["full", "light"]
    assert order[2:] == order[1::-1]
    assert got["probed_encode_light_seconds"] == 2
    assert got["probed_encode_full_seconds"] == 20
    assert got["probed_product_off_seconds"] == 200
    assert got["probed_product_light_seconds"] == 2000
    assert got["probed_product_full_seconds"] == 20000
    assert got["probe_seconds"] == 22222


@pytest.mark.parametrize("size", [(2048, 4096), (128, 12800), (12800, 128)])
def test_the_samples_of_a_large_panel_have_no_tile_in_common_and_are_views(size, monkeypatch):
    monkeypatch.setattr(probing, "SAMPLE", 1 << 20)
    panel = numbered(*size)
    for turn in range(20):
        samples = probing._samples(panel, turn)
        met = [number for sample in samples for number in numbers(sample)]
        assert len(set(met)) == len(met) == 3 * 8
        assert all(sample.dense is panel.dense for sample in samples)
        for sample in samples:
            dense = np.repeat(np.repeat(np.float64(numbers(sample)), 128)[None], 128, axis=0)
            assert np.array_equal(sample.recode("sparse").to_dense(), dense)
            assert np.array_equal(sample.dot(np.arange(1024.0), threads=1), dense @ np.arange(1024.0))


def test_in_time_every_sample_meets_every_tile(monkeypatch):
    monkeypatch.setattr(probing, "SAMPLE", 1 << 20)
    panel = numbered(1024, 2048)
    met = np.zeros((3, 129), int)
    for turn in range(400):
        for k, sample in enumerate(probing._samples(panel, turn)):
            met[k, numbers(sample)] += 1
    # 8 of 128 tiles each time
    assert met[:, 1:].min() >= 0.7 * 400 * 8 / 128
    assert met[:, 1:].max() <= 1.3 * 400 * 8 / 128


def test_a_small_panel_is_sampled_whole_and_only_its_dense_whole_tiles_count():
    a = numbered(256, 512).to_dense()
    a[:128, 128:256] = 0
    panel = TiledMatrix.from_dense(np.pad(a, ((0, 5), (0, 5))), 128).recode("sparse")
    assert probing._samples(panel, 0) == []
    panel = TiledMatrix.from_dense(np.pad(a, ((0, 5), (0, 5)), constant_values=1), 128).recode("light")
    for turn in range(5):
        for sample in probing._samples(panel, turn):
            assert len(numbers(sample)) == 4  # of 7: whole runs, as many as the sample has
            assert set(numbers(sample)) <= {1, 3, 4, 5, 6, 7, 8}


def test_samples_of_a_wide_panel_number_their_columns_as_it_does(monkeypatch):
    prepare.prepare(["uint8"], 128, 1 << 17)
    panel = TiledMatrix.from_dense(np.ones((128, (1 << 16) + 128), np.uint8), 128)
    for sample in probing._samples(panel, 0):
        assert sample.cols.dtype == np.uint32
        assert sample.shape[1] > 1 << 16
        sparse = sample.recode("sparse")
        assert sparse.cols.dtype == np.uint32
        assert sparse.nnz == 512 << 14
    # A tall one with many small tiles keeps to two bytes.
    panel = TiledMatrix.from_dense(np.ones((1 << 14, 64)), 8)
    assert probing._samples(panel, 0)[0].shape == (8, 1 << 16)


@pytest.mark.parametrize(
    "panel",
    [
        TiledMatrix.from_dense(np.ones((64, 128)), 32),  # 64 KiB
        TiledMatrix.from_dense(np.ones((1000, 100)), 128),  # no whole tile
        TiledMatrix.from_dense(np.ones((1100, 1100)), 1100),  # a tile larger than a sample
        TiledMatrix.from_dense(np.ones((0, 5))),
    ],
)
def test_unfit_panels_are_not_probed(panel):
    def recode(*_):
        raise AssertionError("probed")

    clock, counters = Clock(), Counters()
    Probe(counters, recode, 0.005, clock, clock).look(panel, None)
    assert set(counters.read().values()) == {0.0}


def test_a_panel_whose_kernels_are_not_compiled_is_not_probed(monkeypatch):
    probe, counters = probe_of(Clock(), 0.0)
    monkeypatch.setattr(prepare, "ready", lambda *_: False)  # in this process any test may have compiled any of them
    probe.look(numbered(), None)
    assert counters.read()["probed_bytes"] == 0
    monkeypatch.undo()
    probe.look(numbered(), None)
    assert counters.read()["probed_bytes"] == numbered().logical_nbytes


def test_while_one_thread_probes_others_pass():
    clock, panel, counters = Clock(), numbered(), Counters()
    inside, leave = threading.Event(), threading.Event()

    def recode(matrix, nbytes, form, threshold):
        inside.set()
        assert leave.wait(60)
        return matrix

    probe = Probe(counters, recode, 0.005, clock, clock)
    thread = threading.Thread(target=probe.look, args=(panel, None))
    thread.start()
    assert inside.wait(60)
    probe.look(panel, None)  # would wait for ever
    assert counters.read()["probed_bytes"] == 0
    leave.set()
    thread.join()
    assert counters.read()["probed_bytes"] == panel.logical_nbytes
    assert counters.read()["faults"] == 0


@pytest.mark.parametrize("budget", [-0.001, 0.11, 1, float("nan"), float("inf")])
def test_a_bad_budget_is_refused_and_the_present_one_stays(budget):
    probe = probe_of(Clock(), 0.0)[0]
    with pytest.raises(ValueError, match=r"allowed are 0 \(no probing\) to 0\.1"):
        probe.reset(budget)
    assert probe.budget == probing.BUDGET
