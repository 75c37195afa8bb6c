import asyncio
import threading
from typing import ClassVar

import pytest
from distributed import Client, Nanny, Worker
from distributed.utils_test import gen_cluster
from helpers import Recorded, installed, moving_phase, until

import asafess
from asafess.cluster.messages import NAME, STATE


def left_behind(scheduler, *workers):
    """What of ours is still on a cluster."""
    found = [name for name in (NAME,) if name in scheduler.plugins]
    found += [name for name in scheduler.worker_plugins if name == NAME]
    found += [name for name in scheduler.periodic_callbacks if name == NAME]
    for worker in workers:
        found += [name for name in worker.plugins if name == NAME]
        found += [name for name in worker.handlers if "asafess" in name]
    return found


@gen_cluster(client=True)
async def test_an_uninstalled_cluster_is_as_it_was_and_can_be_installed_again(c, s, a, b):
    for _ in range(2):
        plugin = await installed(c, s)
        await moving_phase(c, s)
        assert plugin.controller.state.states == {"null": "on"}
        await asafess.uninstall(c)
        assert left_behind(s, a, b) == []
        assert await moving_phase(c, s) == [1.0] * 4
    await asafess.uninstall(c)  # nothing there: nothing happens


@gen_cluster(client=True)
async def test_a_worker_lives_through_a_state_that_comes_after_the_uninstallation(c, s, a, b):
    await installed(c, s)
    await asafess.uninstall(c)
    for worker in list(s.workers):
        s.worker_send(worker, {"op": STATE, "state": {"controller": "x", "counter": 1, "states": {}}})
    assert await c.submit(len, [1, 2], pure=False) == 2
    await asyncio.sleep(0.05)
    assert len(s.workers) == 2


class Slow(Recorded):
    """Prepares until it is told to go on, and then has something to put back."""

    name = "slow"
    calls: ClassVar[list] = []
    go_on = threading.Event()

    def prepare(self, dtypes):
        self.go_on.wait(20)
        self.calls.append("prepared")


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)])
async def test_what_is_prepared_after_the_uninstallation_is_put_back_too(c, s, a):
    Slow.calls.clear()
    Slow.go_on.clear()
    await asafess.install(c, [Slow()])
    await asafess.uninstall(c)
    assert "prepared" not in Slow.calls
    Slow.go_on.set()
    await until(lambda: "prepared" in Slow.calls)
    await until(lambda: Slow.calls[-1] == "left")


@gen_cluster(client=True)
async def test_uninstalling_leaves_every_optimization(c, s, a, b):
    Recorded.calls.clear()
    await installed(c, s, [Recorded()])
    await asafess.pin(c, "recorded", "on")
    await until(lambda: Recorded.calls == ["on", "on"])
    await asafess.uninstall(c)
    # workers of one process share what is acted on; the last of them puts it back
    assert Recorded.calls[-1] == "left"


@gen_cluster(client=True)
async def test_a_worker_that_leaves_a_shared_process_does_not_switch_the_others_off(c, s, a, b):
    Recorded.calls.clear()
    await installed(c, s, [Recorded()])
    await asafess.pin(c, "recorded", "on")
    await until(lambda: Recorded.calls == ["on", "on"])
    await c.retire_workers([a.address])
    await until(lambda: len(s.workers) == 1)
    assert "left" not in Recorded.calls


@gen_cluster(client=True)
async def test_clients_that_install_at_the_same_time_leave_one_whole_installation(c, s, a, b):
    async with Client(s.address, asynchronous=True) as other:
        for _ in range(5):
            await asyncio.gather(asafess.install(c, ["null"]), asafess.install(other, [Recorded()]))
            names = {tuple(o.name for o in w.plugins[NAME].settings.optimizations) for w in (a, b)}
            names.add(tuple(o.name for o in s.plugins[NAME].settings.optimizations))
            assert len(names) == 1


def test_what_is_no_client_is_refused():
    with pytest.raises(TypeError, match=r"dask\.distributed\.Client, not on 'tcp://x:1'"):
        asafess.install("tcp://x:1")


@gen_cluster(client=True)
async def test_a_second_client_sees_and_steers_the_same_installation(c, s, a, b):
    await installed(c, s)
    async with Client(s.address, asynchronous=True) as other:
        await asafess.pin(other, "null", "on")
        assert (await asafess.status(c))["states"] == {"null": "on"}
        await asafess.install(other, ["null"])  # replaces
        assert (await asafess.status(c))["states"] == {"null": "off"}
    assert await moving_phase(c, s) == [1.0] * 4


@gen_cluster(client=True)
async def test_a_wrong_setting_is_refused_before_anything_is_touched(c, s, a, b):
    for given in (
        {"optimizations": ["tile_compresion"]},
        {"optimizations": "tile_compression"},
        {"optimizations": [3]},
        {"tick": "soon"},
        {"rates": {"link": -1}},
        {"windows": "1s"},
        {"types": {"x": {"flops": 1}}},
        {"dtypes": ["float46"]},
    ):
        with pytest.raises((ValueError, TypeError)):
            await asafess.install(c, **given)
    assert left_behind(s, a, b) == []


@gen_cluster(client=True, nthreads=[("", 1)] * 2, Worker=Nanny)
async def test_workers_that_restart_come_back_in_the_present_state(c, s, a, b):
    plugin = await installed(c, s, ["null"])
    await asafess.pin(c, "null", "on")
    before = set(s.workers)
    await c.restart()
    await until(lambda: len(plugin.ready) == 2 and not plugin.ready & before)

    def acting(dask_worker):
        return dict(dask_worker.plugins[NAME]._acting.states)

    assert list((await c.run(acting)).values()) == [{"null": "on"}] * 2
    assert await moving_phase(c, s) == [1.0] * 4


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)])
async def test_the_rates_are_measured_when_they_are_not_given(c, s, a):
    await asafess.install(c, ["tile_compression"], dtypes=["float64"])
    alone = await asafess.wait(c, timeout=60)
    assert alone["rates"]["link"] == alone["rates"]["memory"]  # nobody to move to
    async with Worker(s.address, nthreads=1):
        plugin = s.plugins[NAME]
        await until(lambda: len(plugin.probe.probed) == 2 and not plugin.probe.running, seconds=60)
        rates = (await asafess.status(c))["rates"]
    assert {"flop", "memory", "link", "scan", "copy", "dense_product", "sparse_product"} <= rates.keys()
    assert all(rate > 1e6 for rate in rates.values())
    assert rates["link"] != rates["memory"]
