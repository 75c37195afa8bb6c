"""Groups that are done are set aside, and none that does anything is missed for long."""

from distributed.scheduler import TaskGroup, TaskPrefix
from hypothesis import given
from hypothesis import strategies as st

from asafess.cluster.active import LEAST, RESTING, ActiveGroups
from asafess.cluster.group_load import GroupLoad

STATES = ("released", "waiting", "no-worker", "queued", "processing", "memory", "erred", "forgotten")


def group(name="group", **states):
    load = GroupLoad(TaskGroup(name, TaskPrefix(name)))
    load.group.states.update(states)
    return load


steps = st.lists(
    st.tuples(st.sampled_from(["add", "remove", "wake", "review", "run"]), st.integers(0, 99), st.sampled_from(STATES)),
    max_size=60,
)


@given(steps)
def test_whatever_happens_a_group_is_counted_once_and_found_again_when_it_runs(run):
    active, known = ActiveGroups(), []
    for what, number, state in run:
        if what == "add" or not known:
            known.append(group(f"group-{len(known)}"))
            active.add(known[-1], f"type-{number % 3}")
            continue
        one = known[number % len(known)]
        if what == "remove":
            known.remove(one)
            active.remove(one)
        elif what == "wake":
            active.wake(one)
        elif what == "review":
            active.review()
        else:
            one.group.states[state] = number % 4
        there = list(active)
        assert len(there) == len(active) == len(set(map(id, there)))
        assert all(any(one is other for other in known) for one in there)
    for _ in range(2 + len(known) // RESTING):
        active.review()
    running = sum(one.group.states["processing"] for one in known)
    assert sum(one.count for one in active.scheduled(False)) == running


def test_groups_that_are_done_leave_and_those_that_wait_stay():
    active = ActiveGroups()
    done, waiting = group("done", memory=5, released=2), group("waiting", waiting=1)
    for load in (done, waiting):
        active.add(load, "type")
    active.review()
    assert list(active) == [waiting]
    active.wake(done)
    assert len(active) == 2
    active.wake(done)
    assert len(active) == 2


def test_thousands_of_finished_groups_are_not_looked_at_again_and_again():
    active = ActiveGroups()
    for k in range(4000):
        active.add(group(f"one-{k}", memory=1), "type")
    reviews = 0
    while len(active) and reviews < 400:
        active.review()
        reviews += 1
    assert reviews < 150  # a share each time, at last LEAST
    assert LEAST > 1
    assert active.scheduled(True) == []


def test_all_groups_can_be_looked_at_again():
    active = ActiveGroups()
    loads = [group(f"one-{k}", memory=1) for k in range(300)]
    for load in loads:
        active.add(load, "type")
    while len(active):
        active.review()
    for load in loads:
        load.group.states["processing"] = 1
    active.wake_all()
    assert [one.count for one in active.scheduled(False)] == [300]
