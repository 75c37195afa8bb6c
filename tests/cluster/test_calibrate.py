"""Measuring a cluster that runs, and leaving it as it was."""

import asyncio
import dataclasses
import threading
import time
import zlib

import numpy as np
import pytest
from distributed import Worker
from distributed.utils_test import gen_cluster
from helpers import RATES, installed, moving_phase, new_gates, until, waiting

import asafess
from asafess.cluster import messages, probe
from asafess.cluster.calibrate import LONGEST, Limits, measure
from asafess.cluster.calibration import calibration
from asafess.cluster.config import OWN_RATES, settings
from asafess.cluster.messages import NAME
from asafess.core.mode import Rates
from asafess.optimizations.null import Null
from asafess.optimizations.tile_compression import TileCompression
from asafess.tiles import densities
from asafess.tiles.rates import rates

ALL = ("flop", "memory", "link", "loops", *OWN_RATES["tile_compression"])
QUICK = 0.04
#: for a machine on which others work too: kernels may have to be compiled
PATIENT = Limits(hello=30, local=120, link=60)


def codec(seconds, dtype):
    """As quick to ask as can be."""
    return {"scan": 4e9, "copy": 2e9, "sample": 4e10, "dense_product": 1e10, "sparse_product": 1e9}


#: the first call of `one_hangs` waits for this
release = threading.Event()
calls = []


def one_hangs(seconds, dtype):
    calls.append(dtype)
    if len(calls) == 1:
        release.wait(20)
    return codec(seconds, dtype)


def one_fails(seconds, dtype):
    calls.append(dtype)
    if len(calls) == 1:
        raise MemoryError("no room")
    return codec(seconds, dtype)


def slow(seconds, dtype):
    time.sleep(2.2)
    return codec(seconds, dtype)


def all_fail(seconds, dtype):
    raise MemoryError("no room")


def furniture(scheduler, *workers):
    """What plugins and messages change on a cluster."""
    of_scheduler = [set(scheduler.plugins), set(scheduler.worker_plugins), set(scheduler.periodic_callbacks)]
    return of_scheduler + [
        set(found) for worker in workers for found in (worker.plugins, worker.handlers, worker.stream_handlers)
    ]


@gen_cluster(client=True)
async def test_a_cluster_without_asafess_is_measured_and_nothing_is_left_behind(c, s, a, b):
    before = furniture(s, a, b)
    densities.reset()
    found = await measure(c, rates, QUICK, limits=PATIENT)
    assert set(found.rates) == {a.address, b.address}
    assert set(found.codecs) == {"float64"}
    assert all(set(one) == set(ALL) and all(rate > 1e5 for rate in one.values()) for one in found.rates.values())
    assert (found.missing, found.busy) == ({}, 0)
    for least, middle, most in found.spread().values():
        assert least <= middle <= most
    assert furniture(s, a, b) == before
    assert densities.density("light", np.dtype("float64")) is None
    assert await c.submit(sum, [1, 2]) == 3


@gen_cluster(client=True)
async def test_an_installation_goes_on_as_if_nobody_had_measured(c, s, a, b):
    plugin = await installed(c, s, ["tile_compression"])
    await asafess.pin(c, "tile_compression", "light")
    before, known = furniture(s, a, b), densities.density("light", np.dtype("float64"))
    state, in_force, told = plugin.controller.state, plugin.rates, plugin.controller.controls
    found = await measure(c, rates, QUICK, limits=PATIENT)
    assert len(found.rates) == 2
    assert (plugin.controller.state, plugin.rates, plugin.controller.controls) == (state, in_force, told)
    assert furniture(s, a, b) == before
    assert densities.density("light", np.dtype("float64")) == known
    assert plugin.fault is None


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)])
async def test_a_worker_that_is_alone_has_no_link_and_none_is_written(c, s, a):
    found = await measure(c, codec, QUICK, limits=PATIENT)
    assert "link" not in found.spread()
    follows = calibration(found, lambda rates, dtype: 0.5)
    assert follows.thresholds is None
    assert set(follows.values["tile-compression"]) == {"break-even"}
    follows = calibration(found, lambda rates, dtype: 0.5, link=1e8)
    assert follows.thresholds["alpha"] == 0.985
    assert "link" not in follows.values["rates"]


@gen_cluster(client=True)
async def test_it_is_said_that_tasks_were_running(c, s, a, b):
    begun, may_end = new_gates()
    task = c.submit(waiting, 0, pure=False)
    await begun.wait()
    assert (await measure(c, codec, QUICK, limits=PATIENT)).busy == 1
    may_end.set()
    await task
    await until(lambda: not any(one.processing for one in s.workers.values()))
    assert (await measure(c, codec, QUICK, limits=PATIENT)).busy == 0


@gen_cluster(client=True)
async def test_who_does_not_answer_in_time_is_named_and_the_others_count(c, s, a, b):
    calls.clear()
    release.clear()
    try:
        found = await measure(c, one_hangs, QUICK, limits=Limits(local=3.0))
    finally:
        release.set()
    (missing,) = found.missing.items()
    assert {missing[0], *found.rates} == {a.address, b.address}
    assert "no answer within 3 s" in missing[1]
    assert "link" not in found.spread()


