"""Learning from Dask's records, on its own: of real tasks, and of task groups that are filled by hand."""

import time
from collections import defaultdict
from itertools import groupby
from statistics import median

import pytest
from dask._task_spec import Task
from distributed import SchedulerPlugin
from distributed.scheduler import TaskGroup, TaskPrefix
from distributed.utils_test import gen_cluster
from helpers import new_gates, until, waiting

from asafess.cluster import kinds, learning
from asafess.cluster.learning import GROUPS_PER_TICK, KEPT, LOOKS_AFTER, READS_PER_TICK, Learning
from asafess.cluster.signature import signature
from asafess.core.found_type import FoundType
from asafess.core.mode import Rates
from asafess.core.task_type import declare

RATES = Rates(flop=1e9, memory=1e9, link=1e8)
OFF, ON = {"codec": "off"}, {"codec": "on"}
#: rounds of tasks in which something has to be learned; five do on a machine that no other one takes cores from
ROUNDS = 40


def busy(seconds):
    """Keep a processor so long, however often others get it in between; return how long it was.

    Longer, where the clock of a thread goes on while another machine of the same host has the processor.
    """
    start = time.thread_time()
    while time.thread_time() < start + seconds:
        pass
    return time.thread_time() - start


class Watch(SchedulerPlugin):
    """Asks a `Learning` of its own about every group of every graph."""

    def __init__(self, scheduler, derived=None):
        self.learning, self.scheduler, self.derived = Learning(), scheduler, derived
        self.found = {}
        scheduler.add_plugin(self)

    def update_graph(self, scheduler, *, tasks, **kwargs):
        for ts in map(scheduler.tasks.get, tasks):
            self.found[ts.group.name] = self.learning.find(ts.group, signature(ts.run_spec), self.derived)

    def look(self, states=OFF):
        s = self.scheduler
        return dict(self.learning.look(s.task_groups, s.cumulative_worker_metrics, states, RATES, s.total_nthreads))

    async def heartbeats(self, workers, states=OFF):
        """Let workers tell what they have counted, one after the other, and look each time."""
        told = {}
        for worker in workers:
            await worker.heartbeat()
            told.update(self.look(states))
        return told


async def run(client, name, seconds, count=6):
    """Run a graph whose tasks are a group of their own."""
    graph = {(name, k): Task((name, k), busy, seconds) for k in range(count)}
    return await client.gather(client.get(graph, list(graph), sync=False))


async def run_until_known(client, plugin, workers, seconds, count=6):
    """Run groups *busy-0*, *busy-1*, … until one is known beforehand; return its number, and what a task takes."""
    taken = []
    for k in range(ROUNDS):
        taken += await run(client, f"busy-{k}", seconds, count)
        if plugin.found[f"busy-{k}"] is not None:
            return k, median(taken)
        await until(lambda: not plugin.scheduler.task_groups)
        await plugin.heartbeats(workers)  # Dask has forgotten the group; its records are read all the same
    raise AssertionError(f"nothing was learned in {ROUNDS} rounds")


def seconds_of(found):
    return found.type.loads["compute"] / RATES.flop


# ---- real tasks


@gen_cluster(client=True)
async def test_the_first_tasks_of_a_kind_say_how_long_the_others_compute(c, s, a, b):
    plugin = Watch(s)
    told = {}
    futures = []
    for _ in range(ROUNDS):
        futures += c.map(busy, [0.005] * 8, pure=False)
        taken = await c.gather(futures)
        told.update(await plugin.heartbeats([a, b]))
        if "busy" in told:
            break
    assert told["busy"].source == "measured"
    assert seconds_of(told["busy"]) == pytest.approx(median(taken), rel=0.5)
    assert plugin.learning.counters["measured"] == 1


@gen_cluster(client=True)
async def test_waiting_is_no_computing(c, s, a, b):
    plugin = Watch(s)
    for _ in range(ROUNDS):
        await c.gather(c.map(time.sleep, [0.02] * 8, pure=False))
        await plugin.heartbeats([a, b])
        [(_, kind)] = plugin.learning.kinds.items()
        if kind.lesson.fit is not None:
            break
    assert kind.lesson.fit.seconds < 0.005
    assert kind.lesson.fit.total.elapsed >= 0.02 * kind.lesson.fit.tasks


