"""Kernels whose sums would take minutes are given up, always at the same place."""

import sys

import numpy as np
import pytest
from numba import njit

from asafess.compiler.cost import NotCountedError, cost
from asafess.compiler.kernel.bounded import STEPS, bounded, uncounted


def count_down(n):
    return 0 if n == 0 else count_down(n - 1)


def swallowing(n):
    for _ in range(n):
        try:
            count_down(10)
        except Exception:
            return "caught"
    return "done"


def tangled(x, n, m, k):
    total = 0.0
    for i in range(n):
        for j in range(min(i, m), max(n - i, k)):
            for p in range(min(i, j, k), max(i, j, m)):
                for q in range(min(i, j, p, k), max(i * 2, j, p, m)):
                    total += x[q]
    return total


def test_a_call_may_take_so_many_steps_and_no_more():
    assert bounded("f", count_down, 10, steps=100) == 0
    for _ in range(2):
        with pytest.raises(NotCountedError, match="f: adding up its loops takes more than 100 steps"):
            bounded("f", count_down, 200, steps=100)
    assert sys.getprofile() is None


def test_it_is_given_up_through_handlers_of_exceptions():
    with pytest.raises(NotCountedError):
        bounded("f", swallowing, 100, steps=100)


def test_errors_pass_and_leave_nothing_behind():
    with pytest.raises(ZeroDivisionError):
        bounded("f", lambda: 1 / 0)
    assert sys.getprofile() is None
    with uncounted():
        assert sys.getprofile() is None


def test_steps_of_what_must_not_be_left_halfway_do_not_count():
    def numba():
        with uncounted():
            return count_down(200)

    def both():
        return numba(), count_down(200)

    assert bounded("f", numba, steps=100) == 0
    with pytest.raises(NotCountedError):
        bounded("f", both, steps=100)


def test_a_profiler_is_left_alone():
    seen = []

    def profiler(frame, event, arg):
        seen.append(event)

    sys.setprofile(profiler)
    try:
        assert bounded("f", count_down, 200, steps=100) == 0
        with uncounted():
            assert sys.getprofile() is profiler
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
    assert len(seen) > 400


def test_a_kernel_with_tangled_loops_is_not_counted(monkeypatch):
    monkeypatch.setitem(bounded.__kwdefaults__, "steps", STEPS // 10)
    with pytest.raises(NotCountedError, match="tangled: adding up its loops takes more than 500,000 steps"):
        cost(njit(tangled), np.ones(9), 3, 3, 3)
