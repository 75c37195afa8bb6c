"""Groups of a task graph, by the scheduler's rule."""

import pytest
from dask._task_spec import Task, TaskRef

from asafess.compiler.explain.groups import group_name, groups
from asafess.compiler.explain.task_graph import TaskGraph, depths

TOKEN = "5cb8d0d1b1b09f1f2f9d3d1c7a0a6c11"


def grouped(needs):
    nodes = {key: Task(key, max, *(TaskRef(one) for one in after)) for key, after in needs.items()}
    return groups(TaskGraph(nodes), depths(nodes))


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ((f"sum-{TOKEN}", 0, 1), f"sum-{TOKEN}"),
        (f"sum-{TOKEN}", "sum"),
        (TOKEN, "data"),
        (b"abs-1", "abs"),
        (5, "Other"),
        ("", "Other"),
        ((7, "x"), "7"),
    ],
)
def test_names_are_the_schedulers(key, name):
    assert group_name(key) == name


def test_a_tree_of_one_name_is_one_group_that_does_not_come_after_itself():
    (leaf, tree) = grouped(
        {("leaf", 0): [], ("leaf", 1): [], ("t", 0): [("leaf", 0), ("leaf", 1)], ("t", 1): [("t", 0)]}
    )
    assert (leaf.name, leaf.inputs, leaf.layer) == ("leaf", 0.0, 0)
    assert (tree.name, tree.inputs, tree.layer, tree.after) == ("t", 1.5, 1, {"leaf"})


def test_groups_that_depend_on_each_other_are_laid_out_by_what_runs_first():
    needs = {("a", 0): []}
    for k in range(5):
        needs |= {("b", k): [("a", k)], ("a", k + 1): [("b", k)]}
    first, second = grouped(needs | {("end", 0): [("a", 5)]})[:2]
    assert {first.name, second.name} == {"a", "b"}
    assert {first.layer, second.layer} == {0, 1}
    assert first.after == {second.name}


def test_a_cycle_of_tasks_has_a_place_too():
    found = grouped({"x": ["y"], "y": ["x"]})
    assert sorted(one.name for one in found) == ["x", "y"]


def test_a_group_lies_below_all_that_it_takes_inputs_from():
    found = {one.name: one for one in grouped({"a": [], "b": ["a"], "c": ["b"], "d": ["a", "c"], "e": []})}
    assert {name: one.layer for name, one in found.items()} == {"a": 0, "b": 1, "c": 2, "d": 3, "e": 0}
