"""The person in charge: pin, auto and shadow, by calls and by configuration, on clusters that work."""

import asyncio
import logging
import tempfile
import threading
import time
from pathlib import Path

import dask
import pytest
from distributed import Client, Worker
from distributed.utils_test import gen_cluster
from helpers import (
    RATES,
    Broken,
    Recorded,
    blocks,
    compute,
    installed,
    move,
    moving_phase,
    new_gates,
    until,
    waiting,
)

import asafess
from asafess.cluster.config import settings
from asafess.cluster.messages import NAME
from asafess.core.replay import replay
from asafess.core.trace_reader import read
from asafess.optimizations.null import Null


class Quick(Null):
    """A null optimization that may switch again at once."""

    dwell = 0.0


class Hungry(Quick):
    """Wants to be on while data moves, takes watts for it, and does not go with *null*."""

    name = "hungry"
    conflicts = ("null",)
    demands = {"on": {"watts": 80}}  # noqa: RUF012


def acting(*workers):
    """What each worker acts in."""
    return [dict(worker.plugins[NAME]._acting.states) for worker in workers]


@gen_cluster(client=True)
async def test_a_pin_acts_on_workers_that_are_running_tasks(c, s, a, b):
    await installed(c, s)
    begun, may_end = new_gates()
    task = c.submit(waiting, 0, pure=False)
    await begun.wait()
    await asafess.pin(c, "null", "on")
    await until(lambda: acting(a, b) == [{"null": "on"}] * 2)
    assert task.status == "pending"
    await asafess.pin(c, "null", "off")
    await until(lambda: acting(a, b) == [{"null": "off"}] * 2)
    may_end.set()
    assert await task == 1


@gen_cluster(client=True)
async def test_auto_gives_back_what_was_pinned_and_what_was_in_shadow(c, s, a, b):
    await installed(c, s, [Quick()])
    for take in (asafess.pin(c, "null", "off"), asafess.shadow(c, "null")):
        await take
        await moving_phase(c, s)
        assert acting(a, b) == [{"null": "off"}] * 2
        await asafess.auto(c, "null")
        await moving_phase(c, s)
        assert (await asafess.status(c))["states"] == {"null": "on"}
        await until(lambda: acting(a, b) == [{"null": "on"}] * 2)


@gen_cluster(client=True)
async def test_a_shadow_decides_and_logs_and_no_worker_gets_its_state(c, s, a, b):
    Recorded.calls.clear()
    plugin = await installed(c, s, [Recorded()], control={"recorded": "shadow"})
    records, handler = [], logging.Handler()
    handler.emit = records.append
    logger = logging.getLogger("asafess.scheduler")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        await moving_phase(c, s)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    status = await asafess.status(c)
    assert (status["states"], status["shadows"]) == ({"recorded": "off"}, {"recorded": "on"})
    assert status["decisions"]["recorded"]["wanted"] == "on"
    (switch,) = [one for one in status["switches"] if one["after"] == "on"]
    assert switch["shadow"] is True
    assert "ratio" in switch["cause"]
    assert any(one.levelno == logging.INFO and "recorded: off -> on" in one.getMessage() for one in records)
    assert Recorded.calls == []
    assert plugin.controller.state.epoch.counter == 0
    assert acting(a, b) == [{"recorded": "off"}] * 2


@gen_cluster(client=True)
async def test_what_goes_into_shadow_while_on_is_left(c, s, a, b):
    await installed(c, s)
    await asafess.pin(c, "null", "on")
    await asafess.shadow(c, "null")
    await until(lambda: acting(a, b) == [{"null": "off"}] * 2)
    assert (await asafess.status(c))["shadows"] == {"null": "on"}


@gen_cluster(client=True)
async def test_a_pin_beats_conflict_and_budget_and_the_other_says_what_holds_it_back(c, s, a, b):
    await installed(c, s, [Quick(), Hungry()], budgets={"watts": 50})
    await moving_phase(c, s)
    status = await asafess.status(c)
    assert status["states"] == {"null": "on", "hungry": "off"}
    assert "budget watts" in status["decisions"]["hungry"]["held_back"]
    await asafess.pin(c, "hungry", "on")
    await moving_phase(c, s)
    status = await asafess.status(c)
    assert status["states"] == {"null": "off", "hungry": "on"}
    assert status["decisions"]["null"]["held_back"] == "conflicts with hungry (pinned)"
    await until(lambda: acting(a, b) == [{"null": "off", "hungry": "on"}] * 2)


