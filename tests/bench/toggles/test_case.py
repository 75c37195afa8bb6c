from dataclasses import replace
from itertools import pairwise, product

import pytest

from asafess.optimizations.registry import BUILT_IN, make
from bench.toggles import cases
from bench.toggles.case import OFF, Case, Wanted, phases_and_both
from bench.toggles.graph import graph_of

SEVERAL = ("queuing", "null", "tile_compression")


def case(*optimizations, **given):
    return Case("some", optimizations, lambda small: [], **given)


def test_every_case_lies_in_the_room_under_its_own_name():
    found = cases()
    assert {*BUILT_IN, "all"} - {"tile_compression"} <= set(found)
    assert all(name == one.name for name, one in found.items())
    # the one that needs several comes after those that it needs
    assert list(found)[-1] == "all"


def test_the_fixed_arms_are_off_and_every_other_combination_of_states():
    fixed = case(*SEVERAL).fixed()
    states = [one.states for one in make(SEVERAL)]
    assert [tuple(one.values()) for one in fixed.values()] == list(product(*states))
    assert next(iter(fixed)) == OFF
    assert len(fixed) == len({*fixed})


def test_stock_dask_in_another_configuration_is_a_fixed_arm_without_states():
    fixed = case("queuing", configured={"dask lz4": {"distributed.comm.compression": "lz4"}}).fixed()
    assert list(fixed)[-1] == "dask lz4"
    assert fixed["dask lz4"] == {}


def test_states_beyond_the_most_that_are_wanted_are_left_out_and_named():
    one = case("tile_compression", "queuing", most_states=2)
    assert one.left_out() == {"tile_compression": make(["tile_compression"])[0].states[2:]}
    assert len(one.fixed()) == 4
    assert replace(one, most_states=None).left_out() == {}


def test_a_case_says_what_it_lacks():
    assert case("queuing").missing() is None
    assert "no_such" in case("queuing", "no_such").missing()
    assert "no_such_package" in case("queuing", needs=("no_such_package",)).missing()


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("name", list(cases()))
def test_every_program_has_a_name_of_its_own_and_those_of_one_cluster_come_together(name, small):
    programs = cases()[name].programs(small)
    assert len({one.name for one in programs}) == len(programs)
    clusters = [one.on for one in programs]
    changes = sum(a != b for a, b in pairwise(clusters))
    assert changes == len(set(clusters)) - 1


def test_a_program_for_each_kind_of_phase_and_one_that_has_both():
    def part(graph, suffix):
        return []

    programs = phases_and_both(Wanted(), {"a": part, "b": part}, {"a": part, "b": part}, times=2)
    assert [(one.name, one.mixed) for one in programs] == [("a", False), ("b", False), ("both", True)]
    kinds = [graph_of(one.make(None, ["w"]).parts).kinds for one in programs]
    assert kinds == [["a", "a"], ["b", "b"], ["a", "b", "a", "b"]]


def test_the_cases_of_built_in_optimizations_can_be_measured_where_their_packages_are():
    for name, one in cases().items():
        if name in BUILT_IN and not one.needs:
            assert one.missing() is None
