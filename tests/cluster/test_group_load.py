"""Columns of groups: whatever comes, goes and changes, they add up what a look at each group would."""

import pytest
from distributed.scheduler import TaskGroup, TaskPrefix
from hypothesis import given
from hypothesis import strategies as st

from asafess.cluster.group_load import GroupLoad, TypeColumn, counted, mean_load
from asafess.core.task_type import TaskType

AXES = ("compute", "communication", "objects")
loads = st.dictionaries(st.sampled_from(AXES), st.integers(0, 1000).map(float))
steps = st.lists(st.tuples(st.sampled_from(["add", "remove", "change", "run"]), st.integers(0, 9), loads), max_size=40)


def new_group(column, name="group"):
    return GroupLoad(TaskGroup(name, TaskPrefix(name)), column)


@given(steps)
def test_a_column_adds_up_what_its_groups_have_scheduled(run):
    column, groups = TypeColumn("type"), []
    for what, number, load in run:
        if what == "add" or not groups:
            groups.append(new_group(column))
            column.add(groups[-1])
            continue
        one = groups[number % len(groups)]
        if what == "remove":
            groups.remove(one)
            column.remove(one)
        elif what == "change":
            one.load = load
            column.changed(one)
        else:
            one.group.states["processing"], one.group.states["queued"] = number, 2 * number
    assert len(column) == len(groups)
    found = column.scheduled(queued=True)
    count = sum(one.group.states["processing"] for one in groups)
    if not count:
        assert found is None
        return
    assert (found.type, found.count, found.queued) == ("type", count, 2 * count)
    for axis in AXES:
        expected = sum(one.group.states["processing"] * one.load.get(axis, 0.0) for one in groups)
        assert found.load.get(axis, 0.0) == expected
    assert column.scheduled(queued=False).queued == 0


@given(st.lists(st.sampled_from([1.0, 2.0, 3.0]), max_size=8))
def test_equal_types_are_counted_and_none_is_lost(flops):
    found = counted(TaskType("t", loads={"compute": one}) for one in flops)
    assert len(found) == len(set(flops))
    assert sum(count for _, count in found) == len(flops)
    assert sum(count * type_.load(0, 0)["compute"] for type_, count in found) == sum(flops)


def test_the_parts_of_a_fused_task_add_up_and_move_their_input_once():
    one = new_group(TypeColumn("t"))
    part = TaskType("t", per_byte={"compute": 0.5})
    one.types, one.looked_at, one.share = counted([part] * 4), 2, 1.0  # two tasks of two parts
    assert mean_load(one, 100.0, 80.0)["compute"] == pytest.approx(2 * part.load(100.0, 80.0)["compute"])
    assert mean_load(one, 100.0, 80.0)["communication"] == 80.0
