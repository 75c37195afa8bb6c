"""Shares of computing, from counts as workers send them: late, and by the prefix of tasks only."""

from collections import defaultdict

import pytest
from distributed.scheduler import TaskPrefix

from asafess.cluster.cpu_share import CpuShare

F, G = frozenset(["f"]), frozenset(["g"])


class Prefix:
    """A prefix of Dask's, and what workers have counted of it."""

    def __init__(self):
        self.dask, self.metrics = TaskPrefix("step"), defaultdict(float)
        self.share = CpuShare(self.dask, self.metrics)

    def end(self, computing, waiting):
        self.dask.add_duration("compute", 0.0, computing + waiting)
        return computing, waiting

    def report(self, computing, waiting):
        self.metrics["execute", "step", "thread-cpu", "seconds"] += computing
        self.metrics["execute", "step", "thread-noncpu", "seconds"] += waiting
        self.share.look(self.metrics)


@pytest.fixture
def prefix():
    made = Prefix()
    made.share.enter(F)
    return made


def test_it_is_computing_over_computing_and_waiting_since_the_last_one(prefix):
    prefix.report(*prefix.end(1.0, 3.0))
    assert (prefix.share.share, prefix.share.news) == (0.25, 1)
    prefix.report(*prefix.end(3.0, 1.0))
    assert (prefix.share.share, prefix.share.news) == (0.75, 2)
    prefix.share.look(prefix.metrics)
    assert prefix.share.news == 2


def test_nothing_is_said_before_heartbeats_have_brought_most_of_what_has_ended(prefix):
    first, second, third = prefix.end(1.0, 3.0), prefix.end(1.0, 3.0), prefix.end(1.0, 3.0)
    prefix.report(*first)
    assert prefix.share.share is None
    prefix.report(*second)
    assert prefix.share.share == 0.25
    prefix.report(*third)
    assert prefix.share.news == 1  # of what has ended since the last share they have brought nothing
    for _ in range(2):
        prefix.report(*prefix.end(1.0, 3.0))
    assert prefix.share.news == 2


def test_what_is_not_counted_is_never_guessed(prefix):
    for _ in range(20):
        prefix.end(1.0, 0.0)
        prefix.report(0.1, 0.3)  # the rest is in a metric of the user's own, or in another process
    assert prefix.share.share is None


def test_tasks_that_ended_before_others_began_are_left_out_though_they_are_told_of_later(prefix):
    late = prefix.end(5.0, 0.0)
    prefix.share.enter(G)
    prefix.share.leave(F)
    prefix.report(*late)
    assert prefix.share.share is None
    prefix.report(*prefix.end(1.0, 9.0))
    assert prefix.share.share == pytest.approx(0.1)


def test_the_same_tasks_again_go_on_where_the_last_ones_ended(prefix):
    late = prefix.end(1.0, 1.0)
    prefix.share.enter(F)
    prefix.share.leave(F)
    prefix.report(*late)
    assert prefix.share.share == 0.5


def test_while_different_functions_run_there_is_no_share(prefix):
    prefix.share.enter(G)
    for _ in range(3):
        prefix.report(*prefix.end(1.0, 1.0))
    assert (prefix.share.mixed, prefix.share.share) == (True, None)
    prefix.share.leave(F)
    for _ in range(2):
        prefix.report(*prefix.end(1.0, 3.0))
    assert (prefix.share.mixed, prefix.share.share) == (False, 0.25)


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_late_heartbeats_of_some_workers_hide_nothing_for_good(prefix, workers):
    unreported = []
    for _ in range(6 * workers):
        unreported.append(prefix.end(1.0, 4.0))
        if len(unreported) == workers:
            prefix.report(*unreported.pop(0))
    for one in unreported:
        prefix.report(*one)
    assert prefix.share.share == pytest.approx(0.2)
