"""Tile compression on a cluster: it follows data and phases, and changes no bit."""

import asyncio
import random

import numpy as np
import pytest
from dask.sizeof import sizeof
from distributed.utils_test import gen_cluster
from helpers import RATES, until

import asafess
from asafess.cluster.messages import NAME
from asafess.optimizations.tile_compression import TileCompression
from asafess.tiles import densities, door

TILE, ROWS, COLUMNS = 32, 64, 4096


@pytest.fixture(autouse=True)
def _clean_door():
    door.set_form("off")
    densities.reset()
    yield
    door.set_form("off")
    densities.reset()


def panel(density, seed):
    """A panel of 2 MiB with so many non-zeros, all tiles dense."""
    generator = np.random.default_rng(seed)
    a = generator.random((ROWS, COLUMNS))
    a[generator.random(a.shape) >= density] = 0
    return asafess.TiledMatrix.from_dense(a, tile=TILE)


def nbytes(a):
    """Ask for its size: `sizeof` itself can't be sent where somebody has asked for that of a class which can't be."""
    return sizeof(a)


@asafess.task(intensity=0.25)
def multiply(a, x):
    return a @ x


@asafess.task(per_byte={"compute": 250.0, "memory": 1000.0})
def multiply_many_times(a, x):
    for _ in range(3):
        y = a @ x
    return y


async def with_compression(client, scheduler, **given):
    await asafess.install(
        client, ["tile_compression"], rates=RATES, dtypes=["float64"], report_interval="10ms", **given
    )
    plugin = scheduler.plugins[NAME]
    await until(lambda: plugin.rates is not None and plugin.ready == set(scheduler.workers), seconds=60)
    return plugin


async def sweep(client, scheduler, density, function=multiply, panels=4):
    """Make fresh panels on one worker and multiply them on the other; return products and expectation."""
    first, second = list(scheduler.workers)
    seeds = [random.randrange(1 << 30) for _ in range(panels)]
    made = client.map(panel, [density] * panels, seeds, workers=[first], pure=False)
    await client.gather(client.map(nbytes, made, workers=[first], pure=False))
    x = np.arange(1.0, COLUMNS + 1)
    got = await client.gather(client.map(function, made, x=x, workers=[second], pure=False))
    want = [panel(density, seed) @ x for seed in seeds]
    assert [one.tobytes() for one in got] == [one.tobytes() for one in want]


def sampled():
    counters = door.counters()
    return counters["sampled_words"], counters["sampled_zeros"]


def state(plugin):
    return plugin.controller.state.states["tile_compression"]


@gen_cluster(client=True, timeout=120)
async def test_the_same_program_on_other_data_is_followed(c, s, a, b):
    # making the panels is a phase too, which would be followed as well
    plugin = await with_compression(c, s, window="200ms", policy="alpha_beta", infer=[])
    begun = len(plugin.journal.switches)
    for density, expected in ((0.01, "full"), (1.0, "off"), (0.01, "full"), (1.0, "off")):
        for _ in range(30):
            await sweep(c, s, density)
            if state(plugin) == expected:
                break
        assert state(plugin) == expected, f"at {density:.0%} non-zeros, zeros known: {plugin.measurements.zeros.share}"
        # both workers count what their one process has sampled: a late report would tell of this data among the next
        await until(lambda: set(plugin.measurements.zeros._totals.values()) == {sampled()})
    causes = [switch["cause"] for switch in list(plugin.journal.switches)[begun:]]
    assert all("zeros" in cause for cause in causes)
    assert len(causes) == 3


@gen_cluster(client=True, timeout=120)
async def test_the_same_data_moved_and_then_multiplied_many_times_is_followed(c, s, a, b):
    plugin = await with_compression(c, s, policy="alpha_beta", infer=[])
    assert await moved_and_multiplied(c, s, plugin) == ["full", "off", "full", "off"]


@gen_cluster(client=True, timeout=120)
async def test_nothing_is_switched_where_nothing_moves_and_so_nothing_is_lost(c, s, a, b):
    plugin = await with_compression(c, s)
    assert await moved_and_multiplied(c, s, plugin) == ["full"] * 4
    assert all(one["cause"].startswith("start") for one in plugin.journal.switches)


async def moved_and_multiplied(c, s, plugin):
    """Move data, multiply other data in place, and both again; return the state after each."""
    first = next(iter(s.workers))
    made = c.map(panel, [0.01] * 4, range(4), workers=[first], pure=False)
    x = np.ones(COLUMNS)
    seen = []
    for _ in range(2):
        await sweep(c, s, 0.01)
        seen.append(state(plugin))
        await asyncio.sleep(0.15)  # the dwell
        await c.gather(c.map(multiply_many_times, made, x=x, workers=[first], pure=False))
        seen.append(state(plugin))
        await asyncio.sleep(0.15)
    return seen