@gen_cluster(client=True)
async def test_a_data_type_for_which_no_time_is_left_is_left_out(c, s, a, b):
    found = await measure(c, slow, QUICK, ["float32"], Limits(local=4.0))
    assert {name: len(one) for name, one in found.codecs.items()} == {"float64": 2, "float32": 0}
    follows = calibration(found, lambda rates, dtype: 0.5)
    assert follows.values["tile-compression"]["break-even"] == {"float64": {"light": 0.5}}


@gen_cluster(client=True)
async def test_who_can_not_measure_is_named_with_the_reason(c, s, a, b):
    calls.clear()
    found = await measure(c, one_fails, QUICK, limits=PATIENT)
    assert len(found.rates) == 1
    assert ["no room" in reason for reason in found.missing.values()] == [True]
    with pytest.raises(RuntimeError, match=r"nothing could be measured.*no room"):
        await measure(c, all_fail, QUICK, limits=PATIENT)
    assert await c.submit(sum, [1, 2]) == 3


@gen_cluster(client=True, nthreads=[])
async def test_a_cluster_without_workers_is_said_to_be_one(c, s):
    with pytest.raises(RuntimeError, match="the cluster has no workers"):
        await measure(c, codec, QUICK, limits=PATIENT)


@gen_cluster(client=True)
async def test_who_interrupts_leaves_nothing_behind(c, s, a, b):
    before = furniture(s, a, b)
    calls.clear()
    release.clear()
    task = asyncio.ensure_future(measure(c, one_hangs, QUICK))
    await until(lambda: len(calls) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    release.set()
    assert furniture(s, a, b) == before
    assert len((await measure(c, codec, QUICK, limits=PATIENT)).rates) == 2


def test_all_steps_together_are_given_less_than_half_a_minute():
    limits = dataclasses.asdict(Limits())
    assert sum(limits.values()) < 30
    # what is asked for fits, with as much again to compile and for a last message that is slow
    assert min(limits["local"], limits["link"]) / 1.5 >= LONGEST / 2


def test_what_a_neighbour_sends_is_made_once_and_does_not_compress():
    async def asked():
        return await probe.random_words(1 << 16), await probe.random_words(1 << 20)

    first, second = asyncio.run(asked())
    assert (first.nbytes, second.nbytes) == (1 << 16, 1 << 20)
    assert np.shares_memory(first, second)
    assert len(zlib.compress(second.tobytes(), 1)) > 0.99 * second.nbytes


@pytest.mark.parametrize("seconds", [0, -1, LONGEST + 1, float("nan")])
def test_a_time_beyond_the_plan_is_refused(seconds):
    with pytest.raises(ValueError, match="seconds must be more than 0 and at most 10"):
        measure(None, codec, seconds)


def test_the_rates_that_can_be_given_are_those_that_are_measured():
    optimization = TileCompression()
    assert set(optimization.rates()) == set(OWN_RATES[optimization.name])
    optimization.leave()
    # either way of writing them
    assert settings(rates={"dense-product": 1e9, "sparse_product": None}).rates == {"dense_product": 1e9}


class Measuring(Null):
    def rates(self):
        return {"disk": 1.0}


class Other(TileCompression):
    def rates(self):
        return {"disk": 1.0}


def test_nothing_is_left_to_measure_only_where_all_that_is_measured_is_given():
    everything = dict.fromkeys(ALL, 1e9)
    assert settings(rates=everything).all_rates_given
    assert settings(["null"], rates=RATES).all_rates_given
    assert settings(rates={one: 1e9 for one in ALL if one != "loops"}).all_rates_given  # without it, flop counts
    for name in set(ALL) - {"loops"}:
        assert not settings(rates={one: 1e9 for one in ALL if one != name}).all_rates_given
    for unknown in (Measuring(), Other()):
        assert not settings([unknown], rates=everything).all_rates_given
    assert asyncio.run(probe.measure(None, [], RATES, enough=True)) == Rates(1e9, 1e9, 1e8)


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)])
async def test_workers_are_not_asked_for_rates_that_are_given(c, s, a):
    asked = []

    async def recorded():
        asked.append(1)
        return {"flop": 1.0, "memory": 1.0}

    for given_, expected in ((dict.fromkeys(ALL, 1e9), 0), ({"flop": 1e9, "memory": 1e9}, 1)):
        await asafess.install(c, ["tile_compression"], rates=given_)
        await asafess.wait(c)
        asked.clear()
        a.handlers[messages.RATES] = recorded
        # rates are looked at again when there are two
        async with Worker(s.address, nthreads=1):
            plugin = s.plugins[NAME]
            await until(lambda plugin=plugin: len(plugin.probe.probed) == 2 and not plugin.probe.running)
            assert len(asked) == expected
            assert plugin.rates.flop == 1e9
            assert await moving_phase(c, s) == [1.0] * 4
