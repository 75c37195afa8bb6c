"""Two optimizations on at once, all pairs of them, in all states that act: the same results, and all put back."""

import asyncio
import itertools
import os
import random
from functools import partial

import numpy as np
import pytest
import threadpoolctl
from dask import array as da
from distributed.utils_test import gen_cluster
from helpers import RATES, installed
from wire_helpers import fresh_codec  # noqa: F401 - a fixture of all tests is among them

import asafess
from asafess.optimizations.registry import BUILT_IN
from asafess.testing.process import differences, picture
from asafess.testing.scheduling import scheduler_picture
from asafess.wire import reduced

CLASSES = {name: make() for name, make in BUILT_IN.items()}
PAIRS = [
    (one, other)
    for one, other in itertools.combinations(BUILT_IN, 2)
    if other not in CLASSES[one].conflicts and one not in CLASSES[other].conflicts
]
#: two hosts, as far as Dask can see, so that compression is negotiated; threads that a pool can be widened to
TWO = [("127.0.0.2", 2), ("127.0.0.3", 2)]
CORES = len(os.sched_getaffinity(0))
CONFIG = {
    "distributed.worker.memory.target": 0.6,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.spill-compression": False,
    "array.rechunk.method": "p2p",
    "array.rechunk.threshold": 1,
}
#: spills what is over 1.2 MB of data, whatever else the process holds
small_workers = partial(
    gen_cluster, client=True, nthreads=TWO, config=CONFIG, worker_kwargs={"memory_limit": 2_000_000}, timeout=60
)
#: so that nothing is measured; on a link and a disk on which everything pays
PAIR_RATES = {
    **RATES,
    "link": 1e7,
    "scan": 1e10,
    "copy": 1e9,
    "sample": 1e9,
    "dense_product": 1e9,
    "sparse_product": 1e9,
    "wire_scan": 1e10,
    "wire_copy": 1.4e9,
    "wire_general": 3e8,
    "spill_disk": 5e7,
    "spill_scan": 1e10,
    "spill_copy": 1.4e9,
    "spill_general": 3e8,
    "reduced": 1e9,
}
WORDS = 40_000
SWARM = 12
KINDS = ("dense", "sparse", "text", "panel", "real", "sparse")
#: the counter that grows where an optimization has acted on the program
ACTS = {
    "reduced_precision": "reduced_arrays",
    "spill_compression": "spill_encoded_frames",
    "tile_compression": "logical_bytes",
    "wire_compression": "wire_encoded_frames",
}
FAULTS = ("faults", "corrupted_frames")


def make(kind, seed):
    """Make a block; numbers are those that float32 has, but for *real*."""
    generator = np.random.default_rng(seed)
    if kind == "text":
        return b" ".join(generator.choice([b"tile", b"panel", b"mode", b"ratio"], WORDS))
    a = generator.standard_normal(WORDS)
    if kind == "real":
        return a
    a = a.astype("f4").astype("f8")
    if kind == "sparse":
        a[generator.random(WORDS) < 0.95] = 0
    if kind == "panel":
        a[generator.random(WORDS) < 0.95] = 0
        return asafess.TiledMatrix.from_dense(a[: 64 * 512].reshape(64, 512), tile=32)
    return a


@asafess.task(intensity=0.25, name="take")
def take(block, kind, seed):
    """Return how far a block is from what was made elsewhere, and something made of it."""
    exact = make(kind, seed)
    if kind == "panel":
        x = np.arange(1.0, exact.shape[1] + 1)
        return float(np.any(block.to_dense() != exact.to_dense())), (block @ x).tobytes()
    if kind == "text":
        return float(block != exact), len(block)
    assert block.dtype == exact.dtype
    if kind == "real":
        return float(np.max(np.abs(block - exact) / np.abs(exact))), block.shape
    return float(block.tobytes() != exact.tobytes()), np.cumsum(block).tobytes()


@asafess.task(loads={"compute": 1e6}, name="tiny")
def tiny(number):
    return number % 7


@asafess.task(loads={"compute": 1e9}, name="product")
def product(seed):
    """Multiply whole numbers: exact, whatever the order of the additions."""
    a = np.random.default_rng(seed).integers(-9, 9, (160, 160)).astype("f8")
    return a @ a.T


async def program(client, workers):
    """Exchange blocks that are spilled too, rechunk, run a swarm and multiply; return errors, and everything else."""
    first, second = (one.address for one in workers)
    seeds = range(len(KINDS))
    made = client.map(make, KINDS, seeds, workers=[first], pure=False)
    there = client.map(take, made, KINDS, seeds, workers=[second], pure=False)
    products = client.map(product, range(2), pure=False)
    swarm = client.map(tiny, range(SWARM), pure=False)
    a = np.random.default_rng(0).integers(0, 3, (200, 200)).astype("f8")
    rechunked = client.compute(da.from_array(a, chunks=(200, 100)).rechunk((100, 200)))
    blocks, *others = await client.gather([there, products, swarm, rechunked])
    errors, parts = zip(*blocks, strict=True)
    return errors, {
        **{f"{kind} {seed}": part for seed, (kind, part) in enumerate(zip(KINDS, parts, strict=True))},
        **dict(zip(("products", "swarm", "rechunk"), map(bits, others), strict=True)),
    }