@gen_cluster(client=True, timeout=120)
async def test_staying_in_the_wrong_state_is_ended_when_it_has_cost_as_much_as_switching_there_and_back(c, s, a, b):
    plugin = await with_compression(c, s)
    await asafess.pin(c, "tile_compression", "off")
    await sweep(c, s, 0.01)
    await until(lambda: plugin.measurements.zeros.share is not None)  # costs are predicted from what is known of data
    await asafess.auto(c, "tile_compression")
    for _ in range(30):
        await sweep(c, s, 0.01)
        if state(plugin) != "off":
            break
    # so sparse a panel has as few bytes in either form
    assert state(plugin) in ("light", "full")
    assert "off has cost" in plugin.journal.switches[-1]["cause"]


@gen_cluster(client=True, timeout=120)
async def test_compressed_panels_move_fewer_bytes_and_dask_still_counts_logical_ones(c, s, a, b):
    await with_compression(c, s)
    moved = {}
    for form in ("off", "light", "full"):
        await asafess.pin(c, "tile_compression", form)
        await until(lambda form=form: door.form() == form)
        before = door.counters()
        await sweep(c, s, 0.01)
        moved[form] = door.counters()["sent_bytes"] - before["sent_bytes"]
        logical = door.counters()["logical_bytes"] - before["logical_bytes"]
        assert logical == 4 * ROWS * COLUMNS * 8
    assert moved["off"] >= logical
    assert max(moved["full"], moved["light"]) < moved["off"] / 5


@gen_cluster(client=True, timeout=120)
async def test_any_sequence_of_switches_in_the_middle_of_a_run_gives_the_same_bits(c, s, a, b):
    await with_compression(c, s)
    first, second = list(s.workers)
    made = c.map(panel, [0.02, 0.2, 0.9, 1.0] * 4, range(16), workers=[first], pure=False)
    x = np.random.default_rng(0).standard_normal(COLUMNS)

    def switch_and_multiply(a, x, form):
        from asafess.tiles import door

        door.set_form(form)  # what the next panel that leaves will be written as
        return a @ x

    runs = set()
    for seed in range(4):
        forms = random.Random(seed).choices(("off", "light", "full"), k=len(made)) if seed else ["off"] * len(made)
        moved = (
            c.map(switch_and_multiply, made, x=x, form=forms[0], workers=[second], pure=False)
            if not seed
            else [
                c.submit(switch_and_multiply, one, x, form, workers=[second], pure=False)
                for one, form in zip(made, forms, strict=True)
            ]
        )
        runs.add(b"".join(y.tobytes() for y in await c.gather(moved)))
        made = c.map(panel, [0.02, 0.2, 0.9, 1.0] * 4, range(16), workers=[first], pure=False)
    assert len(runs) == 1


@gen_cluster(client=True, timeout=120)
async def test_a_first_switch_to_an_uncompiled_type_stops_no_event_loop_and_compresses_later(c, s, a, b):
    from asafess.kernels.prepare import ready

    await with_compression(c, s)
    await asafess.pin(c, "tile_compression", "full")
    first, second = list(s.workers)

    # one that no test before this one has compiled: tiles this big have indices of two bytes
    big = 512
    dtype = next(dtype for dtype in (np.uint32, np.int32, np.uint64, np.int64) if not ready(dtype, big))

    def small(seed):
        return asafess.TiledMatrix.from_dense(panel(0.01, seed).to_dense().astype(dtype), tile=big)

    turns = 0
    before = door.counters()
    made = c.map(small, range(2), workers=[first], pure=False)
    await c.gather(c.map(nbytes, made, workers=[second], pure=False))
    while not ready(dtype, big):
        turns += 1
        await asyncio.sleep(0.005)
    # the loop that sends heartbeats turned while the compiler ran
    assert turns > 10
    raw = door.counters()
    assert raw["uncompiled"] - before["uncompiled"] == 2
    made = c.map(small, range(2, 4), workers=[first], pure=False)
    await c.gather(c.map(nbytes, made, workers=[second], pure=False))
    after = door.counters()
    assert after["sent_bytes"] - raw["sent_bytes"] < (raw["sent_bytes"] - before["sent_bytes"]) / 5


@gen_cluster(client=True, timeout=120)
async def test_break_even_densities_are_those_of_the_installation_else_measured_and_gone_with_it(c, s, a, b):
    float64 = np.dtype("float64")
    await with_compression(c, s)
    assert 0 < densities.density("light", float64) <= 1  # by the rates
    assert densities.density("full", float64) is None
    await asafess.uninstall(c)
    await until(lambda: densities.density("light", float64) is None)
    await asafess.install(c, [TileCompression(break_even={"float64": {"light": 0.125}})], rates=RATES)
    plugin = s.plugins[NAME]
    await until(lambda: plugin.rates is not None and plugin.ready == set(s.workers), seconds=60)
    await asafess.pin(c, "tile_compression", "light")
    await until(lambda: densities.density("light", float64) == 0.125)
