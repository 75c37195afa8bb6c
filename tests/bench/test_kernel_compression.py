import numpy as np
import pytest
from asafess.bench.kernel_compression import RECODE, Job, jobs, panel, race
from asafess.bench.kernel_product import Settings
from asafess.bench.scores import timed

from asafess import TiledMatrix

SMALL = Settings(rounds=2, up_to=2, sample=1e-5, read_bytes=1 << 16)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_panel_is_a_row_of_tiles_with_non_zeros_everywhere(dtype):
    a = panel(Job("candidates", "full", dtype, 64, 0.01), 1 << 18, seed=1)
    assert (a.shape[0], a.dense.nbytes, a.dtype) == (64, 1 << 18, dtype)
    assert not a.marks.any()
    expected = 0.01 * a.dense.size
    assert abs(a.nnz - expected) < 5 * expected**0.5
    assert panel(Job("passed over", "full", dtype, 64, 1.0), 1 << 18, seed=1).nnz == a.dense.size
    assert panel(Job("candidates", "full", dtype, 64, 0.0), 1 << 18, seed=1).nnz == 0


def test_a_tile_larger_than_the_panel_is_the_panel():
    assert panel(Job("candidates", "full", "float64", 64, 0.0), 1, seed=1).shape == (64, 64)


@pytest.mark.parametrize("job", [*jobs((64,), ("float64", "float32"))])
def test_candidates_become_sparse_and_other_tiles_stay_dense(job):
    rows = race(job, SMALL, 1 << 16)
    assert sorted(r["arm"] for r in timed(rows)) == sorted(
        ["np.sum", "np.sum again", "np.sum of the panel", RECODE] * 2
    )
    assert {r["error"] for r in rows} == {None}
    assert {(r["dtype"], r["tile"], r["density"], r["form"]) for r in rows} == {(job.dtype, 64, job.density, job.form)}


def test_tiles_that_come_out_otherwise_than_they_should_are_failed_rows():
    rows = race(Job("candidates", "light", "float64", 64, 0.5), SMALL, 1 << 16)
    assert {r["error"] for r in rows if r["arm"] == RECODE} == {"2 of 2 tiles came out in the other form"}


def test_a_bit_that_is_lost_makes_failed_rows(monkeypatch):
    right = TiledMatrix.recode

    def recode(a, form, threshold=None):
        made = right(a, form, threshold)
        if form == "full":
            made.values.view(np.uint64)[-1] ^= 1
        return made

    monkeypatch.setattr(TiledMatrix, "recode", recode)
    rows = race(Job("candidates", "full", "float64", 64, 0.01), SMALL, 1 << 16)
    assert {r["error"] for r in rows if r["arm"] == RECODE} == {"recoding changed bits"}


def test_the_questions_are_those_of_the_bars():
    asked = list(jobs((128, 4096), ("float64",)))
    assert {j.density for j in asked if j.fate == "candidates"} == {0.0, 0.0001, 0.001, 0.01}
    assert {j.density for j in asked if (j.fate, j.form) == ("passed over", "light")} == {0.02, 0.1, 0.5, 1.0}
    assert {j.density for j in asked if (j.fate, j.form) == ("passed over", "full")} == {0.9, 0.95, 1.0}
    assert {j.tile for j in asked} == {128, 4096}
    assert np.unique([str(j) for j in asked]).size == len(asked)
