"""Idle cores, from a clock and what the system counts."""

import os
import time

import pytest

from asafess.wire.cores import EVERY, Cores


def test_it_is_the_mean_since_it_was_last_looked_at_and_kept_for_a_while():
    now, idle = [10.0], [500.0]
    cores = Cores(lambda: idle[0], lambda: now[0])
    found = []
    for seconds, of_them in ((1.0, 2.0), (0.5 * EVERY, 1.0), (0.6 * EVERY, 0.1 * EVERY), (10.0, 0.0)):
        now[0] += seconds
        idle[0] += of_them
        found.append(cores.idle())
    assert found == pytest.approx([2.0, 2.0, (1.0 + 0.1 * EVERY) / (1.1 * EVERY), 0.0])


def test_of_this_machine_no_more_are_idle_than_it_has():
    cores = Cores()
    time.sleep(4 * EVERY)
    # the system counts in hundredths of a second
    assert 0 <= cores.idle() <= os.cpu_count() * (1 + 0.02 / (4 * EVERY))
