"""Of what samples are taken, in a loop that submits one task at a time."""

from distributed.utils_test import gen_cluster
from helpers import GATES, installed, new_gates, until

import asafess
from asafess.cluster.messages import NAME

COUNT = 8


@asafess.task(loads={"compute": 1e9}, name="long")
async def long(number):
    """Wait until it may end; a second by its type."""
    await GATES["may_end"].wait()
    return number


@asafess.task(loads={"compute": 1e9}, name="other")
async def other(number):
    """Do the same, with a type of its own."""
    return await long(number)


def double(number):
    return 2 * number


def triple(number):
    return 3 * number


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)] * 2)
async def test_a_loop_of_submits_is_looked_at_when_it_begins_and_with_each_tick(c, s, a, b):
    plugin = await installed(c, s)
    s.periodic_callbacks[NAME].stop()
    plugin.tick()
    _, may_end = new_gates()
    futures, used = [], []

    async def submit(function):
        futures.append(c.submit(function, len(futures)))
        await until(lambda: len(s.tasks) == len(futures))
        used.append(plugin.controller.counters["used"])

    for _ in range(COUNT):
        await submit(long)
    # the graph that begins the phase, and the one after the phase has begun
    assert [after - used[0] for after in used] == [0, *[1] * (COUNT - 1)]
    await submit(other)  # another type is seen at once
    assert used[-1] == used[-2] + 1
    plugin.tick()
    await submit(long)
    assert used[-1] == used[-2] + 2
    may_end.set()
    assert await c.gather(futures) == [*range(COUNT + 2)]
    assert plugin.fault is None


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)] * 2)
async def test_results_that_a_graph_needs_are_not_typed_again(c, s, a, b):
    plugin = await installed(c, s)
    result = c.submit(double, 1)
    assert await result == 2
    typed, look_up = [], plugin.loads._typed

    def remember(state, members):
        typed.extend(ts.key for ts in members)
        return look_up(state, members)

    plugin.loads._typed = remember
    needs = [c.submit(triple, result, pure=False) for _ in range(COUNT)]
    assert await c.gather(needs) == [6] * COUNT
    assert typed  # not all of them: they are alike
    assert set(typed) <= {one.key for one in needs}
