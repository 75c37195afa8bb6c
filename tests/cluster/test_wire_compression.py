"""Wire compression on a cluster whose workers have addresses of their own, as Dask compresses nothing on one host."""

import asyncio
import random
import shutil
import subprocess

import dask
import numpy as np
import pytest
from dask import array as da
from distributed import Client, LocalCluster, Nanny, Scheduler, Security, Worker
from distributed.comm import connect
from distributed.utils_test import gen_cluster, gen_test
from helpers import RATES, until

import asafess
from asafess.cluster.messages import NAME
from asafess.kernels.prepare import prepare
from asafess.tiles import door
from asafess.wire import connections
from asafess.wire.codec import Codec
from asafess.wire.connections import SETTING

#: two hosts, as far as Dask can see
TWO = [("127.0.0.2", 1), ("127.0.0.3", 1)]
SAYS = (None, "lz4", connections.NAME)
SIDES = ("client", "scheduler", "worker")
CONFIG = {"distributed.worker.memory.pause": False}
WORDS = 250_000
#: so that nothing is measured
WIRE_RATES = {**RATES, "wire_scan": 1e10, "wire_copy": 1.4e9, "wire_general": 3e8}


@pytest.fixture(autouse=True)
def _fresh_codec(monkeypatch):
    """Give each test a codec that knows nothing, and see to it that it leaves Dask as it was."""
    monkeypatch.setattr(connections, "codec", Codec())
    before = dask.config.get(SETTING)
    yield
    assert dask.config.get(SETTING) == before


def sparse(seed, density=0.05):
    generator = np.random.default_rng(seed)
    a = generator.standard_normal(WORDS)
    a[generator.random(WORDS) >= density] = 0
    return a


def text(seed):
    generator = np.random.default_rng(seed)
    return b" ".join(generator.choice([b"tile", b"panel", b"mode", b"ratio"], WORDS)).ljust(1)


@asafess.task(intensity=0.25)
def take(a):
    return a


async def with_compression(client, scheduler, **given):
    settings = {"rates": WIRE_RATES, "report_interval": "10ms", **given}
    await asafess.install(client, ["wire_compression"], **settings)
    plugin = scheduler.plugins[NAME]
    await until(lambda: plugin.rates is not None and plugin.ready == set(scheduler.workers), seconds=60)
    return plugin


async def pin(client, state):
    await asafess.pin(client, "wire_compression", state)
    await until(lambda: connections.codec.state == state)


async def move(client, scheduler, make=sparse, function=take, count=4, pairs=None):
    """Make blocks on the first worker and take them on the second; every bit has to come."""
    first, second = pairs or list(scheduler.workers)[:2]
    seeds = [random.randrange(1 << 30) for _ in range(count)]
    made = client.map(make, seeds, workers=[first], pure=False)
    await client.gather(client.map(len, made, workers=[first], pure=False))
    came = await client.gather(client.map(function, made, workers=[second], pure=False))
    for seed, one in zip(seeds, came, strict=True):
        expected = function(make(seed))
        assert one == expected if function is len else bytes(memoryview(one)) == bytes(memoryview(expected))


def sent(worker):
    """Return the bytes that a worker has sent, as they were and as they left."""
    log = worker.transfer_outgoing_log
    return sum(one["total"] for one in log), sum(one["compressed"] or 0 for one in log)


async def ratio_of(c, s, worker, **kwargs):
    """Return which share of the bytes of a sweep was on the wire."""
    total, wire = sent(worker)
    await move(c, s, **kwargs)
    after = sent(worker)
    return (after[1] - wire) / (after[0] - total)


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
async def test_connections_made_before_the_installation_are_used_and_uninstalling_ends_it(c, s, a, b):
    assert 0.99 <= await ratio_of(c, s, a) <= 1.1
    for _ in range(2):
        await with_compression(c, s)
        await pin(c, "mask")
        assert await ratio_of(c, s, a) < 0.1
        assert await ratio_of(c, s, b, pairs=(b.address, a.address)) < 0.1
        await asafess.uninstall(c)
        assert 0.99 <= await ratio_of(c, s, a) <= 1.1
        assert dask.config.get(SETTING) is False


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=120)
async def test_peers_that_do_not_know_the_codec_get_raw_bytes(c, s, a, b):
    await with_compression(c, s)
    await pin(c, "mask")
    for says in SAYS[:2]:
        async with Worker(s.address, host="127.0.0.4", nthreads=1) as stranger:
            stranger.rpc.connection_args = {"handshake_overrides": {"compression": says}}
            assert 0.99 <= await ratio_of(c, s, a, pairs=(a.address, stranger.address)) <= 1.1
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=120)
async def test_of_the_connections_that_came_before_only_those_change_whose_other_side_has_the_codec(c, s, a, b):
    opened = {says: await connect(a.address, handshake_overrides={"compression": says}) for says in SAYS}
    await until(lambda: sum(comm.remote_info.get("compression") in SAYS[1:] for comm in a._comms) == len(SAYS) - 1)
    before = {comm: comm.handshake_options["compression"] for comm in a._comms}
    assert set(before.values()) == {None}
    await with_compression(c, s)
    await pin(c, "mask")
    after = {comm.remote_info["compression"]: comm.handshake_options["compression"] for comm in before}
    assert after == {says: connections.NAME if says == connections.NAME else None for says in SAYS}
    for comm in opened.values():
        await comm.close()
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=120)
async def test_a_worker_that_joins_in_the_middle_takes_part(c, s, a, b):
    await with_compression(c, s)
    await pin(c, "mask")
    async with Worker(s.address, host="127.0.0.4", nthreads=1) as late:
        await until(lambda: late.address in s.plugins[NAME].ready, seconds=60)
        assert await ratio_of(c, s, late, pairs=(late.address, a.address)) < 0.1
        assert await ratio_of(c, s, b, pairs=(b.address, late.address)) < 0.1
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)] * 2, config=CONFIG, timeout=120)
async def test_on_one_host_nothing_is_compressed(c, s, a, b):
    await with_compression(c, s)
    await pin(c, "general")
    assert 0.99 <= await ratio_of(c, s, a) <= 1.1
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
    codec._frame = codec._sample = None  # can't be called
    assert 0.99 <= await ratio_of(c, s, a) <= 1.1
    assert codec.counters()["wire_faults"] > 0
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=TWO, config=CONFIG, timeout=120)
async def test_a_damaged_frame_is_refused_and_dask_fetches_it_again(c, s, a, b):
    await with_compression(c, s)
    await pin(c, "mask")
    codec, damaged = connections.codec, []
    whole = codec._frame

    def damage(data, active, due):
        frame = whole(data, active, due)
        if not damaged:
            frame[40] ^= 1
            damaged.append(frame)
        return frame

    codec._frame = damage
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


