"""Spill compression on workers that spill: bytes on disk, bits that come back, and all put back."""

import math
import random
from functools import partial

import dask
import numpy as np
import pytest
from distributed.protocol import deserialize_bytes
from distributed.utils_test import gen_cluster
from helpers import GATES, RATES, installed, new_gates, until

import asafess
from asafess.optimizations import spill_compression_costs as costs
from asafess.optimizations.spill_compression_costs import SPILL
from asafess.wire import disk, spill, spill_frames
from asafess.wire.codec import Codec
from asafess.wire.figures import DEFAULTS, MASKS
from asafess.wire.spill_counters import Totals

#: so that nothing is measured
SPILL_RATES = {**RATES, "spill_disk": 5e7, "spill_scan": 1e10, "spill_copy": 1.4e9, "spill_general": 3e8}
WORDS = 125_000  # 1 MB
#: spills what is over 2.4 MB of data, whatever else the process holds
CONFIG = {
    "distributed.worker.memory.target": 0.6,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.spill-compression": False,
}
LZ4 = {**CONFIG, "distributed.worker.memory.spill-compression": "zlib"}
spilling = partial(gen_cluster, client=True, nthreads=[("127.0.0.1", 1)], worker_kwargs={"memory_limit": 4_000_000})


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Give each test a codec and counters that know nothing, on a slow disk."""
    monkeypatch.setattr(spill, "codec", Codec())
    monkeypatch.setattr(spill, "_totals", Totals())
    spill.codec.set_link(5e7)
    for one in (costs, disk):  # what the disk of this machine takes decides nothing
        monkeypatch.setattr(one, "EVIDENCE", math.inf)


def sparse(seed, density=0.05):
    generator = np.random.default_rng(seed)
    return np.where(generator.random(WORDS) < density, generator.standard_normal(WORDS), 0.0)


def text(seed):
    words = np.frombuffer(b"tile... panel.. vector. ratio.. ", "V8")
    return words[np.random.default_rng(seed).integers(0, words.size, WORDS)].tobytes()


def noise(seed):
    return np.random.default_rng(seed).standard_normal(WORDS)


async def waiting(number, *others):
    await GATES["may_end"].wait()
    return number


def bits(one):
    return bytes(memoryview(one).cast("B")) if isinstance(one, np.ndarray) else one


async def with_spilling(client, scheduler, **given):
    return await installed(client, scheduler, ["spill_compression"], rates=SPILL_RATES, report_interval="10ms", **given)


async def pin(client, state):
    await asafess.pin(client, "spill_compression", state)
    await until(lambda: spill.codec.state == state)


async def share_on_disk(client, worker, make, count=6):
    """Make values, and return how much of those that were spilled is on disk; every bit has to come back."""
    values = client.map(make, range(count), pure=False)
    await client.gather(client.map(len, values, pure=False))
    store = worker.data._slow_uncached
    assert len(worker.data.disk) >= count - 3
    memory, disk = store.total_weight
    for seed, one in enumerate(await client.gather(values)):
        assert bits(one) == bits(make(seed))
    del values, one
    await until(lambda: not worker.data)
    return disk / memory


@spilling(config=CONFIG, timeout=60)
async def test_bytes_on_disk_are_fewer_in_the_states_that_compress_them(c, s, a):
    await with_spilling(c, s)
    for state, make, least, most in (
        ("off", sparse, 0.99, 1.1),
        ("mask", sparse, 0.05, 0.09),
        ("general", sparse, 0.03, 0.09),
        ("mask", text, 0.99, 1.1),
        ("general", text, 0.05, 0.6),
        ("general", noise, 0.99, 1.1),
        ("off", text, 0.99, 1.1),
    ):
        await pin(c, state)
        assert least <= await share_on_disk(c, a, make) <= most, (state, make)
    counted = spill.counters()
    assert counted["spill_faults"] == counted["spill_look_faults"] == counted["spill_corrupted_frames"] == 0
    assert counted["spill_encoded_frames"] >= 9
    assert 0 < counted["spill_kept_bytes"] < counted["spill_logical_bytes"]
    assert counted["spill_decoded_frames"] > 0
    assert counted["spill_written_bytes"] > 7 * WORDS
    assert counted["spill_written_bytes"] == a.data.cumulative_metrics["disk-write", "bytes"]
    assert counted["spill_read_bytes"] == a.data.cumulative_metrics["disk-read", "bytes"] > 0
    assert spill.counters() == counted
    await asafess.uninstall(c)


@spilling(config=LZ4, timeout=60)
async def test_off_is_as_dask_is_configured(c, s, a):
    stock = await share_on_disk(c, a, sparse)
    found = a.data._slow_uncached.dump
    await with_spilling(c, s)
    await pin(c, "off")
    assert await share_on_disk(c, a, sparse) == stock < 0.1
    value = sparse(0)
    assert b"".join(a.data._slow_uncached.dump(value)) == b"".join(found(value))
    counted = spill.counters()
    assert counted["spill_looked_off_bytes"] < 0.1 * counted["spill_looked_bytes"]
    assert counted["spill_encoded_frames"] == 0
    await asafess.uninstall(c)
    assert a.data._slow_uncached.dump is found


@spilling(config=CONFIG, timeout=60)
async def test_any_sequence_of_switches_gives_the_same_bits_also_of_files_from_before_and_after(c, s, a):
    found, states = a.data._slow_uncached.dump, ["mask", "general", "off"]
    makes = (sparse, text, noise)
    values, expected = [], []

    async def more(seed):
        for make in makes:
            expected.append(bits(make(seed)))
            values.append(c.submit(make, seed, pure=False))
            await values[-1]

    await more(0)  # of stock Dask
    await with_spilling(c, s)
    for seed, state in enumerate([*states, *random.Random(0).choices(states, k=4)], 1):
        await pin(c, state)
        await more(seed)
    await pin(c, "mask")
    await more(9)
    assert [bits(one) for one in await c.gather(values[:12])] == expected[:12]
    await asafess.uninstall(c)
    assert a.data._slow_uncached.dump is found
    await more(10)  # of stock Dask, while files of ours are there
    assert len(a.data.disk) > 20
    assert [bits(one) for one in await c.gather(values)] == expected


@spilling(config=CONFIG, timeout=60)
async def test_what_fails_is_left_to_dask_and_counted(c, s, a, monkeypatch):
    await with_spilling(c, s)
    await pin(c, "mask")
    monkeypatch.setattr(spill_frames, "encode", None)  # not callable
    assert await share_on_disk(c, a, sparse) > 0.99
    assert spill.counters()["spill_faults"] > 0
    await asafess.uninstall(c)


@spilling(config=CONFIG, timeout=60)
async def test_the_load_is_what_finds_no_room(c, s, a):
    plugin = await with_spilling(c, s)
    values = c.map(noise, range(6), pure=False)
    await c.gather(c.map(len, values, pure=False))
    await until(lambda: s.workers[a.address].metrics["spilled_bytes"]["memory"] == 4 * 8 * WORDS)
    group, block = s.tasks[values[0].key].group, 8 * WORDS
    [entry] = plugin.hooks.load(s, {group: 4})
    assert entry.load[SPILL] == pytest.approx((6 - 4 + 4 - 2.4) * block, rel=0.01)
    [entry] = plugin.hooks.load(s, {}, running=True)
    assert entry.load[SPILL] == 0
    _, may_end = new_gates()
    one = c.submit(waiting, 0, values[0])
    more = [c.submit(waiting, k) for k in range(1, 3)]
    await until(lambda: len(s.workers[a.address].processing) == 3)
    [entry] = plugin.hooks.load(s, {group: 1}, running=True)  # what they make is not known yet
    assert entry.load[SPILL] == pytest.approx((6 - 4 + 1 - 2.4) * block, rel=0.01)
    may_end.set()
    await c.gather([one, *more])
    await asafess.uninstall(c)


@spilling(config=CONFIG, timeout=60)
async def test_by_its_policy_it_starts_on_a_slow_disk_and_follows_what_it_has_seen(c, s, a):
    """On a disk that is said to be slow zeros are left out; on one that is said to be quick nothing is done."""
    for rate, start, expected in ((5e7, "general", ("mask", "general")), (1e13, "off", ("off",))):
        spill.codec.set_link(rate)
        await installed(c, s, ["spill_compression"], rates={**SPILL_RATES, "spill_disk": rate}, report_interval="10ms")
        await until(lambda start=start: spill.codec.state == start)
        assert (await share_on_disk(c, a, sparse) < 0.1) == (rate == 5e7)
        assert spill.codec.state in expected
        await asafess.uninstall(c)


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)], config=CONFIG, worker_kwargs={"memory_limit": 0}, timeout=60)
async def test_without_a_limit_there_is_nothing_to_do(c, s, a):
    assert isinstance(a.data, dict)
    plugin = await with_spilling(c, s)
    await pin(c, "mask")
    assert await c.submit(len, sparse(0)) == WORDS
    assert plugin.hooks.load(s, {}, running=True) == []
    assert spill.measure() == {}
    counted = spill.counters()
    assert not any(counted.values())
    await asafess.uninstall(c)


@spilling(config=CONFIG, timeout=60)
async def test_the_disk_is_measured_where_the_worker_spills(c, s, a):
    found = spill.measure()
    assert set(found) == {"spill_disk", "spill_scan", "spill_copy", "spill_general"}
    assert spill.codec.known[1] == found["spill_disk"] > 0


@spilling(config=CONFIG, timeout=60)
async def test_what_is_not_dasks_own_is_left_alone(c, s, a):
    store = a.data._slow_uncached
    theirs = store.dump = lambda value: [b"theirs"]
    spill.take()
    assert store.dump is theirs
    spill.leave()
    assert store.dump is theirs


def test_a_file_can_be_read_in_any_state():
    from distributed.protocol.serialize import serialize_bytelist

    spill.codec.prepare()
    dump = spill._Dump(partial(serialize_bytelist, compression=False, on_error="raise"))
    spill.take()
    files = []
    for state in ("off", "mask", "general"):
        spill.codec.set_state(state)
        files.append(b"".join(dump(sparse(1))))
    assert len(files[1]) < 0.1 * len(files[0])
    for state in ("off", "mask", "general"):
        spill.codec.set_state(state)
        assert {bits(deserialize_bytes(one)) for one in files} == {bits(sparse(1))}
    assert dask.config.get("distributed.comm.compression") is False


@asafess.task(loads={"compute": 1e3}, name="typed")
def typed(seed):
    return sparse(seed)


@spilling(config=CONFIG, timeout=60)
async def test_what_workers_have_seen_of_the_data_moves_it_from_off(c, s, a):
    plugin = await with_spilling(c, s)
    await pin(c, "off")
    assert await share_on_disk(c, a, typed) > 0.99
    values = []

    async def phase():
        values.append(c.map(typed, range(6), pure=False))
        await c.gather(c.map(len, values[-1], pure=False))

    await phase()
    await until(lambda: plugin.measurements.reports[a.address]["spill_looked_bytes"] > 0)
    await asafess.auto(c, "spill_compression")
    while spill.codec.state == "off":  # the test's own limit of time ends it
        await phase()
    assert spill.codec.state in ("mask", "general")
    known = plugin.measurements.known
    assert known["spill_kept_off"] == 1.0
    assert known["spill_kept_mask"] < 0.1
    assert known["spill_codec_mask"] < known["spill_codec_general"] < 1e-6
    await asafess.uninstall(c)


def dump_of():
    """Return a function that writes as a spill buffer of Dask's does that goes through the codec, and Dask's own."""
    from distributed.protocol.serialize import serialize_bytelist

    spill.codec.prepare()
    spill.take()
    found = partial(serialize_bytelist, compression="zlib", on_error="raise")
    return spill._Dump(found), found


class Counted:
    """Says how often it was pickled."""

    times = 0

    def __reduce__(self):
        Counted.times += 1
        return bytes, (b"spilled" * 10_000,)


@pytest.mark.parametrize("state", ["mask", "general"])
def test_a_value_is_serialized_once_and_looked_at_once(state, monkeypatch):
    dump, _ = dump_of()
    spill.codec.set_state(state)
    monkeypatch.setattr(Counted, "times", 0)
    looks = []
    monkeypatch.setattr(spill_frames, "look", lambda *given, look=spill_frames.look: looks.append(1) or look(*given))
    for _ in range(2 * spill.EVERY):
        dump(Counted())
    assert Counted.times == len(looks) == 2 * spill.EVERY
    assert spill.counters()["spill_looked_bytes"] > 2 * 70_000


def test_in_general_a_text_is_written_as_dask_writes_it():
    """Without header, checksum and copy, where Dask's library is best: then it costs no more than off."""
    dump, found = dump_of()
    figures = {name: one for name, one in DEFAULTS.items() if name in ("zlib", *MASKS)}
    spill.codec._set(spill.codec._active._replace(state="off", link=1e6, figures=figures))
    spill.codec.set_state("general")
    value = text(1)
    ours, dasks = dump(value), found(value)
    assert [bytes(one) for one in ours[2:]] == [bytes(one) for one in dasks[2:]]
    assert deserialize_bytes(b"".join(ours)) == value
    counted = spill.counters()
    assert counted["spill_encoded_frames"] == counted["spill_decoded_frames"] == 1
    assert counted["spill_decode_seconds"] > 0


def test_what_can_not_be_serialized_is_the_values_fault_not_ours():
    dump, _ = dump_of()
    spill.codec.set_state("mask")
    with pytest.raises(TypeError, match="Unserializable"):
        dump(Unserializable())
    assert spill.counters()["spill_faults"] == 0


class Unserializable:
    def __reduce__(self):
        raise TypeError("it can not")


@spilling(config=CONFIG, timeout=60)
async def test_the_codec_follows_what_the_disk_takes(c, s, a, monkeypatch):
    monkeypatch.setattr(disk, "EVIDENCE", 1 << 20)
    monkeypatch.setattr(spill, "_pace", disk.Pace(5e7))
    await with_spilling(c, s)
    await pin(c, "mask")
    assert spill.codec.known[1] == 5e7
    assert await share_on_disk(c, a, noise, count=2 * spill.EVERY) > 0.99
    meters = a.data.cumulative_metrics
    took = sum(meters[f"disk-{way}", "seconds"] / meters[f"disk-{way}", "bytes"] for way in ("write", "read"))
    assert spill.codec.known[1] != 5e7
    assert 0.05 < spill.codec.known[1] * took < 20
    await asafess.uninstall(c)
