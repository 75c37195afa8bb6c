from inspect import signature

import pytest

from asafess.optimizations.base import Optimization
from asafess.optimizations.null import Null
from asafess.optimizations.registry import BUILT_IN, make


def test_names_and_objects_keep_their_order():
    null = Null()
    assert [one.name for one in make(["tile_compression", null])] == ["tile_compression", "null"]


def test_each_file_of_the_room_is_registered():
    from pathlib import Path

    import asafess.optimizations as room

    files = {path.stem for path in Path(room.__path__[0]).glob("*.py")}
    # the costs of an optimization may have a file of their own; so have what queuing measures, what stealing reads
    others = {"__init__", "arguments", "base", "entry_points", "registry", "kept_memory", "work_stealing_records"}
    assert {name.removesuffix("_costs") for name in files} - others == set(BUILT_IN)


def test_settings_reach_the_optimization():
    [made] = make(["tile_compression"], {"tile_compression": {"threshold": 7}})
    assert made.threshold == 7


class Nameless(Optimization):
    pass


class NoDomain(Optimization):
    name = "no_domain"


class TwiceTheSame(Null):
    states = ("on", "on")


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (["tile"], "unknown optimization 'tile'; allowed: null, queuing, reduced_precision, spill_compression"),
        ([Null(), "null"], "name of its own"),
        ([Nameless()], "name of its own"),
        ([TwiceTheSame()], "states must differ"),
    ],
)
def test_a_wrong_value_is_named(wanted, says):
    with pytest.raises(ValueError, match=says):
        make(wanted)


@pytest.mark.parametrize("name", BUILT_IN)
def test_settings_of_unknown_names_are_named_with_what_is_allowed(name):
    allowed = ", ".join(signature(BUILT_IN[name]).parameters)
    says = f"allowed: {allowed}" if allowed else f"{name} has no settings"
    with pytest.raises(TypeError, match=rf"unknown setting asafess\.{name}\.a = 1; {says}"):
        make([name], {name: {"a": 1}})


def test_settings_in_place_of_a_list_are_refused_and_not_dropped():
    with pytest.raises(TypeError, match=r"list of names or objects, not {'null': {'a': 1}}; their settings are"):
        make({"null": {"a": 1}})


@pytest.mark.parametrize("wanted", ["null", Null(), [3], [None], [Null]])
def test_what_is_no_list_of_optimizations_is_refused(wanted):
    with pytest.raises(TypeError):
        make(wanted)


def test_an_optimization_without_a_domain_says_what_is_missing():
    from asafess.core.mode import Rates

    with pytest.raises(TypeError, match="NoDomain must define domain"):
        NoDomain().declaration().domain(Rates(1, 1, 1))