def dense(seed):
    return np.random.default_rng(seed).random(WORDS)


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


@gen_cluster(client=True, nthreads=TWO, config={**CONFIG, SETTING: "zlib"}, timeout=120)
async def test_a_compression_that_a_person_has_set_is_left_alone(c, s, a, b):
    await with_compression(c, s)
    await pin(c, "mask")
    assert dask.config.get(SETTING) == "zlib"
    await move(c, s)
    assert connections.codec.counters()["wire_encoded_frames"] == 0
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


@gen_cluster(client=True, nthreads=TWO[:1], config=CONFIG, timeout=120)
async def test_a_worker_process_of_its_own_starts_and_takes_part(c, s, a):
    """It inherits the configuration, in which the codec's name would let no connection succeed before it is known."""
    await with_compression(c, s)
    await pin(c, "mask")

    def make(seed):  # in the test, so that it travels whole
        import numpy as np

        words = np.random.default_rng(seed).standard_normal(250_000)
        words[250_000 // 20 :] = 0
        return words

    async with Nanny(s.address, host="127.0.0.4", nthreads=1) as nanny:
        other = nanny.worker_address
        await until(lambda: other in s.plugins[NAME].ready, seconds=60)
        assert await ratio_of(c, s, a, make=make, function=len, pairs=(a.address, other)) < 0.1
        before = connections.codec.counters()["wire_decoded_frames"]
        made = c.map(make, range(4), workers=[other], pure=False)
        taken = await c.gather(c.map(take, made, workers=[a.address], pure=False))
        assert [one.tobytes() for one in taken] == [make(seed).tobytes() for seed in range(4)]
        assert connections.codec.counters()["wire_decoded_frames"] - before == 4
    await asafess.uninstall(c)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
def test_encrypted_connections_are_compressed_too(tmp_path):
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout {key} -out {cert}"
    subprocess.run(make.split(), check=True, capture_output=True)
    sides = {f"tls_{who}_{what}": path for who in SIDES for what, path in (("cert", cert), ("key", key))}
    security = Security(tls_ca_file=cert, require_encryption=True, **sides)

    @gen_test()
    async def run():
        async with (
            Scheduler(protocol="tls://", host="127.0.0.1", security=security, dashboard_address=":0") as s,
            Worker(s.address, host="127.0.0.2", nthreads=1, security=security) as a,
            Worker(s.address, host="127.0.0.3", nthreads=1, security=security) as b,
            Client(s.address, security=security, asynchronous=True) as c,
        ):
            assert a.address.startswith("tls://")
            await with_compression(c, s)
            await pin(c, "mask")
            assert await ratio_of(c, s, a, pairs=(a.address, b.address)) < 0.1
            await asafess.uninstall(c)

    run()


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


def test_in_one_process_nothing_is_serialized_and_nothing_hurt():
    given = {"processes": False, "n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**given) as cluster, Client(cluster) as client:
        asafess.install(client, ["wire_compression"], rates=WIRE_RATES)
        asafess.pin(client, "wire_compression", "general")
        first, second = client.scheduler_info()["workers"]
        made = client.map(sparse, range(4), workers=[first], pure=False)
        taken = client.gather(client.map(take, made, workers=[second], pure=False))
        assert [one.tobytes() for one in taken] == [sparse(seed).tobytes() for seed in range(4)]
        asafess.uninstall(client)
        assert connections.codec.counters()["wire_encoded_frames"] == 0