@gen_cluster(client=True)
async def test_a_pin_survives_reset_and_other_clients_and_binds_who_joins_late(c, s, a, b):
    await installed(c, s)
    async with Client(s.address, asynchronous=True) as other:
        await asafess.pin(other, "null", "on")
    await asafess.reset(c)
    status = await asafess.status(c)
    assert (status["states"], status["controls"]) == ({"null": "on"}, {"null": "on"})
    async with Worker(s.address, nthreads=1) as late:
        await until(lambda: late.address in s.plugins[NAME].ready)
        assert acting(late) == [{"null": "on"}]
        assert late.plugins[NAME].state.states == {"null": "on"}  # so it came with the plugin


@gen_cluster(client=True)
async def test_two_clients_that_disagree_end_in_one_state_everywhere(c, s, a, b):
    await installed(c, s)
    async with Client(s.address, asynchronous=True) as other:
        for _ in range(5):
            await asyncio.gather(asafess.pin(c, "null", "on"), asafess.pin(other, "null", "off"))
        states = (await asafess.status(c))["states"]
        assert states == (await asafess.status(other))["states"]
        await until(lambda: acting(a, b) == [states] * 2)


@gen_cluster(client=True)
async def test_a_wrong_name_or_state_changes_nothing_and_says_what_there_is(c, s, a, b):
    plugin = await installed(c, s)
    await asafess.pin(c, "null", "on")
    before = (plugin.controller.state, plugin.controller.controls)
    for name, state, says in (
        ("nul", "on", "unknown optimization 'nul'; installed: null"),
        ("null", "max", "unknown state 'max' of optimization 'null'; allowed: off, on"),
        ("null", "", "unknown state ''"),
    ):
        with pytest.raises(ValueError, match=says):
            await asafess.pin(c, name, state)
    for call in (asafess.auto, asafess.shadow):
        with pytest.raises(ValueError, match="installed: null"):
            await call(c, "nul")
    assert (plugin.controller.state, plugin.controller.controls) == before


@gen_cluster(client=True)
async def test_what_has_failed_can_not_be_pinned(c, s, a, b):
    await installed(c, s, [Broken("enter")])
    await asafess.pin(c, "broken", "on")
    await until(lambda: s.plugins[NAME].fault is not None)
    with pytest.raises(RuntimeError, match=r"has failed .*broken in enter.*asafess\.install"):
        await asafess.pin(c, "broken", "on")
    status = await asafess.status(c)
    assert (status["states"], status["controls"]) == ({"broken": "off"}, {"broken": "auto"})


@gen_cluster(client=True)
async def test_the_configuration_pins_and_a_call_overrules_it(c, s, a, b):
    # `on` without quotes is a boolean in YAML
    with dask.config.set({"asafess.control": {"null": True}}):
        await asafess.install(c, ["null"], rates=RATES)
        await asafess.wait(c)
    status = await asafess.status(c)
    assert (status["states"], status["controls"]) == ({"null": "on"}, {"null": "on"})
    await until(lambda: acting(a, b) == [{"null": "on"}] * 2)
    await asafess.auto(c, "null")
    assert (await asafess.status(c))["controls"] == {"null": "auto"}
    assert await c.gather(c.map(move, [[1.0], [2.0]])) == [1.0, 2.0]


@gen_cluster(client=True)
async def test_the_configuration_of_what_is_not_installed_is_left_alone(c, s, a, b):
    with dask.config.set({"asafess.control": {"tile-compression": "shadow"}}):
        await installed(c, s)
        assert (await asafess.status(c))["controls"] == {"null": "auto"}
        assert settings().control == {"tile_compression": "shadow"}


@pytest.mark.parametrize(
    ("control", "says"),
    [({"nul": "on"}, "'nul', which is no optimization"), ({"null": "full"}, "unknown state 'full'")],
)
def test_a_wrong_control_in_the_configuration_is_refused(control, says):
    with dask.config.set({"asafess.control": control}), pytest.raises(ValueError, match=says):
        settings(["null"])


