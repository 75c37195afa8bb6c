"""Idle cores, from a clock and what the system counts."""

import math
import os
import time

import psutil
import pytest
from dask.system import CPU_COUNT

from asafess.wire.cores import WINDOW, Cores, idle_seconds


def test_it_is_the_mean_since_it_was_last_looked_at_and_kept_for_a_while():
    now, idle = [10.0], [500.0]
    cores = Cores(lambda: idle[0], lambda: now[0])
    found = []
    for seconds, of_them in ((1.0, 2.0), (0.5 * WINDOW, 1.0), (0.6 * WINDOW, 0.1 * WINDOW), (10.0, 0.0)):
        now[0] += seconds
        idle[0] += of_them
        found.append(cores.idle())
    assert found == pytest.approx([2.0, 2.0, (1.0 + 0.1 * WINDOW) / (1.1 * WINDOW), 0.0])


def test_it_counts_all_cores_of_this_machine():
    each = psutil.cpu_times(percpu=True)
    assert sum(one.idle + getattr(one, "iowait", 0.0) for one in each) == pytest.approx(idle_seconds(), rel=0.01)


def test_of_this_machine_no_more_are_idle_than_it_has():
    cores = Cores()
    time.sleep(4 * WINDOW)
    # the system counts in hundredths of a second
    assert 0 <= cores.idle() <= os.cpu_count() * (1 + 0.02 / (4 * WINDOW))


def test_where_the_system_does_not_say_none_is_idle(monkeypatch):
    def refused():
        raise PermissionError("/proc/stat")

    monkeypatch.setattr(psutil, "cpu_times", refused)
    now = [0.0]
    cores = Cores(clock=lambda: now[0])
    now[0] = 1.0
    assert not cores.idle() >= 1


def test_where_a_process_may_not_use_all_of_them_it_is_not_said(monkeypatch):
    monkeypatch.setattr(psutil, "cpu_count", lambda: CPU_COUNT + 1)
    assert math.isnan(idle_seconds())