@gen_cluster(client=True)
async def test_of_coroutines_and_other_executors_nothing_is_counted_and_nothing_is_said(c, s, a, b):
    plugin = Watch(s)

    async def coroutine(salt):
        return busy(0.002)

    for _ in range(3):
        await c.gather(c.map(coroutine, range(8), pure=False))
        await plugin.heartbeats([a, b])
    [(_, kind)] = plugin.learning.kinds.items()
    assert kind.lesson.fit is None


@gen_cluster(client=True)
async def test_what_was_learned_outlives_the_group(c, s, a, b):
    plugin = Watch(s)
    known, seconds = await run_until_known(c, plugin, [a, b], 0.005)
    assert plugin.found["busy-0"] is None
    assert seconds_of(plugin.found[f"busy-{known}"]) == pytest.approx(seconds, rel=0.5)
    await until(lambda: not s.task_groups)
    await plugin.heartbeats([a, b])
    assert len(plugin.learning) == 0


@gen_cluster(client=True)
async def test_other_functions_are_another_kind(c, s, a, b):
    plugin = Watch(s)
    for _ in range(ROUNDS):
        await run(c, "step-1", 0.005)
        await plugin.heartbeats([a, b])
        if plugin.found["step-1"] is not None:
            break
    graph = {("step-2", 0): Task(("step-2", 0), abs, 1)}
    await c.get(graph, ("step-2", 0), sync=False)
    assert plugin.found["step-1"] is not None
    assert plugin.found["step-2"] is None


@gen_cluster(client=True, nthreads=[("127.0.0.1", 1)])
async def test_tasks_that_were_cancelled_do_not_count(c, s, a):
    plugin = Watch(s)
    futures = c.map(time.sleep, [0.05] * 40, pure=False)
    await futures[0]
    await c.cancel(futures[4:])
    await c.gather(futures[:4])
    await until(lambda: s.task_groups["sleep"].states["processing"] == 0)
    group = s.task_groups["sleep"]
    [watched] = plugin.learning._turns
    assert group.states["forgotten"] + group.states["released"] >= 30
    assert watched.ended() < 10
    del futures


@gen_cluster(client=True)
async def test_an_optimization_does_not_move_what_was_learned(c, s, a, b):
    plugin = Watch(s)
    known, _ = await run_until_known(c, plugin, [a, b], 0.002, 8)
    before = plugin.found[f"busy-{known}"]
    await plugin.heartbeats([a, b])
    for k in range(known + 1, known + 5):
        await run(c, f"busy-{k}", 0.02, 4)
        assert await plugin.heartbeats([a, b], ON) == {}
    assert seconds_of(plugin.found[f"busy-{known + 4}"]) == pytest.approx(seconds_of(before), rel=0.5)


@gen_cluster(client=True)
async def test_tasks_that_run_while_a_switch_is_made_count_for_neither_state(c, s, a, b):
    plugin = Watch(s)
    begun, may_end = new_gates()
    futures = c.map(waiting, range(3), pure=False)
    await until(begun.is_set)
    plugin.look(OFF)
    plugin.learning.switched(ON, s.total_nthreads)
    may_end.set()
    await c.gather(futures)
    more = c.map(waiting, range(9), pure=False)
    await c.gather(more)
    plugin.look(ON)
    [(_, kind)] = plugin.learning.kinds.items()
    # the first read after the switch leaves out what ran at it
    assert sum(one.tasks for evidence in kind.lesson._evidence.values() for one in evidence.looks) <= 9


def derived(seconds):
    return FoundType(declare(name="busy", loads={"compute": seconds * RATES.flop}), "compiler", 0.9, "a rule")


