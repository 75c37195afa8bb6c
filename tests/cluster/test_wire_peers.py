"""Who gets frames of the codec: peers of all kinds, processes, encrypted connections; and those made before."""

import shutil
import subprocess

import dask
import numpy as np
import pytest
from distributed import Client, LocalCluster, Nanny, Scheduler, Security, Worker
from distributed.comm import connect
from distributed.utils_test import gen_cluster, gen_test
from helpers import until
from wire_helpers import (  # noqa: F401 - a fixture of all tests is among them
    CONFIG,
    TWO,
    WIRE_RATES,
    fresh_codec,
    move,
    pin,
    ratio_of,
    sparse,
    take,
    with_compression,
)

import asafess
from asafess.cluster.messages import NAME
from asafess.wire import connections
from asafess.wire.connections import SETTING

SAYS = (None, "lz4", connections.NAME)
SIDES = ("client", "scheduler", "worker")


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


@gen_cluster(client=True, nthreads=TWO, config={**CONFIG, SETTING: "zlib"}, timeout=120)
async def test_a_compression_that_a_person_has_set_is_left_alone(c, s, a, b):
    await with_compression(c, s)
    await pin(c, "mask")
    assert dask.config.get(SETTING) == "zlib"
    await move(c, s)
    assert connections.codec.counters()["wire_encoded_frames"] == 0
    await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=TWO[:1], config=CONFIG, timeout=120)
async def test_a_worker_process_of_its_own_starts_and_takes_part(c, s, a):
    """It inherits the configuration, in which the codec's name would let no connection succeed before it is known."""
    await with_compression(c, s)
    await pin(c, "mask")

    def make(seed):  # in the test, so that it travels whole
        # spread, because Dask's sample is often a single piece, and takes a block that it falls into for the frame
        words = np.random.default_rng(seed).standard_normal(250_000)
        words[np.arange(words.size) % 20 > 0] = 0
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


def test_in_one_process_nothing_is_serialized_and_nothing_hurt():
    given = {"processes": False, "n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**given) as cluster, Client(cluster) as client:
        asafess.install(client, ["wire_compression"], rates=WIRE_RATES)
        asafess.pin(client, "wire_compression", "general")
        first, second = client.nthreads()
        made = client.map(sparse, range(4), workers=[first], pure=False)
        taken = client.gather(client.map(take, made, workers=[second], pure=False))
        assert [one.tobytes() for one in taken] == [sparse(seed).tobytes() for seed in range(4)]
        asafess.uninstall(client)
        assert connections.codec.counters()["wire_encoded_frames"] == 0
