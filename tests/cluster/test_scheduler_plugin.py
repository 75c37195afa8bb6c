import asyncio
import logging
import threading
from typing import ClassVar
from unittest import mock

import numpy as np
import pytest
from distributed import Worker
from distributed.utils_test import captured_logger, gen_cluster
from helpers import Broken, Panic, Recorded, blocks, compute, installed, move, moving_phase, until

import asafess
from asafess.cluster import rates_probe
from asafess.cluster.messages import NAME, READY, TOPIC, VERSION
from asafess.optimizations.null import Null


def states(plugin):
    return dict(plugin.controller.state.states)


@gen_cluster(client=True)
async def test_a_graph_that_moves_data_switches_before_its_first_task(c, s, a, b):
    plugin = await installed(c, s)
    made, second = await blocks(c, s)
    await c.gather(c.map(move, made, workers=[second], pure=False))
    switch = plugin.journal.switches[0]
    assert (switch["before"], switch["after"]) == ("off", "on")
    assert "ratio" in switch["cause"]


@gen_cluster(client=True)
async def test_phases_are_followed_with_one_switch_at_each_boundary(c, s, a, b):
    plugin = await installed(c, s)
    for _ in range(2):
        made, second = await blocks(c, s)
        await c.gather(c.map(move, made, workers=[second], pure=False))
        assert states(plugin) == {"null": "on"}
        await asyncio.sleep(0.15)  # the dwell
        await c.gather(c.map(compute, made, workers=[second], pure=False))
        assert states(plugin) == {"null": "off"}
        await asyncio.sleep(0.15)
    assert len(plugin.journal.switches) == 4


@gen_cluster(client=True)
async def test_a_steady_program_makes_one_switch(c, s, a, b):
    plugin = await installed(c, s)
    for _ in range(10):
        await moving_phase(c, s)
    assert len(plugin.journal.switches) == 1


@gen_cluster(client=True)
async def test_the_state_is_on_the_worker_before_the_task_that_caused_it_runs(c, s, a, b):
    Recorded.calls.clear()
    await installed(c, s, [Recorded()])
    made, second = await blocks(c, s)
    seen = await c.submit(lambda block: list(Recorded.calls), made[0], workers=[second], pure=False)
    assert seen == []

    def look(block):
        return list(Recorded.calls)

    marked = asafess.task(intensity=0.25)(look)
    seen = await c.gather(c.map(marked, made, workers=[second], pure=False))
    assert all("on" in calls for calls in seen)


@gen_cluster(client=True)
async def test_untyped_tasks_move_nothing_but_a_counter(c, s, a, b):
    plugin = await installed(c, s, infer=[])
    made, second = await blocks(c, s)
    await c.gather(c.map(np.sum, made, workers=[second], pure=False))
    assert not plugin.journal.switches
    assert asafess_counters(plugin)["untyped_groups"] > 0


def asafess_counters(plugin):
    return plugin.status()["counters"]


@gen_cluster(client=True)
async def test_a_prefix_of_the_table_gives_a_type_to_what_one_can_not_decorate(c, s, a, b):
    plugin = await installed(c, s, types={"su*": {"intensity": 0.1}})
    made, second = await blocks(c, s)
    await c.gather(c.map(np.sum, made, workers=[second], pure=False))
    assert states(plugin) == {"null": "on"}


@gen_cluster(client=True)
async def test_an_annotation_that_is_no_type_is_counted_and_stops_nothing(c, s, a, b):
    import dask

    plugin = await installed(c, s)
    with dask.annotate(asafess={"intensity": "high"}):
        assert await c.submit(len, [1, 2], pure=False) == 2
    assert asafess_counters(plugin)["bad_types"] == 1
    assert plugin.fault is None


@gen_cluster(client=True)
async def test_a_worker_that_joins_late_starts_in_the_present_state(c, s, a, b):
    Recorded.calls.clear()
    plugin = await installed(c, s, [Recorded()])
    await asafess.pin(c, "recorded", "on")
    await until(lambda: Recorded.calls == ["on", "on"])
    async with Worker(s.address, nthreads=1) as late:
        await until(lambda: late.address in plugin.ready)
        assert Recorded.calls == ["on", "on", "on"]
    await until(lambda: late.address not in plugin.ready)


