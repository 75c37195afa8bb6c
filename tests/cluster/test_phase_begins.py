"""A phase that no tick has seen coming: its state is sent before its first task."""

import logging

import numpy as np
import pytest
from distributed.utils_test import gen_cluster
from helpers import GATES, installed, new_gates, until

import asafess
from asafess.cluster.messages import NAME, STATE
from asafess.optimizations.null import Null


async def gate():
    """Wait until it may end; it has no type."""
    await GATES["may_end"].wait()
    return np.ones(1)


@asafess.task(loads={"communication": 1e8}, name="fetch")
def fetch(block, number):
    return float(block[0])


@asafess.task(loads={"communication": 1e8}, name="send")
def send(block, number):
    return float(block)


@asafess.task(loads={"communication": 1e8}, name="take")
def take(block, number):
    return float(block[0])


@asafess.task(loads={"communication": 1e3}, name="tidy")
def tidy(block, number):
    return float(block[0])


class InScheduler(Null):
    """Remembers whether it was called in the middle of Dask's transitions, or fails."""

    name = "in_scheduler"

    def __init__(self, fails=False):
        super().__init__()
        self.fails, self.within = fails, []

    def scheduler_load(self, scheduler, groups):
        if self.fails and any(group.prefix.name == "fetch" for group in groups):
            raise RuntimeError("broken on purpose")
        return {}

    def enter_scheduler(self, scheduler, state):
        self.within.append(scheduler.plugins[NAME]._transitions)


async def between_ticks(c, s, optimizations=("null",), **given):
    """Install, and let there be no tick but the one that has just been."""
    plugin = await installed(c, s, optimizations, window="500ms", **given)
    s.periodic_callbacks[NAME].stop()
    plugin.tick()
    return plugin


def recorded(s):
    """Return a list that fills with (worker, operation, key) in the order in which they are sent."""
    found = []

    def listen(address, send):
        def sending(*messages):
            found.extend((address, one["op"], str(one.get("key"))) for one in messages)
            send(*messages)

        return sending

    for address, stream in s.stream_comms.items():
        stream.send = listen(address, stream.send)
    return found


def waiting(c, following=fetch, count=8):
    """Return tasks that wait at the gate, the gate, and the event that opens it."""
    _, may_end = new_gates()
    first = c.submit(gate, pure=False)
    return c.map(following, [first] * count, range(count), pure=False), may_end


async def arrived(s, prefix="fetch", count=8):
    await until(lambda: sum(one.prefix.name == prefix and one.state == "waiting" for one in s.tasks.values()) == count)


@gen_cluster(client=True)
async def test_each_worker_has_the_state_before_the_first_task_of_the_phase(c, s, a, b):
    plugin = await between_ticks(c, s)
    after, may_end = waiting(c)
    await arrived(s)
    sent = recorded(s)
    may_end.set()
    assert await c.gather(after) == [1.0] * 8
    assert plugin.controller.state.states == {"null": "on"}
    for address in s.workers:
        of = [(op, key) for worker, op, key in sent if worker == address]
        tasks = [k for k, (op, key) in enumerate(of) if op == "compute-task" and key.startswith("fetch")]
        assert [op for op, _ in of].count(STATE) == 1
        assert not tasks or of.index((STATE, "None")) < tasks[0]
    assert any(op == "compute-task" for _, op, _ in sent)
    assert plugin.fault is None


@pytest.mark.parametrize(("following", "given"), [(fetch, {"look_ahead": False}), (tidy, {})], ids=["tick", "short"])
@gen_cluster(client=True)
async def test_without_look_ahead_and_where_it_is_too_short_nothing_is_decided(c, s, a, b, following, given):
    plugin = await between_ticks(c, s, **given)
    after, may_end = waiting(c, following)
    await arrived(s, following.__name__)
    may_end.set()
    await c.gather(after)
    assert plugin.controller.counters["used"] == 0


@gen_cluster(client=True)
async def test_what_is_too_short_leaves_the_look_to_the_phase_after_it(c, s, a, b):
    plugin = await between_ticks(c, s)
    after, may_end = waiting(c, tidy, count=1)
    last = c.map(send, after * 8, range(8), pure=False)
    await arrived(s, "send")
    may_end.set()
    await c.gather(last)
    assert plugin.controller.counters["used"] == 1