def bits(one):
    return [bits(part) for part in one] if isinstance(one, list) else np.asarray(one).tobytes()


def wrong(found, expected, names):
    """Say what is not as it was with everything off; some numbers may be as far from it as the optimization says."""
    bounds = [reduced.BOUND if kind == "real" and "reduced_precision" in names else 0.0 for kind in KINDS]
    far = [f"{kind}: {error}" for kind, error, bound in zip(KINDS, found[0], bounds, strict=True) if error > bound]
    return far + [what for what, part in found[1].items() if part != expected[1][what]]


def counted(names):
    return {name: CLASSES[name].counters() for name in names}


def acts(name, scheduler, saturation, before, after):
    """Say whether an optimization that is on does what it is for; True for one that nothing is known of."""
    if name in ACTS:
        return after[name][ACTS[name]] > before[name].get(ACTS[name], 0.0)
    if name == "queuing":
        return saturation != scheduler.WORKER_SATURATION
    if name == "work_stealing":
        return not scheduler.periodic_callbacks["stealing"].is_running()
    return widths() == {min(2, CORES)} if name == "thread_width" else True


def faults(counters):
    return {name: value for of in counters.values() for name, value in of.items() if name.endswith(FAULTS)}


def widths():
    """Return the numbers of threads that BLAS pools of this process have."""
    return {one["num_threads"] for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"}


def as_now(scheduler, workers):
    """Return what there is to compare of the process, the scheduler and the spill buffers."""
    dumps = {one.address: repr(one.data._slow_uncached.dump) for one in workers}
    seen = scheduler_picture(scheduler)
    del seen["the scheduler's"]["generation"]  # of the graphs that came
    return {**picture(), **seen, "the spill buffer's function": dumps}


@pytest.fixture(autouse=True)
def one_thread():
    """Let BLAS have one thread, as under a nanny."""
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture(scope="module")
def expected():
    """What the program returns on stock Dask; warmed up, so that modules are loaded and kernels compiled."""
    found = []

    @small_workers(timeout=120)
    async def run(c, s, a, b):
        found.extend([await program(c, (a, b)), await program(c, (a, b))])

    run()
    assert not wrong(*found, ())
    return found[0]


def test_each_optimization_is_in_a_pair():
    assert {name for pair in PAIRS for name in pair} == set(BUILT_IN)


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_two_that_are_on_at_once_change_no_result_and_all_is_put_back(pair, expected):
    @small_workers()
    async def run(c, s, a, b):
        found, saturation = as_now(s, (a, b)), s.WORKER_SATURATION
        plugin = await installed(c, s, pair, rates=PAIR_RATES, dtypes=["float64"])
        began = counted(pair)
        for states in itertools.product(*(CLASSES[name].states[1:] for name in pair)):
            for name, state in zip(pair, states, strict=True):
                await asafess.pin(c, name, state)
            before = counted(pair)
            assert not wrong(await program(c, (a, b)), expected, pair), states
            after = counted(pair)
            idle = [name for name in pair if not acts(name, s, saturation, before, after)]
            assert not idle, f"in {states} nothing was done by {idle}"
        assert plugin.fault is None
        assert faults(counted(pair)) == faults(began)
        await asafess.uninstall(c)
        assert not differences(found, as_now(s, (a, b)))

    run()


@pytest.mark.parametrize("seed", range(3))
def test_any_two_switched_at_random_while_the_program_runs_change_no_result(seed, expected):
    generator = random.Random(seed)

    @small_workers()
    async def run(c, s, a, b):
        found = as_now(s, (a, b))
        plugin = await installed(c, s, BUILT_IN, rates=PAIR_RATES, dtypes=["float64"])
        for _ in range(3):
            pair = generator.choice(PAIRS)
            running, switched = asyncio.ensure_future(program(c, (a, b))), []
            while not running.done() or len(switched) < 2:
                name = generator.choice(pair)
                switched.append(f"{name} {generator.choice(CLASSES[name].states)}")
                await asafess.pin(c, *switched[-1].split())
            assert not wrong(await running, expected, BUILT_IN), switched
            assert len(switched) > 10
        assert plugin.fault is None
        await asafess.uninstall(c)
        assert not differences(found, as_now(s, (a, b)))
        assert not wrong(await program(c, (a, b)), expected, ())

    run()