@gen_cluster(client=True)
async def test_a_derived_type_that_is_far_off_is_corrected_and_says_so(c, s, a, b):
    plugin = Watch(s, derived(1e-3))
    known, seconds = await run_until_known(c, plugin, [a, b], 0.01, 8)
    found = plugin.found[f"busy-{known}"]
    assert found.source == "measured"
    assert seconds_of(found) == pytest.approx(seconds, rel=0.5)
    assert found.why.startswith("derived 1.0 ms, measured ")
    assert plugin.learning.counters["corrected"] >= 1
    assert plugin.learning.corrections
    assert all(text.startswith("busy: derived 1.0 ms, measured ") for text in plugin.learning.corrections)


@gen_cluster(client=True)
async def test_one_that_is_about_right_stays(c, s, a, b):
    plugin = Watch(s, derived(0.01))
    for k in range(5):
        await run(c, f"busy-{k}", 0.005, 8)
        assert await plugin.heartbeats([a, b]) == {}
    assert set(plugin.found.values()) == {None}
    assert plugin.learning.counters == {"untyped": 0, "measured": 0, "derived": 5, "corrected": 0}
    assert plugin.learning.corrections == []


# ---- groups that are filled by hand


class Group(TaskGroup):
    """A task group of Dask's, with a way to let its tasks end."""

    __slots__ = ("unreported",)

    def __init__(self, name, size=1000, prefix=None):
        super().__init__(name, TaskPrefix(name.split("-")[0]) if prefix is None else prefix)
        self._size = size
        self.unreported = [0.0, 0.0]

    def end(self, tasks, seconds, waiting=0.0, transfer=0.0, nbytes=0):
        for _ in range(tasks):
            self.add_duration("compute", 0.0, seconds + waiting)
            self.add_duration("transfer", 0.0, transfer)
            self.add_type("int")
            self.update_nbytes(nbytes)
            self.unreported[0] += seconds
            self.unreported[1] += waiting

    def report(self, metrics):
        """Let heartbeats bring what its tasks have counted."""
        for label, seconds in zip(("thread-cpu", "thread-noncpu"), self.unreported, strict=True):
            metrics["execute", self.prefix.name, label, "seconds"] += seconds
        self.unreported = [0.0, 0.0]


@pytest.fixture(autouse=True)
def metrics():
    """Return what heartbeats have brought to the scheduler."""
    METRICS.clear()
    return METRICS


METRICS = defaultdict(float)


def some_groups(count, size=1000):
    groups = {f"step{k}-1": Group(f"step{k}-1", size) for k in range(count)}
    return Learning(), groups


def look(one, groups, states=OFF, rates=RATES, report=True):
    for group in groups.values() if report else ():
        group.report(METRICS)
    return dict(one.look(groups, METRICS, states, rates, threads=4))


def test_a_look_reads_a_few_groups_and_all_of_them_in_turn():
    one, groups = some_groups(10 * GROUPS_PER_TICK)
    for k, group in enumerate(groups.values()):
        one.find(group, [f"f{k}"])
    told, looks = set(), 0
    while len(told) < len(groups):
        for group in groups.values():
            group.end(4, 0.01)
        news = look(one, groups)
        assert len(news) <= READS_PER_TICK
        told |= set(news)
        looks += 1
        assert looks <= 3 * len(groups) / READS_PER_TICK


def test_groups_that_are_through_are_not_looked_at_until_they_get_more_tasks():
    one, groups = some_groups(1, size=16)
    [group] = groups.values()
    one.find(group, ["f"])
    for _ in range(2):
        group.end(8, 0.01)
        look(one, groups)
    assert not one._turns
    group._size = 24
    assert one.find(group, ["f"]) is not None
    group.end(8, 0.01)
    assert len(one._turns) == 1
    look(one, groups)
    assert not one._turns
    assert one.counters == {"untyped": 0, "measured": 1, "derived": 0, "corrected": 0}


def test_groups_and_signatures_are_forgotten(monkeypatch):
    monkeypatch.setattr(kinds, "MOST_SIGNATURES", 10)
    one = Learning()
    for k in range(5 * KEPT):
        group = Group(f"step-{k}", size=2)
        one.find(group, [f"f{k}"])
        look(one, {group.name: group})
        group.end(2, 0.01)
        look(one, {group.name: group})
    look(one, {})
    assert len(one) <= KEPT
    assert len(one.kinds) == 10
    assert not one._turns
    assert not one._shares


