"""The library of an example gives the same bits with a unit and without, and its optimization keeps the contract."""

import sys
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from asafess.core.task_type import AXES
from asafess.testing import check_optimization

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))  # as when the example is run

with patch.dict(AXES):  # the axes that the example adds are no business of other tests in this process
    fixed_point, units = import_module("fixed_point"), import_module("units")

heights = arrays(np.int32, st.integers(3, 40), elements=st.integers(-(2**15), 2**15))


@given(heights, st.integers(0, 20))
def test_floating_and_fixed_point_are_the_same_to_the_bit(start, steps):
    found = units.relax_float(start, steps)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, units.relax_fixed(start, steps))


@given(arrays(np.uint64, st.integers(0, 40)))
def test_bits_are_counted_the_same(words):
    counted = sum(int(word).bit_count() for word in words)
    assert units.count_by_unit(words) == units.count_in_software(words) == counted


def test_a_unit_that_is_off_is_worked_around_and_its_time_counted():
    unit = units.Unit()
    assert not unit.called()
    unit.power(True)
    off = unit.seconds_off()
    assert unit.called()
    assert unit.seconds_off() == off >= 0
    unit.power(False)
    assert unit.seconds_off() >= off
    assert (unit.done, unit.in_software) == (1, 1)


def work(client):
    kinds = [fixed_point.simulate, fixed_point.index, fixed_point.read]
    return client.gather([client.submit(kind, seed, pure=False) for seed, kind in enumerate(kinds * 2)])


@pytest.mark.parametrize("name", units.UNITS)
def test_it_keeps_the_contract(name):
    check_optimization(
        fixed_point.PoweredUnit(name),
        work,
        snapshot=lambda: {name: unit.powered for name, unit in units.UNITS.items()},
    )