class Slow(Recorded):
    """Takes long to prepare: until the test lets it go."""

    name = "slow"

    def prepare(self, dtypes):
        import threading

        gate = slow_gate.setdefault("gate", threading.Event())
        assert gate.wait(20)


slow_gate = {}


@gen_cluster(client=True)
async def test_a_worker_that_is_still_preparing_runs_tasks_and_gets_no_state(c, s, a, b):
    Recorded.calls.clear()
    slow_gate.clear()
    await asafess.install(c, [Slow()], rates={"flop": 1e9, "memory": 1e9, "link": 1e8})
    plugin = s.plugins[NAME]
    assert await c.submit(len, [1, 2, 3]) == 3
    await asafess.pin(c, "slow", "on")
    assert await c.submit(len, [1, 2]) == 2
    assert plugin.ready == set()
    assert Recorded.calls == []
    await until(lambda: "gate" in slow_gate)
    slow_gate["gate"].set()
    await until(lambda: plugin.ready == set(s.workers))
    await until(lambda: Recorded.calls == ["on", "on"])


@gen_cluster(client=True)
async def test_a_worker_that_speaks_another_version_is_left_alone(c, s, a, b):
    plugin = await installed(c, s)
    plugin.ready.clear()
    with captured_logger("asafess.scheduler", level=logging.WARNING) as log:
        a.log_event(TOPIC, {"event": READY, "version": VERSION + 1})
        b.log_event(TOPIC, {"event": READY, "version": VERSION})
        await until(lambda: plugin.ready)
    assert plugin.ready == {b.address}
    assert f"speaks version {VERSION + 1}" in log.getvalue()


@pytest.mark.parametrize("error", [RuntimeError, Panic])
@pytest.mark.parametrize("where", ["domain", "prepare", "rates", "enter", "counters"])
def test_a_broken_optimization_turns_everything_off_says_so_once_and_stops_nothing(where, error):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        with captured_logger("asafess.scheduler", level=logging.WARNING) as log:
            await asafess.install(c, ["null", Broken(where, error)], rates={"link": 1e8, "flop": 1e9, "memory": 1e9})
            plugin = s.plugins[NAME]
            if where in ("domain", "enter"):
                # nothing is switched before the rates are known
                await until(lambda: (plugin.rates and plugin.ready == set(s.workers)) or plugin.fault)
            if where == "rates":
                # a worker that can't measure is left out of the medians; nothing else is wrong with it
                await until(lambda: plugin.rates is not None)
                assert plugin.fault is None
                return
            for _ in range(3):
                assert await moving_phase(c, s) == [1.0] * 4
            await until(lambda: plugin.fault is not None)
            assert f"broken in {where}" in plugin.fault
            assert await moving_phase(c, s) == [1.0] * 4
            assert states(plugin) == {"null": "off", "broken": "off"}
            assert len(s.workers) == 2
            assert plugin.controller.counters["faults"] >= 1
        assert log.getvalue().count("asafess has failed and is off") == 1
        await asafess.uninstall(c)

    run()


@gen_cluster(client=True)
async def test_a_tick_that_fails_turns_everything_off_for_good(c, s, a, b):
    plugin = await installed(c, s)
    await moving_phase(c, s)
    assert states(plugin) == {"null": "on"}
    del plugin.loads  # the next tick meets an AttributeError
    await until(lambda: plugin.fault is not None)
    assert states(plugin) == {"null": "off"}
    assert await moving_phase(c, s) == [1.0] * 4
    assert states(plugin) == {"null": "off"}


@gen_cluster(client=True)
async def test_a_reset_forgets_what_was_learned(c, s, a, b):
    plugin = await installed(c, s)
    await moving_phase(c, s)
    assert len(plugin.loads) > 0
    await asafess.reset(c)
    assert len(plugin.loads) == 0
    assert states(plugin) == {"null": "off"}
    assert plugin.measurements.zeros.share is None


