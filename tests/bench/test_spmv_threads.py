"""Shared memory: every arm multiplies right, and *adaptive* decides as its arithmetic says."""

import numpy as np
import pytest
from asafess.bench import spmv_threads_program
from asafess.bench.demo import Job
from asafess.bench.harness import Outcome, Result
from asafess.bench.spmv_threads import ARMS, shared_memory, summary
from asafess.bench.spmv_threads_program import Program

SMALL = Job(scale=9, tile=32, dense_share=0.2)
#: bytes/s and entries/s, made up so that compressing pays with 10 products but not with 1
RATES = {"dense_product": 8e9, "sparse_product": 1e9, "scan": 4e9, "copy": 4e9, "sample": 40e9}


@pytest.fixture(autouse=True)
def rates(monkeypatch):
    monkeypatch.setattr(spmv_threads_program, "rates", lambda *_, **__: RATES)
    monkeypatch.setattr(spmv_threads_program, "SECONDS", 0.0)


@pytest.fixture
def small():
    return Program(SMALL, 2, 10)


def test_every_run_of_every_arm_is_right_and_the_summary_has_both_readings():
    said = []
    found = shared_memory(SMALL, 2, 1, said.append, threads=2, products=(1, 3))
    assert all(row["ok"] for row in found["rows"]), [row["error"] for row in found["rows"]]
    assert {row["arm"] for row in found["rows"]} == {*ARMS, "adaptive again"}
    assert {row["products"] for row in found["rows"]} == {1, 3}
    assert set(found["summary"]["products"]) == {"1", "3"}
    for one in found["summary"]["products"].values():
        assert one["failed"] == 0
        assert set(one["speedup_vs_dense"]) == set(one["time_saved_vs_dense"]) == set(ARMS) - {"dense"}
        assert set(one["speedup_vs_sparse"]) == set(ARMS) - {"sparse"}
    assert len(said) == 3


def test_each_arm_has_the_tiles_that_it_says(small):
    counts = np.concatenate([panel.recode("sparse").counts for panel in small.panels["dense"]])
    sparse = {arm: small.run(arm, 10).figures["sparse_tiles"] for arm in ARMS}
    assert sparse["dense"] == sparse["sparse"] == 0
    assert sparse["light"] == np.count_nonzero(counts < 32)
    assert sparse["full"] == np.count_nonzero(counts * 11 < 32 * 32 * 8)
    # one entry of the made-up rates takes as long as one dense word
    assert small.break_even == 1024
    assert sparse["adaptive"] == np.count_nonzero(counts < 1024)
    assert sparse["oracle"] == np.count_nonzero(counts < small.oracle)


def test_compressing_a_part_leaves_what_the_next_run_starts_from(small):
    small.run("full", 1)
    small.run("adaptive", 10)
    assert all(not panel.marks.any() for panel in small.panels["dense"])


def test_adaptive_compresses_only_where_that_is_paid_back(small):
    assert [small.decide(products) for products in (1, 10)] == [False, True]
    small.rates = {**RATES, "scan": 1e6}
    assert not small.decide(10)


def test_the_sample_is_right_where_it_is_everything_and_scaled_where_it_is_not(small, monkeypatch):
    counts = np.concatenate([panel.recode("sparse").counts for panel in small.panels["dense"]])
    monkeypatch.setattr(spmv_threads_program, "SAMPLED", 1)
    few = counts < 100
    size = 32 * 32 * 8
    exact = few.sum() * size, counts[few].sum(), (~few).sum() * size
    assert spmv_threads_program.sample(small.panels["dense"], 100) == exact
    monkeypatch.setattr(spmv_threads_program, "SAMPLED", 4)
    removed, entries, copied = spmv_threads_program.sample(small.panels["dense"], 100)
    assert removed + copied == small.matrix.shape[0] ** 2 * 8
    assert removed == pytest.approx(exact[0], rel=0.3)
    assert entries == pytest.approx(exact[1], rel=0.5)


def test_tiles_are_not_even_looked_at_where_looking_costs_more_than_all_products(small, monkeypatch):
    monkeypatch.setattr(spmv_threads_program, "sample", lambda *_: pytest.fail("looked at tiles"))
    assert not small.decide(1)


def test_copying_dense_tiles_counts_among_the_costs(small):
    assert small.decide(10)
    small.rates = {**RATES, "copy": 1e6}
    assert not small.decide(10)


def test_adaptive_leaves_a_dense_matrix_alone():
    assert not Program(Job(scale=8, tile=32, dense_share=1.0), 2, 1).decide(1000)


def test_a_wrong_result_is_a_failed_run(small):
    small.panels["sparse"][0].data[:] += 1
    assert "wrong result" in small.verify(small.run("sparse", 1))
    assert isinstance(small.verify(small.run("dense", 1)), dict)


def test_other_bits_are_a_failed_run(small):
    small.verify(small.run("dense", 1))
    arm, products, total = small.run("dense", 1).value
    total[7] = np.nextafter(total[7], np.inf)
    assert "bits differ" in small.verify(Outcome((arm, products, total)))


@pytest.mark.parametrize(("oracle", "too_good"), [(0.8, False), (1.0, False), (1.2, True)])
def test_undercutting_the_oracle_is_flagged(oracle, too_good):
    seconds = {**dict.fromkeys(ARMS, 1.0), "oracle": oracle, "adaptive again": 1.001}
    rows = [
        {"arm": arm, "round": number, "ok": True, "seconds": took}
        for number in range(5)
        for arm, took in seconds.items()
    ]
    assert summary(Result(rows, 5, 5, "adaptive"))["too_good"] is too_good
