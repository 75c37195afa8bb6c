"""Spreading parts over threads."""

import os
import subprocess
import sys
import threading
import time

import pytest

from asafess.kernels.threads import spread


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 7, 100])
def test_results_come_in_order_each_part_once(threads, count):
    taken = []

    def double(part):
        taken.append(part)
        return 2 * part

    assert spread(double, range(count), threads) == [2 * k for k in range(count)]
    assert sorted(taken) == list(range(count))


def test_as_many_threads_work_as_are_asked_for_and_the_caller_is_one():
    together = threading.Barrier(3, timeout=30)

    def meet(_part):
        together.wait()
        return threading.get_ident()

    names = spread(meet, range(3), 3)
    assert len(set(names)) == 3
    assert threading.get_ident() in names


@pytest.mark.parametrize("faulty", [0, 3, 7])
def test_a_fault_is_raised_after_all_parts_that_have_begun_have_ended(faulty):
    running = []

    def work(part):
        if part == faulty:
            raise LookupError(part)
        running.append(part)
        time.sleep(0.01)
        running.remove(part)

    with pytest.raises(LookupError):
        spread(work, range(8), 3)
    assert not running


def test_a_forked_process_has_threads_of_its_own():
    spread(abs, range(8), 4)
    child = os.fork()
    if child == 0:
        os._exit(0 if spread(abs, range(8), 4) == list(range(8)) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_process_that_shuts_down_still_multiplies():
    code = """
import atexit
from asafess.kernels.threads import spread
spread(abs, range(8), 4)
atexit.register(lambda: print(spread(abs, range(-3, 0), 2)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[3, 2, 1]"
    assert not done.stderr
