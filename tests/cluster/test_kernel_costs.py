"""Numba kernels that nobody has annotated: a worker reads each once, the scheduler then knows what it costs."""

import numpy as np
import pytest
from distributed.utils_test import gen_cluster
from helpers import installed, until
from numba import njit

from asafess.cluster.kernel_costs import KEYS, MOST_ASKED, KernelCosts

WORDS = 10_000


@njit
def triad(b, c, x):
    a = np.empty_like(b)
    for i in range(b.size):
        a[i] = b[i] + x * c[i]
    return a


@gen_cluster(client=True, timeout=120)
async def test_a_kernel_is_counted_on_a_worker_and_its_groups_have_types_from_then_on(c, s, a, b):
    plugin = await installed(c, s, infer=["compiler"])
    blocks = c.map(np.full, [WORDS] * 4, [1.0] * 4, pure=False)
    await c.gather(c.map(len, blocks))
    for _ in range(2):
        out = [c.submit(triad, one, one, 2.0, pure=False) for one in blocks]
        assert (await c.gather(out))[0][0] == 3.0
        await until(lambda: plugin.loads.types.kernels._known, seconds=60)
    found = plugin.loads.found["triad"]
    assert found.source == "compiler"
    assert "kernel" in found.why
    # both arguments are the same block, which is one input of the task
    load = found.type.load(8.0 * WORDS, 0.0)
    assert load["compute"] == pytest.approx(2 * WORDS)
    assert plugin.fault is None


def test_workers_are_not_asked_for_ever_and_about_a_kernel_that_can_not_be_counted_never_again():
    kernels = KernelCosts()
    for _ in range(2 * MOST_ASKED):
        kernels.ask(range(100), ("f",))
    assert kernels.take() == [(list(range(KEYS)), ("f",))] * MOST_ASKED
    assert kernels.take() == []
    assert not kernels.answered(["g"], None)
    kernels.ask(["key"], ("g",))
    assert kernels.take() == []
    assert kernels.find(("g",), "g") is None


@pytest.mark.parametrize("flop", [float("nan"), float("inf"), -1.0])
def test_counts_that_can_not_be_are_none(flop):
    kernels = KernelCosts()
    assert not kernels.answered(("f",), {"flop": flop, "bytes": 1.0, "input_bytes": 1.0})
    assert kernels.find(("f",), "f") is None


def test_loads_are_for_each_byte_of_input_where_there_is_input():
    kernels = KernelCosts()
    assert kernels.answered(["f"], {"flop": 20.0, "bytes": 80.0, "input_bytes": 40.0})
    assert kernels.find(("f",), "f").type.per_byte == {"compute": 0.5, "memory": 2.0}
    assert kernels.answered(["g"], {"flop": 20.0, "bytes": 80.0, "input_bytes": 0.0})
    assert kernels.find(("g",), "g").type.loads == {"compute": 20.0, "memory": 80.0}