@gen_cluster(client=True, nthreads=[])
async def test_without_workers_nothing_is_decided_and_nothing_fails(c, s):
    await asafess.install(c, ["null"], rates={"flop": 1e9, "memory": 1e9, "link": 1e8})
    plugin = s.plugins[NAME]
    future = c.submit(move, np.ones(3))
    for _ in range(3):
        plugin.tick()
        await asyncio.sleep(0.01)
    assert plugin.fault is None
    assert not plugin.journal.switches
    async with Worker(s.address, nthreads=1):
        assert await future == 1.0


class SlowOnOne(Null):
    """Never gets ready on the second worker that prepares."""

    name = "slow_on_one"
    prepared: ClassVar[list] = []

    def prepare(self, dtypes):
        self.prepared.append(1)
        if len(self.prepared) > 1:
            never.wait(20)


never = threading.Event()


@gen_cluster(client=True)
async def test_a_worker_that_never_gets_ready_does_not_keep_the_others_from_being_measured(c, s, a, b):
    SlowOnOne.prepared.clear()
    with mock.patch.object(rates_probe, "PATIENCE", 0.2):
        await asafess.install(c, [SlowOnOne()])
        plugin = s.plugins[NAME]
        await until(lambda: plugin.rates is not None)
    assert len(plugin.ready) == 1
    never.set()


@pytest.mark.parametrize("error", [RuntimeError, Panic])
def test_an_optimization_that_fails_to_leave_does_not_keep_asafess_on_the_cluster(error):
    @gen_cluster(client=True)
    async def run(c, s, a, b):
        await installed(c, s, [Broken("leave", error)])
        await asafess.uninstall(c)
        assert NAME not in s.plugins
        assert len(s.workers) == 2
        assert await moving_phase(c, s) == [1.0] * 4

    run()


class Huge(Null):
    name = "huge"

    def counters(self):
        return {"count": 2**80}


@gen_cluster(client=True)
async def test_a_counter_that_no_message_can_hold_is_sent_as_a_float(c, s, a, b):
    plugin = await installed(c, s, [Huge()])
    await until(lambda: len(plugin.measurements.reports) == 2)
    assert plugin.measurements.reports[a.address] == {"count": 2.0**80}
    assert plugin.fault is None


class Unshowable:
    def __repr__(self):
        raise RuntimeError("no")

    __str__ = __repr__


def bad_types():
    from asafess.core.task_type import TaskType

    class Odd(TaskType):
        def load(self, *args):
            raise RuntimeError("no load")

    yield TaskType("raw", {"compute": 10**400})
    yield {"loads": {"compute": Unshowable()}}
    yield Unshowable()
    yield {"name": ["unhashable"], "loads": {"compute": 1}}
    yield {"loads": {f"axis{number}": 1 for number in range(1000)}}
    yield TaskType("raw", {"compute": "many"})
    yield Odd("odd", {"compute": 1.0})


@pytest.mark.parametrize("bad", list(bad_types()), ids=lambda bad: type(bad).__name__)
def test_whatever_is_put_in_a_types_place_is_counted_and_stops_nothing(bad):
    from asafess.core.task_type import AXES

    @gen_cluster(client=True)
    async def run(c, s, a, b):
        import dask

        plugin = await installed(c, s)
        axes = len(AXES)

        def marked(x):
            return x

        marked.__asafess_type__ = bad
        if isinstance(bad, dict):
            with dask.annotate(asafess=bad):
                assert await c.submit(len, [1, 2], pure=False) == 2
        assert await c.submit(marked, 3, pure=False) == 3
        assert plugin.controller.counters["faults"] == 0
        assert asafess_counters(plugin)["bad_types"] >= 1
        assert len(AXES) == axes

    run()


@gen_cluster(client=True)
async def test_the_largest_loads_there_can_be_are_added_up(c, s, a, b):
    plugin = await installed(c, s)
    futures = []
    for name in ("one", "two"):
        function = asafess.task(loads={"compute": 1e100, "communication": 1.0}, name=name)(lambda x: x)
        futures += c.map(function, range(50))
    await c.gather(futures)
    assert plugin.fault is None
    with pytest.raises(ValueError, match=r"at most 1e\+100"):
        asafess.task(loads={"compute": 1e308})
