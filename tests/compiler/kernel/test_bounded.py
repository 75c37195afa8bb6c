"""What would take SymPy minutes is given up after so many steps."""

import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from types import FunctionType

import numpy as np
import pytest
import sympy
from counted_run import run
from numba import njit

from asafess.compiler.cost import NotCountedError, cost
from asafess.compiler.kernel import turns
from asafess.compiler.kernel.bounded import STEPS, TooManyStepsError, bounded, uncounted


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


def tangled_less(x, n, m):
    total = np.zeros(n + m)
    for i in range(n):
        for j in range(min(i, m)):
            total[0] += x[j] * 2.0
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


@pytest.fixture
def seen():
    """Return what a user's own profile function is called with."""
    events = []

    def profiler(frame, event, arg):
        events.append((event, frame.f_code.co_name))

    sys.setprofile(profiler)
    yield events
    found = sys.getprofile()
    sys.setprofile(None)
    assert found is profiler


def test_a_profile_function_is_called_and_put_back(seen):
    assert bounded("f", count_down, 200, steps=500) == 0
    with pytest.raises(NotCountedError):
        bounded("f", count_down, 200, steps=100)
    assert [name for _, name in seen].count("count_down") > 402


def test_a_profile_function_sees_what_is_not_counted(seen):
    def numba():
        with uncounted():
            return count_down(200)

    assert bounded("f", numba, steps=100) == 0
    assert seen.count(("call", "count_down")) == 201


def test_a_profiler_that_could_not_be_put_back_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "getprofile", lambda: "a profiler written in C")
    monkeypatch.setattr(sys, "setprofile", lambda function: pytest.fail("replaced"))
    assert bounded("f", count_down, 200, steps=100) == 0


def odd_ones(n):
    """Leave generators behind that Python closes: what is raised while it does is swallowed."""
    return [any(x % 2 for x in (at + y for y in range(3))) for at in range(n)]


def test_it_is_given_up_where_python_swallows_exceptions():
    for steps in range(200):
        with pytest.raises(NotCountedError):
            bounded("f", odd_ones, 20, steps=steps)
        assert sys.getprofile() is None


def collecting():
    gc.collect(0)
    return count_down(50)


def test_a_hook_of_the_garbage_collector_is_not_left_halfway():
    begun, ended = [], []

    def hook(phase, info):
        begun.append(phase)
        ended.append(phase)

    # such as Hypothesis and Dask have, each in its own package
    hook = FunctionType(hook.__code__, {**globals(), "__name__": "elsewhere"}, closure=hook.__closure__)
    gc.callbacks.append(hook)
    try:
        for steps in range(60):
            with pytest.raises(NotCountedError):
                bounded("f", collecting, steps=steps)
    finally:
        gc.callbacks.remove(hook)
    assert len(begun) >= 60
    assert begun == ended


def test_inside_of_a_bounded_call_that_one_counts():
    def both():
        return bounded("g", count_down, 100, steps=10), bounded("h", count_down, 100, steps=10)

    assert bounded("f", both, steps=1000) == (0, 0)
    with pytest.raises(NotCountedError, match="f: adding up"):
        bounded("f", both, steps=300)


def test_a_bounded_call_in_what_does_not_count_has_a_count_of_its_own():
    def numba():
        with uncounted():
            bounded("g", count_down, 100, steps=1000)
            with pytest.raises(NotCountedError, match="g: adding up"):
                bounded("g", count_down, 100, steps=100)
            assert sys.getprofile() is None
        return count_down(20)

    assert bounded("f", numba, steps=100) == 0
    with pytest.raises(NotCountedError, match="f: adding up"):
        bounded("f", numba, steps=30)


def test_steps_are_a_threads_own():
    with ThreadPoolExecutor(2) as threads:
        small, large = (threads.submit(bounded, "f", count_down, 200, steps=steps) for steps in (100, 1000))
    assert large.result() == 0
    with pytest.raises(NotCountedError):
        small.result()
    assert sys.getprofile() is None


@pytest.fixture
def few_steps(monkeypatch):
    monkeypatch.setitem(bounded.__kwdefaults__, "steps", STEPS // 2)


def test_of_a_kernel_with_tangled_loops_sums_are_left(few_steps):
    found = cost(njit(tangled), np.ones(9), 3, 3, 3)
    assert found.operations["add"].has(sympy.Sum)
    assert found.valid_where == ()
    for n, m, k in [(1, 1, 1), (3, 5, 2), (6, 2, 4), (0, 3, 2)]:
        tally = run(tangled, np.ones(16), n, m, k)
        counts = found.evaluate(x=(16,), n=n, m=m, k=k)
        assert (counts.operations.get("add", 0), counts.read) == (tally.get("add", 0), tally.get("read", 0))


def test_what_is_asked_of_a_cost_is_bounded_too(monkeypatch):
    found = cost(tangled_less, "float64[:]", "int64", "int64")
    monkeypatch.setitem(bounded.__kwdefaults__, "steps", 20)
    for ask in (
        lambda: found.evaluate(x=(9,), n=3, m=4),
        lambda: found.bind(np.ones(9), 3, 4),
        lambda: found.result(np.ones(9), 3, 4),
    ):
        with pytest.raises(TooManyStepsError, match="tangled_less: adding up"):
            ask()
        assert sys.getprofile() is None
    assert found.intensity == found.flop / found.bytes


def test_a_kernel_that_takes_too_many_steps_just_to_read_is_not_counted(monkeypatch):
    monkeypatch.setitem(bounded.__kwdefaults__, "steps", 2000)
    with pytest.raises(TooManyStepsError, match="tangled: adding up its loops takes more than 2,000 steps"):
        cost(njit(tangled), np.ones(9), 3, 3, 3)


def test_where_turns_are_too_many_cases_are_told_apart(monkeypatch):
    found = cost(tangled_less, "float64[:]", "int64", "int64")
    monkeypatch.setattr(turns, "LONGEST", 1)
    tally = run(tangled_less, np.ones(9), 3, 0)
    assert found.evaluate(x=(9,), n=3, m=0).read == tally.get("read", 0)