def test_more_groups_than_can_be_watched_are_left_alone(monkeypatch):
    monkeypatch.setattr(learning, "MOST_GROUPS", 3)
    one, groups = some_groups(5)
    assert [one.find(group, ["f"]) for group in groups.values()] == [None] * 5
    assert len(one) == len(one._turns) == 3


def test_another_group_of_the_same_name_is_read_from_its_beginning():
    one, groups = some_groups(1)
    old = groups["step0-1"]
    one.find(old, ["f"])
    old.end(8, 0.01)
    old.report(METRICS)
    new = groups["step0-1"] = Group("step0-1", prefix=old.prefix)
    one.find(new, ["f"])
    new.end(8, 0.01)
    look(one, groups)
    [(_, kind)] = one.kinds.items()
    assert kind.lesson.fit.tasks == 16
    assert list(one._turns) == [one._watched["step0-1"]]


def test_without_rates_there_are_no_types_and_nothing_is_lost():
    one, groups = some_groups(1)
    one.find(groups["step0-1"], ["f"])
    groups["step0-1"].end(8, 0.01)
    assert look(one, groups, rates=None) == {}
    look(one, groups)
    groups["step0-1"].end(8, 0.01)
    found = look(one, groups)["step0-1"]
    assert seconds_of(found) == pytest.approx(0.01)
    faster = look(one, groups, rates=Rates(flop=1e10, memory=1e9, link=1e8))["step0-1"]
    assert faster.type.loads["compute"] == pytest.approx(10 * found.type.loads["compute"])


def test_transfers_and_bytes_are_told_and_are_no_load():
    one, groups = some_groups(1)
    one.find(groups["step0-1"], ["f"])
    one.inputs("step0-1", 8e6)
    for _ in range(2):
        groups["step0-1"].end(8, 0.01, 0.09, transfer=0.02, nbytes=8000)
        found = look(one, groups).get("step0-1")
    assert found.type.loads == {"compute": pytest.approx(0.01 * RATES.flop)}
    assert found.why == "16 tasks computed 10 ms ± 0 %, waiting 90 ms, fetching 20 ms, 8 MB in, 8 kB out"


def test_a_prediction_by_bytes_waits_for_them():
    one, groups = some_groups(1)
    by_bytes = FoundType(declare(name="sum", intensity=0.1), "compiler", 0.9)
    one.find(groups["step0-1"], ["f"], by_bytes)
    for _ in range(6):
        groups["step0-1"].end(6, 0.1)
        assert look(one, groups) == {}
    one.inputs("step0-1", 1e6)
    told = {}
    for _ in range(6):
        groups["step0-1"].end(6, 0.1)
        told.update(look(one, groups))
    assert told["step0-1"].type.per_byte["memory"] == pytest.approx(100.0)


def test_a_correction_that_turns_out_to_be_wrong_is_taken_back():
    one, groups = some_groups(1)
    one.find(groups["step0-1"], ["f"], derived(0.01))
    told = []
    for seconds in [1.0] * 12 + [0.01] * 60:
        groups["step0-1"].end(8, seconds)
        told += look(one, groups).values()
    assert [source for source, _ in groupby(found.source for found in told)] == ["measured", "compiler"]
    assert one.corrections == []
    assert one.counters["derived"] == 1


def test_functions_that_share_a_group_are_a_kind_of_their_own():
    one, groups = some_groups(1)
    group = groups["step0-1"]
    one.find(group, ["f"])
    one.find(group, ["g"])
    assert [key[1] for key, _ in one.kinds.items()] == [{"f"}, {"f", "g"}]
    assert len(one._turns) == 1