@gen_cluster(client=True)
async def test_the_sample_says_how_long_the_phase_takes(c, s, a, b):
    plugin = await between_ticks(c, s)
    samples, observe = [], plugin.controller.observe
    plugin.controller.observe = lambda sample: samples.append(sample) or observe(sample)
    after, may_end = waiting(c)
    await arrived(s)
    may_end.set()
    await c.gather(after)
    [sample] = samples
    assert sample.fresh
    assert sample.seconds >= 0.25  # half of the window, or it would be no phase


@gen_cluster(client=True)
async def test_between_two_ticks_one_phase_is_looked_at(c, s, a, b):
    plugin = await between_ticks(c, s)
    after, may_end = waiting(c)
    last = c.submit(max, after, pure=False)
    then = c.map(send, [last] * 8, range(8), pure=False)
    await arrived(s, "send")
    may_end.set()
    assert await c.gather(then) == [1.0] * 8
    assert plugin.controller.counters["used"] == 1
    plugin.tick()
    again, may_end = waiting(c, take)
    await arrived(s, "take")
    may_end.set()
    assert await c.gather(again) == [1.0] * 8
    assert plugin.controller.counters["used"] == 2


@gen_cluster(client=True)
async def test_what_was_seen_coming_is_not_charged_again(c, s, a, b):
    plugin = await between_ticks(c, s)
    assert await c.submit(gate_is_open, pure=False) == 1  # of a kind that is known to be over soon
    _, may_end = new_gates()
    first = c.submit(gate_is_open, held=True, pure=False)
    after = c.map(fetch, [first] * 8, range(8), pure=False)
    await arrived(s)
    plugin.tick()
    assert plugin.controller.state.states == {"null": "on"}
    used = plugin.controller.counters["used"]
    may_end.set()
    assert await c.gather(after) == [1.0] * 8
    assert plugin.controller.counters["used"] == used


@asafess.task(loads={"compute": 1e6}, name="opened")
async def gate_is_open(held=False):
    if held:
        await GATES["may_end"].wait()
        return np.ones(1)
    return 1


@gen_cluster(client=True)
async def test_nothing_acts_in_the_scheduler_in_the_middle_of_its_transitions(c, s, a, b):
    plugin = await between_ticks(c, s, [InScheduler()])
    after, may_end = waiting(c)
    await arrived(s)
    may_end.set()
    await c.gather(after)
    [optimization] = plugin.settings.optimizations
    await until(lambda: optimization.within)
    assert plugin.controller.state.states == {"in_scheduler": "on"}
    assert optimization.within == [False]


@gen_cluster(client=True)
async def test_a_fault_in_the_middle_of_transitions_stops_no_task(c, s, a, b):
    with_fault = InScheduler(fails=True)
    plugin = await between_ticks(c, s, [with_fault])
    after, may_end = waiting(c)
    await arrived(s)
    logging.getLogger("asafess.scheduler").disabled = True
    try:
        may_end.set()
        assert await c.gather(after) == [1.0] * 8
        await until(lambda: plugin.fault)
    finally:
        logging.getLogger("asafess.scheduler").disabled = False
    assert plugin.fault.startswith("transition")
    assert plugin.controller.state.states == {"in_scheduler": "off"}


@gen_cluster(client=True)
async def test_a_worker_that_is_being_removed_gets_nothing(c, s, a, b):
    """Dask assigns its tasks anew before it says that it has gone."""
    plugin = await between_ticks(c, s)
    after, may_end = waiting(c)
    await arrived(s)
    plugin.ready.add("tcp://127.0.0.1:1")
    may_end.set()
    await c.gather(after)
    assert plugin.controller.state.states == {"null": "on"}
    assert plugin.fault is None


@asafess.task(intensity=0.25, name="weigh")
def weigh(block, number):
    return float(block[0])


@gen_cluster(client=True)
async def test_of_inputs_that_have_no_size_yet_nothing_is_charged_ahead(c, s, a, b):
    plugin = await between_ticks(c, s)
    _, may_end = new_gates()
    may_end.set()
    assert await c.submit(gate, pure=False) == 1  # Dask knows how long it takes, and forgets what it made
    await until(lambda: not s.tasks)
    after, may_end = waiting(c, weigh)
    await arrived(s, "weigh")
    s.task_prefixes["weigh"].duration_average = 1.0
    plugin.tick()
    assert plugin.controller.counters["used"] == 0
    may_end.set()
    assert await c.gather(after) == [1.0] * 8
    assert plugin.controller.counters["used"] == 1
