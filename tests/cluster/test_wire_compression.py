"""Wire compression on a cluster whose workers have addresses of their own, as Dask compresses nothing on one host."""

import asyncio
import random

import dask
import numpy as np
import pytest
from dask import array as da
from distributed.utils_test import gen_cluster
from helpers import until
from wire_helpers import (  # noqa: F401 - a fixture of all tests is among them
    CONFIG,
    TWO,
    WIRE_RATES,
    dense,
    fresh_codec,
    move,
    pin,
    ratio_of,
    sparse,
    take,
    text,
    with_compression,
)

import asafess
from asafess.cluster.messages import NAME
from asafess.kernels.prepare import prepare
from asafess.tiles import door
from asafess.wire import connections


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=120)
async def test_bytes_cross_compressed_in_the_states_that_compress_them_and_raw_when_off(c, s, a, b):
    await with_compression(c, s, rates={**WIRE_RATES, "link": 1e7})  # where any library pays
    for state, make, least, most in (
        ("off", sparse, 0.99, 1.1),
        ("mask", sparse, 0.05, 0.09),
        ("general", sparse, 0.05, 0.09),
        ("general", text, 0.1, 0.6),
        ("mask", text, 0.99, 1.1),
        ("off", text, 0.99, 1.1),
    ):
        await pin(c, state)
        assert least <= await ratio_of(c, s, a, make=make) <= most, (state, make)
    assert connections.codec.counters()["wire_faults"] == 0
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=120)
async def test_any_sequence_of_switches_in_the_middle_of_transfers_gives_the_same_bits(c, s, a, b):
    await with_compression(c, s)
    expected = np.add.reduce([sparse(seed, 0.3) for seed in range(8)])
    for seed in range(4):
        made = c.map(sparse, range(8), density=0.3, workers=[a.address], pure=False)
        taken = c.map(take, made, workers=[b.address], pure=False)
        for state in random.Random(seed).choices(("off", "mask", "general"), k=10):
            await asafess.pin(c, "wire_compression", state)
            await asyncio.sleep(0)
        if seed == 3:
            await asafess.uninstall(c)
        assert np.add.reduce(await c.gather(taken)).tobytes() == expected.tobytes()


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=120)
async def test_a_codec_that_fails_sends_raw_and_counts(c, s, a, b):
    await with_compression(c, s)
    await pin(c, "mask")
    codec = connections.codec
    codec._encoder = None  # can't be called
    assert 0.99 <= await ratio_of(c, s, a) <= 1.1
    assert codec.counters()["wire_faults"] > 0
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=120)
async def test_a_damaged_frame_is_refused_and_dask_fetches_it_again(c, s, a, b):
    await with_compression(c, s)
    await pin(c, "mask")
    codec, damaged = connections.codec, []
    whole = codec._encoder._frame

    def damage(data, active, due, busy):
        frame = whole(data, active, due, busy)
        if not damaged:
            frame[40] ^= 1
            damaged.append(frame)
        return frame

    codec._encoder._frame = damage
    await move(c, s)
    assert damaged
    assert codec.counters()["wire_corrupted_frames"] == 1
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=120)
async def test_a_p2p_rechunk_is_compressed_and_gives_the_same_bits(c, s, a, b):
    await with_compression(c, s)
    values = np.concatenate([sparse(seed, 0.02) for seed in range(8)]).reshape(2000, 1000)
    for state in ("off", "mask", "general"):
        await pin(c, state)
        before = connections.codec.counters()["wire_sent_bytes"]
        with dask.config.set({"array.rechunk.method": "p2p", "array.rechunk.threshold": 1}):
            x = da.from_array(values, chunks=(2000, 125)).rechunk((250, 1000))
            assert (await c.compute(x)).tobytes() == values.tobytes()
        # from client to worker, worker to worker, worker to client: only the second is
        assert (connections.codec.counters()["wire_sent_bytes"] > before) == (state != "off"), state
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=120)
async def test_it_starts_where_the_link_points_and_follows_the_data(c, s, a, b):
    plugin = await with_compression(
        c, s, rates={**WIRE_RATES, "link": 1e9}, policy="alpha_beta", window="200ms", infer=[]
    )
    name = "wire_compression"
    assert plugin.controller.state.states[name] == "mask"
    for make, expected in ((dense, "off"), (sparse, "mask"), (dense, "off")):
        for _ in range(40):
            await move(c, s, make=make)
            if plugin.controller.state.states[name] == expected:
                break
        known = plugin.measurements.known
        assert plugin.controller.state.states[name] == expected, (make, known, plugin.journal.switches[-1])
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=120)
async def test_workers_know_the_link_although_the_state_stays_off(c, s, a, b):
    await with_compression(c, s, rates={**WIRE_RATES, "link": 1e12})
    await until(lambda: connections.codec._active.link == 1e12)
    assert connections.codec.state == "off"
    for _ in range(40):  # what was reported is looked at when tasks move again
        await move(c, s)
        if "wire_kept_mask" in s.plugins[NAME].measurements.known:
            break
    assert s.plugins[NAME].measurements.known["wire_kept_mask"] == 1.0  # nothing pays on such a link
    assert s.plugins[NAME].measurements.zeros.share > 0.9
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=120)
async def test_together_with_tile_compression_it_has_a_place_of_its_own_among_the_counters(c, s, a, b):
    rates = {**WIRE_RATES, **dict.fromkeys(("scan", "copy", "sample", "dense_product", "sparse_product"), 1e9)}
    await asafess.install(c, ["tile_compression", "wire_compression"], rates=rates, report_interval="10ms")
    plugin = s.plugins[NAME]
    await until(lambda: plugin.rates is not None and plugin.ready == set(s.workers), seconds=60)
    await move(c, s)
    await until(lambda: any(one.get("wire_sampled_bytes") for one in plugin.measurements.reports.values()))
    assert plugin.fault is None
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=120)
async def test_a_p2p_shuffle_of_a_dataframe_gives_the_same_rows_in_every_state(c, s, a, b):
    pd = pytest.importorskip("pandas")
    dd = pytest.importorskip("dask.dataframe")
    await with_compression(c, s, rates={**WIRE_RATES, "link": 1e7})
    frame = pd.DataFrame({"key": np.arange(60_000) % 97, "value": np.concatenate([sparse(0), sparse(1)])[:60_000]})
    for state in ("off", "mask", "general"):
        await pin(c, state)
        with dask.config.set({"dataframe.shuffle.method": "p2p"}):
            shuffled = dd.from_pandas(frame, npartitions=4).shuffle("key")
            found = await c.compute(shuffled)
        pd.testing.assert_frame_equal(found.sort_index(), frame)
    assert connections.codec.counters()["wire_faults"] == 0
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=120)
async def test_panels_give_the_same_product_whatever_both_optimizations_do(c, s, a, b):
    await with_compression(c, s, rates={**WIRE_RATES, "link": 1e7})
    prepare(["float64"])
    values = sparse(0, 0.1)[: 128 * 1920].reshape(128, 1920)
    panel, x = asafess.TiledMatrix.from_dense(values, tile=64), np.arange(1920.0)
    products = set()
    try:
        for form in ("off", "light", "full"):
            for state in ("off", "mask", "general"):
                door.set_form(form)
                await pin(c, state)
                [there] = await c.scatter([panel], workers=[a.address], hash=False)
                product = await c.submit(lambda panel, x: panel @ x, there, x, workers=[b.address], pure=False)
                products.add(product.tobytes())
    finally:
        door.set_form("off")
    assert products == {(panel @ x).tobytes()}
    await asafess.uninstall(c)
