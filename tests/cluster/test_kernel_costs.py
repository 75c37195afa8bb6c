"""Numba kernels that nobody has annotated: a worker reads each once, the scheduler then knows what it costs."""

from functools import partial

import dask.array as da
import numpy as np
import pytest
from dask import delayed
from distributed.utils_test import gen_cluster
from helpers import installed, until
from numba import njit

from asafess.cluster.kernel_costs import CONFIDENCE, KEYS, MOST_ASKED, MOST_FAILED, MOST_SIGNATURES, SCALED, KernelCosts

WORDS = 10_000


@njit
def triad(b, c, x):
    a = np.empty_like(b)
    for i in range(b.size):
        a[i] = b[i] + x * c[i]
    return a


@njit
def squares(x):
    out = np.empty_like(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            out[i, j] = x[i, j] * x[i, j]
    return out


@njit
def product(a):
    out = np.zeros_like(a)
    for i in range(a.shape[0]):
        for j in range(a.shape[0]):
            for k in range(a.shape[0]):
                out[i, j] += a[i, k] * a[k, j]
    return out


@njit
def powers(x, n):
    for _ in range(n):
        x = x * 1.5
    return x


@njit
def unreadable(x):
    return [item for item in x.ravel()]  # noqa: C416


def plain(x):
    return triad(x, x, 2.0).sum()


def settled(plugin, count=1):
    """Wait until so many signatures are counted."""
    return until(lambda: len(plugin.loads.types.kernels._known) >= count, seconds=60)


@gen_cluster(client=True, timeout=120)
async def test_a_kernel_is_counted_on_a_worker_and_its_groups_have_types_from_then_on(c, s, a, b):
    plugin = await installed(c, s, infer=["compiler"])
    blocks = c.map(np.full, [WORDS] * 4, [1.0] * 4, pure=False)
    await c.gather(c.map(len, blocks))
    for _ in range(2):
        out = [c.submit(triad, one, one, 2.0, pure=False) for one in blocks]
        assert (await c.gather(out))[0][0] == 3.0
        await settled(plugin)
    found = plugin.loads.found["triad"]
    assert found.source == "compiler"
    assert found.confidence == CONFIDENCE
    assert "counted on a worker" in found.why
    # both arguments are the same block, which is one input of the task
    load = found.type.load(8.0 * WORDS, 0.0)
    assert load["compute"] == pytest.approx(2 * WORDS)
    assert plugin.fault is None


SIDE = 50
FUSED = {
    "map_blocks": (lambda x: x.map_blocks(squares, dtype="f8"), SIDE**2, 16 * SIDE**2),
    "fused": (lambda x: (x + 1).map_blocks(squares, dtype="f8") * 2, 3 * SIDE**2, 3 * 16 * SIDE**2),
    "blockwise": (lambda x: da.blockwise(squares, "ij", x, "ij", dtype="f8"), SIDE**2, 16 * SIDE**2),
    "partial": (lambda x: x.map_blocks(partial(powers, n=3), dtype="f8"), 3 * SIDE**2, None),
    "plain function": (lambda x: delayed(plain)(x.ravel().to_delayed()[0]), 3 * SIDE**2, None),
}


@pytest.mark.parametrize("name", FUSED)
def test_kernels_inside_of_other_tasks_are_counted_with_what_is_around_them(name):
    build, flop, nbytes = FUSED[name]

    @gen_cluster(client=True, timeout=120)
    async def run(c, s, a, b):
        plugin = await installed(c, s, infer=["compiler"])
        x = c.persist(da.random.default_rng(1).random((SIDE, SIDE), chunks=SIDE))
        await c.compute(x.sum())
        kept = c.persist(build(x))
        await settled(plugin)
        [counts] = plugin.loads.types.kernels._known.values()
        assert counts["flop"] == flop
        assert nbytes is None or counts["bytes"] == nbytes
        assert counts["input_bytes"] == 8 * SIDE**2
        [*found] = [found for found in plugin.loads.found.values() if "counted on a worker" in found.why]
        assert [one.type.load(8.0 * SIDE**2, 0.0)["compute"] for one in found] == [flop]
        assert plugin.fault is None
        del kept

    run()


@gen_cluster(client=True, timeout=120)
async def test_other_arguments_are_counted_anew_and_estimated_until_then(c, s, a, b):
    plugin = await installed(c, s, infer=["compiler"])
    small, large = await c.scatter([np.ones((n, n)) for n in (10, 20)])
    await c.submit(product, small, key="product-small")
    await settled(plugin)
    kernels = plugin.loads.types.kernels
    assert plugin.loads.found["product-small"].type.load(800.0, 0.0)["compute"] == 2 * 10**3
    future = c.submit(product, large, key="product-large")
    await until(lambda: "product-large" in plugin.loads.found)
    await future
    await settled(plugin, 2)
    [(*names, first), (*same, second)] = kernels._known
    assert names == same
    assert (first, second) == ("800 bytes", "3200 bytes")
    found = plugin.loads.found["product-large"]
    assert found.confidence == CONFIDENCE
    assert found.type.load(3200.0, 0.0)["compute"] == 2 * 20**3


def smoothed(x):
    """Use NumPy alone."""
    return (x[1:] + x[:-1]) * 0.5


@gen_cluster(client=True, timeout=120)
async def test_a_plain_function_is_read_on_a_worker_too(c, s, a, b):
    plugin = await installed(c, s, infer=["compiler"])
    x = await c.scatter(np.ones(WORDS + 1))
    assert (await c.submit(smoothed, x, key="smoothed")).shape == (WORDS,)
    await settled(plugin)
    assert plugin.loads.found["smoothed"].type.load(8.0 * (WORDS + 1), 0.0)["compute"] == pytest.approx(2 * WORDS)


@gen_cluster(client=True, timeout=120)
async def test_a_kernel_that_can_not_be_read_has_no_type_and_stops_nothing(c, s, a, b):
    plugin = await installed(c, s, infer=["compiler"])
    assert await c.submit(unreadable, np.ones((1, 2)), key="unreadable-0") == [1.0, 1.0]
    await settled(plugin)
    assert list(plugin.loads.types.kernels._known.values()) == [None]
    assert "unreadable-0" not in plugin.loads.found
    assert plugin.fault is None


def test_functions_that_were_never_counted_are_given_up():
    kernels = KernelCosts()
    for k in range(MOST_FAILED):
        assert not kernels.hopeless(("f",))
        kernels.answered(("f", str(k)), None)
    assert kernels.hopeless(("f",))
    kernels.answered(("f", "other"), {"flop": 1.0, "loops": 1.0, "bytes": 1.0, "input_bytes": 1.0})
    assert not kernels.hopeless(("f",))


def test_workers_are_not_asked_for_ever_and_about_a_kernel_that_can_not_be_counted_never_again():
    kernels = KernelCosts()
    for _ in range(2 * MOST_ASKED):
        kernels.ask(range(100), ("f", "1"))
    assert kernels.take() == [(list(range(KEYS)), ("f", "1"))] * MOST_ASKED
    assert kernels.take() == []
    assert not kernels.answered(["g", "1"], None)
    kernels.ask(["key"], ("g", "1"))
    assert kernels.take() == []
    assert kernels.find(("g", "1"), "g") is None


def test_a_kernel_with_other_arguments_each_time_is_asked_about_some_times():
    kernels = KernelCosts()
    for at in range(2 * MOST_SIGNATURES):
        kernels.ask(["key"], ("f", str(at)))
    assert len(kernels.take()) == MOST_SIGNATURES


@pytest.mark.parametrize("flop", [float("nan"), float("inf"), -1.0])
def test_counts_that_can_not_be_are_none(flop):
    kernels = KernelCosts()
    assert not kernels.answered(("f", "1"), {"flop": flop, "loops": flop, "bytes": 1.0, "input_bytes": 1.0})
    assert kernels.find(("f", "1"), "f") is None


def test_loads_are_for_each_byte_of_input_where_there_is_input():
    kernels = KernelCosts()
    assert kernels.answered(["f", "1"], {"flop": 20.0, "loops": 20.0, "bytes": 80.0, "input_bytes": 40.0})
    assert kernels.find(("f", "1"), "f").type.per_byte == {"compute": 0.5, "loops": 0.5, "memory": 2.0}
    assert kernels.answered(["g", "1"], {"flop": 20.0, "loops": 20.0, "bytes": 80.0, "input_bytes": 0.0})
    assert kernels.find(("g", "1"), "g").type.loads == {"compute": 20.0, "loops": 20.0, "memory": 80.0}


def test_other_arguments_are_taken_to_be_in_proportion_with_less_confidence():
    kernels = KernelCosts()
    kernels.answered(["f", "1"], {"flop": 20.0, "loops": 20.0, "bytes": 80.0, "input_bytes": 40.0})
    kernels.answered(["f", "2"], {"flop": 60.0, "loops": 60.0, "bytes": 80.0, "input_bytes": 40.0})
    kernels.answered(["f", "?"], {"flop": 10.0, "loops": 10.0, "bytes": 80.0, "input_bytes": 40.0})
    kernels.answered(["f", "no"], None)
    first, second, unsized, other = (kernels.find(("f", which), "f") for which in ("1", "2", "?", "3"))
    assert [found.type.per_byte["compute"] for found in (first, second, unsized, other)] == [0.5, 1.5, 0.25, 0.25]
    assert [found.confidence for found in (first, second, unsized, other)] == [CONFIDENCE, CONFIDENCE, SCALED, SCALED]
    assert "in proportion" in other.why
    assert kernels.find(("f", "no"), "f") is None
    assert kernels.find(("g", "1"), "g") is None


def test_nobody_is_asked_while_nobody_can_answer():
    kernels = KernelCosts()
    kernels.answering = False
    for at in range(2 * MOST_SIGNATURES):
        kernels.ask(["key"], ("f", str(at)))
    assert kernels.take() == []
    kernels.answering = True
    kernels.ask(["key"], ("f", "1"))
    assert len(kernels.take()) == 1
