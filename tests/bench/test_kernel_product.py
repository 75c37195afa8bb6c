from types import SimpleNamespace

import numpy as np
import pytest
from asafess.bench import kernel_product
from asafess.bench.kernel_product import COMPARED_SCALE, OURS, READS, Settings, calls_per_sample, race, same_bits, whole
from asafess.bench.peers import PEERS, Peer, Product
from asafess.bench.scores import timed

from asafess import TiledMatrix
from asafess.workloads import graph500

SMALL = Settings(rounds=2, up_to=2, sample=1e-5, pause=0.0, read_bytes=1 << 16, tile=32)


def test_the_whole_matrix_is_that_of_the_workload():
    csr = whole(8, 20, 32)
    parts = graph500.matrix(8, dense_share=0.2, tile=32)
    np.testing.assert_array_equal(csr.toarray(), np.vstack([parts.panel_array(p) for p in range(parts.panels)]))
    assert csr.indices.dtype == csr.indptr.dtype == np.int32


@pytest.mark.parametrize("columns", [None, 3])
@pytest.mark.parametrize("threads", [1, 2])
def test_every_arm_is_measured_and_right_in_each_round(columns, threads):
    peers = {name: PEERS[name] for name in ("numpy", "scipy-csr")}
    settings = Settings(**{**vars(SMALL), "threads": threads})
    rows = race(7, 20, peers, settings, columns)
    arms = {OURS, f"{OURS} again", *peers, *READS} | ({"asafess, 1 thread"} if threads > 1 else set())
    assert sorted(r["arm"] for r in timed(rows)) == sorted([*arms] * 2)
    assert {r["error"] for r in rows} == {None}
    assert all(r["call_seconds"] == r["seconds"] / r["calls"] for r in rows)
    assert {(r["scale"], r["percent"], r["columns"], r["threads"], r["same_bits"]) for r in rows} == {
        (7, 20, columns, threads, True)
    }
    a = TiledMatrix.from_scipy(whole(7, 20, 32), tile=32, form="full")
    ours = next(r for r in rows if r["arm"] == OURS)
    assert ours["read_bytes"] == a.nbytes + 2 * 128 * 8 * (columns or 1)


def test_a_product_that_is_wrong_in_one_place_makes_failed_rows():
    def make(csr, tile, threads):
        def multiply(x):
            y = csr @ x
            y[17] *= 1 + 1e-9
            return y

        return Product(multiply)

    rows = race(7, 20, {"off": Peer("off", make, lambda csr, tile: 0)}, SMALL)
    for row in rows:
        assert row["ok"] == (row["arm"] != "off")
    assert "differs from SciPy's product by up to" in next(r["error"] for r in rows if r["arm"] == "off")


def test_a_peer_that_needs_too_much_memory_is_skipped_with_a_line():
    said = []
    settings = Settings(**{**vars(SMALL), "peer_bytes": 128 * 128 * 8 - 1})
    rows = race(7, 0, {"numpy": PEERS["numpy"]}, settings, say=said.append)
    assert len(said) == 1
    assert said[0].startswith("numpy: skipped at scale 7")
    assert "numpy" not in {r["arm"] for r in rows}


def test_bits_that_differ_in_one_form_are_seen(monkeypatch):
    csr, x = whole(7, 20, 32), np.random.default_rng(1).random(128)
    assert same_bits(csr, x, 32, 2)
    right = TiledMatrix.dot

    def dot(a, x, threads=None):
        y = right(a, x, threads)
        return np.nextafter(y, 2 * y) if a.marks.all() else y

    monkeypatch.setattr(TiledMatrix, "dot", dot)
    assert not same_bits(csr, x, 32, 2)


def test_bits_of_large_matrices_are_not_compared(monkeypatch):
    assert COMPARED_SCALE >= 12
    monkeypatch.setattr(kernel_product, "COMPARED_SCALE", 6)
    assert "same_bits" not in race(7, 0, {}, SMALL)[0]


def test_a_sample_is_at_least_one_call(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(kernel_product, "time", SimpleNamespace(perf_counter=lambda: clock[0]))

    def call():
        clock[0] += 0.004

    assert calls_per_sample(call, 0.01) == 3
    assert calls_per_sample(call, 1e-6) == 1