class NotFinite(Null):
    """Says once that it has measured what is no number."""

    name = "not_finite"

    def measured(self, *_):
        return {"speed": float("nan")}


class Twin(Null):
    """Counts under a name that another optimization has."""

    def __init__(self, name):
        super().__init__()
        self.name = name

    def counters(self):
        return {"sent_bytes": time.monotonic()}


class Unpicklable(Null):
    """Keeps what can't be pickled, once it has run."""

    name = "unpicklable"

    def measured(self, *_):
        self.lock = threading.Lock()
        return {}


@gen_cluster(client=True)
async def test_a_measurement_that_is_no_number_turns_everything_off_and_is_named(c, s, a, b):
    plugin = await installed(c, s, [NotFinite(), "null"])
    await moving_phase(c, s)
    assert "not_finite.measured() says that speed is nan" in plugin.fault
    assert set((await asafess.status(c))["states"].values()) == {"off"}


@gen_cluster(client=True)
async def test_two_optimizations_can_not_count_under_one_name(c, s, a, b):
    await asafess.install(c, [Twin("one"), Twin("two")], rates=RATES)
    plugin = s.plugins[NAME]
    await until(lambda: plugin.fault is not None)
    assert "two.counters() has 'sent_bytes', which another optimization has too" in plugin.fault


@gen_cluster(client=True)
async def test_what_deciding_code_keeps_need_not_be_picklable(c, s, a, b):
    plugin = await installed(c, s, [Unpicklable()])
    await moving_phase(c, s)
    await asafess.pin(c, "unpicklable", "off")
    await asafess.pin(c, "unpicklable", "on")
    async with Worker(s.address, nthreads=1) as late:
        await until(lambda: late.address in plugin.ready)
    assert plugin.fault is None


@gen_cluster(client=True)
async def test_a_trace_begun_while_something_is_in_shadow_gives_the_same_decisions_again(c, s, a, b):
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "run.jsonl")
        # a policy remembers what was before the trace; declared types only, so that there is nothing
        given = {"policy": "alpha_beta", "control": {"null": "shadow"}, "infer": []}
        plugin = await installed(c, s, [Null(0.1, 1e9)], **given)
        await moving_phase(c, s)
        assert plugin.controller.shadows == {"null": "on"}
        await asafess.trace(c, path)
        made, second = await blocks(c, s)
        await c.gather(c.map(compute, made, workers=[second], pure=False))
        await asafess.trace(c, None)
        with open(path, encoding="utf-8") as lines:
            replayed = replay(read(lines)).decided
    assert replayed
    assert all(one.same for one in replayed)


@gen_cluster(client=True)
async def test_what_is_pinned_is_shown(c, s, a, b):
    await installed(c, s)
    await asafess.pin(c, "null", "on")
    assert (await asafess.status(c))["controls"] == {"null": "on"}
    await asafess.auto(c, "null")
    assert (await asafess.status(c))["controls"] == {"null": "auto"}


@gen_cluster(client=True)
async def test_pinning_takes_known_names_and_states_only(c, s, a, b):
    await installed(c, s)
    with pytest.raises(ValueError, match="unknown optimization 'codec'; installed: null"):
        await asafess.pin(c, "codec", "on")
    with pytest.raises(ValueError, match="named by a text"):
        await asafess.pin(c, ["codec"], "on")
    with pytest.raises(ValueError, match="unknown state 'max'"):
        await asafess.pin(c, "null", "max")


@gen_cluster(client=True)
async def test_what_is_not_installed_is_said_with_what_to_do(c, s, a, b):
    with pytest.raises(asafess.NotInstalledError, match=r"call asafess\.install"):
        await asafess.status(c)


@gen_cluster(client=True)
async def test_waiting_ends_with_what_is_missing(c, s, a, b):
    await asafess.install(c, ["null"])
    s.plugins[NAME].ready.clear()
    s.plugins[NAME].rates = None
    s.plugins[NAME].probe.probed = {"x", "y"}  # no probe is begun
    with pytest.raises(TimeoutError, match="0 of 2 workers are ready and the rates are not known"):
        await asafess.wait(c, timeout=0)