def test_what_waits_for_other_workers_is_not_learned():
    one, groups = some_groups(1)
    one.find(groups["step0-1"], ["numpy.sum", "distributed.shuffle._rechunk.rechunk_transfer"])
    groups["step0-1"].end(40, 1.0)
    assert look(one, groups) == {}
    assert one.counters["untyped"] == 1


def test_a_switch_keeps_apart_what_ended_before_it_from_what_begins_after_it():
    one, groups = some_groups(1)
    group = groups["step0-1"]
    one.find(group, ["f"])
    group.end(3, 0.01)
    look(one, groups)
    group.end(4, 0.01)  # no heartbeat tells of these in time
    group.states["processing"] = 2
    one.switched(ON, threads=4)
    group.end(2, 5.0)  # began before
    look(one, groups, ON)
    group.end(1, 0.03)
    look(one, groups, ON)
    [(_, kind)] = one.kinds.items()
    seen = {
        dict(state)["codec"]: [(one.tasks, one.compute) for one in evidence.looks]
        for state, evidence in kind.lesson._evidence.items()
    }
    assert seen == {"off": [(3, pytest.approx(0.03))], "on": [(1, pytest.approx(0.03))]}


def test_heartbeats_that_tell_of_tasks_from_before_a_switch_count_for_neither_state():
    one, groups = some_groups(1)
    group = groups["step0-1"]
    one.find(group, ["f"])
    look(one, groups)
    group.end(4, 0.0, waiting=5.0)
    group.states["processing"] = 2
    one.switched(ON, threads=4)
    group.end(2, 0.0, waiting=5.0)  # began before
    look(one, groups, ON, report=False)
    for _ in range(2):
        group.end(1, 0.03)
        look(one, groups, ON)
    [(_, kind)] = one.kinds.items()
    [evidence] = kind.lesson._evidence.values()
    assert [(one.tasks, one.compute) for one in evidence.looks] == [(2, pytest.approx(0.06))]


def test_a_group_that_a_person_has_typed_is_left_alone():
    one, groups = some_groups(1, size=4)
    one.find(groups["step0-1"], ["f"])
    one.leave("step0-1")
    groups["step0-1"].end(4, 0.01)
    assert look(one, groups) == {}
    assert (len(one), len(one._turns)) == (0, 0)


def test_everything_is_forgotten_on_request():
    one, groups = some_groups(3)
    for group in groups.values():
        one.find(group, ["f"])
        group.end(4, 0.01)
    look(one, groups)
    one.clear()
    assert (len(one), one.corrections, look(one, groups)) == (0, [], {})
    assert one.find(groups["step0-1"], ["f"]) is None


def test_a_group_that_is_through_waits_for_heartbeats_but_not_for_ever():
    for looks, known in ((LOOKS_AFTER - 10, "measured"), (LOOKS_AFTER + 10, "untyped")):
        one, groups = some_groups(1, size=16)
        [group] = groups.values()
        one.find(group, ["f"])
        group.end(8, 0.01)
        look(one, groups)
        group.end(8, 0.01)
        for _ in range(looks):
            look(one, groups, report=False)
        look(one, groups)
        assert one.counters[known] == 1
        assert not one._turns


def test_groups_of_one_prefix_that_call_different_functions_are_not_told_apart_and_teach_nothing():
    prefix = TaskPrefix("step")
    groups = {name: Group(name, prefix=prefix) for name in ("step-1", "step-2")}
    one = Learning()
    for name, group in groups.items():
        one.find(group, [name])
    for _ in range(6):
        groups["step-1"].end(8, 0.0, waiting=0.01)
        groups["step-2"].end(8, 0.01)
        assert look(one, groups) == {}
    assert one.counters["untyped"] == 2


def test_groups_that_call_the_same_teach_together():
    prefix = TaskPrefix("step")
    groups = {name: Group(name, prefix=prefix) for name in ("step-1", "step-2")}
    one = Learning()
    for group in groups.values():
        one.find(group, ["f"])
        group.end(8, 0.01, waiting=0.03)
    told = look(one, groups)
    assert told.keys() == groups.keys()
    assert [seconds_of(found) for found in told.values()] == [pytest.approx(0.01)] * 2
