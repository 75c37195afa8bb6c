"""Two clusters in one process: what their workers share is the state of one that is there, and at the end as before."""

import os
import random
from contextlib import asynccontextmanager

import pytest
import threadpoolctl
from distributed import Client, Scheduler, Worker
from distributed.utils_test import gen_test
from helpers import Recorded, installed, until

import asafess
from asafess.optimizations.null import Null

two_cores = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="with one core there is nothing to widen")


@asynccontextmanager
async def cluster(threads=2):
    """A scheduler, a worker and a client in this process."""
    async with (
        Scheduler(port=0, dashboard_address=":0") as s,
        Worker(s.address, nthreads=threads) as w,
        Client(s.address, asynchronous=True) as c,
    ):
        yield c, s, w


def widths():
    """Return the numbers of threads that BLAS pools of this process have."""
    return {one["num_threads"] for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"}


@pytest.fixture
def calls():
    Recorded.calls.clear()
    return Recorded.calls


@gen_test()
async def test_the_last_cluster_that_has_an_optimization_leaves_it_although_others_stay(calls):
    async with cluster() as (c, s, _), cluster() as (other, its, _):
        await installed(c, s, [Recorded()], control={"recorded": "on"})
        await installed(other, its, [Null()], control={"null": "on"})
        await until(lambda: calls == ["on"])
        await asafess.uninstall(c)
        assert calls == ["on", "left"]
        await asafess.uninstall(other)
        assert calls == ["on", "left"]


@pytest.mark.parametrize("state", ["off", "on"])
def test_what_another_cluster_has_gets_the_state_that_it_has_there(calls, state):
    @gen_test()
    async def run():
        async with cluster() as (c, s, _), cluster() as (other, its, _):
            await installed(other, its, [Recorded()], control={"recorded": state})
            await installed(c, s, [Recorded()], control={"recorded": "on"})
            calls.clear()
            await asafess.uninstall(c)
            assert calls == {"off": ["off"], "on": []}[state]
            await asafess.uninstall(other)
            assert calls[-1] == "left"

    run()


@gen_test()
async def test_a_worker_that_has_not_torn_its_plugins_down_keeps_nothing_on(calls):
    async with cluster() as (c, s, w):
        await installed(c, s, [Recorded()])
        del w.plugins["asafess"]  # as where closing it is cut short
    async with cluster() as (c, s, _):
        await installed(c, s, [Recorded()], control={"recorded": "on"})
        await asafess.uninstall(c)
        assert calls[-1] == "left"


@two_cores
@gen_test(timeout=60)
async def test_blas_has_its_threads_again_in_whatever_order_clusters_come_switch_and_go():
    generator = random.Random(0)
    async with cluster() as first, cluster() as second:
        with threadpoolctl.threadpool_limits(1, user_api="blas"):
            widened = 0
            for _ in range(10):
                there = []
                for c, s, _ in generator.sample([first, second], 2):
                    await installed(c, s, generator.choice((["thread_width"], ["null"], ["null", "thread_width"])))
                    there.append((c, s))
                for _ in range(6):
                    c, s = generator.choice(there)
                    if "thread_width" in (states := s.plugins["asafess"].controller.state.states):
                        await asafess.pin(c, "thread_width", generator.choice(("narrow", "wide", "wide")))
                    assert states
                states = [s.plugins["asafess"].controller.state.states for _, s in there]
                if {one["thread_width"] for one in states if "thread_width" in one} == {"wide"}:
                    await until(lambda: widths() == {2})
                    widened += 1
                for c, _ in generator.sample(there, 2):
                    await asafess.uninstall(c)
                assert widths() == {1}
            assert widened
