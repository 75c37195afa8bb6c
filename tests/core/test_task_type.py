import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.core import task_type
from asafess.core.task_type import AXES, declare, define_axis, from_dict


@given(st.floats(0, 1e6), st.floats(0, 1e12), st.floats(0, 1e12))
def test_an_intensity_counts_flop_and_bytes_touched_per_byte_of_input(intensity, inputs, missing):
    load = declare(intensity=intensity).load(inputs, missing)
    assert load == {"compute": intensity * inputs, "memory": inputs, "communication": missing}


def test_a_declared_load_stands_whatever_the_input():
    assert declare(loads={"compute": 7}).load(100.0, 50.0) == {"communication": 50.0, "compute": 7.0}


def test_a_declared_communication_replaces_the_missing_bytes():
    assert declare(loads={"communication": 3}).load(100.0, 50.0) == {"communication": 3.0}


def test_loads_per_task_and_per_byte_add_up():
    load = declare(loads={"compute": 5}, per_byte={"compute": 2}).load(10.0, 0.0)
    assert load["compute"] == 25.0


@pytest.mark.parametrize("bad", [-1, math.nan, math.inf])
@pytest.mark.parametrize("where", ["intensity", "loads", "per_byte"])
def test_a_load_that_is_negative_or_not_finite_is_refused_by_value(where, bad):
    value = bad if where == "intensity" else {"memory": bad}
    with pytest.raises(ValueError, match=rf"finite and not negative .*, not {bad}"):
        declare(**{where: value})


@pytest.mark.parametrize("bad", ["3", None, True, [1]])
def test_a_load_that_is_no_number_is_refused(bad):
    with pytest.raises(TypeError, match="must be a number"):
        declare(loads={"compute": bad})


def test_an_unknown_axis_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown axis 'flops'.*communication, compute, loops, memory"):
        declare(loads={"flops": 1})


def test_a_type_that_declares_nothing_is_refused():
    with pytest.raises(ValueError, match="must declare something"):
        declare()


def test_intensity_and_a_load_on_compute_exclude_each_other():
    with pytest.raises(ValueError, match="either intensity or"):
        declare(intensity=1.0, loads={"compute": 1})


def test_an_axis_of_ones_own_can_be_loaded_once_it_is_defined(monkeypatch):
    monkeypatch.setattr(task_type, "AXES", dict(AXES))
    with pytest.raises(ValueError, match="unknown axis 'floating_point'"):
        declare(loads={"floating_point": 1})
    define_axis("floating_point", "operations")
    assert declare(loads={"floating_point": 4}).load(0.0, 0.0)["floating_point"] == 4.0
    with pytest.raises(ValueError, match="measured in 'operations' already"):
        define_axis("floating_point", "seconds")
    with pytest.raises(ValueError, match="Python identifier"):
        define_axis("floating point", "x")


def test_a_type_survives_being_written_as_plain_data():
    declared = declare(name="t", intensity=0.5, loads={"communication": 2})
    assert from_dict(declared.to_dict()) == declared


@pytest.mark.parametrize(
    "plain", [None, 3, "x", [], {"name": 3, "loads": {"compute": 1}}, {"lodes": {}}, {"loads": {"compute": -1}}, {}]
)
def test_garbage_is_no_type(plain):
    with pytest.raises((TypeError, ValueError)):
        from_dict(plain)
