import math

import pytest

from bench.toggles.race import same

OTHERS = [[1.0], [1.0, (2.0, 4.0), 3.0], [1.0, (2.0, 4.1)], [math.nan, (2.0, 4.0)]]


@pytest.mark.parametrize("error", [0.0, 1e-9])
@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_another_shape_or_number_is_not_the_same(error, other):
    value = [1.0, (2.0, 4.0)]
    assert same(value, [1.0, (2.0, 4.0)], error)
    assert not same(value, other, error)


def test_the_error_is_relative_and_of_each_number():
    assert same([1e6, 1.0], [1e6 + 0.9, 1.0], 1e-6)
    assert not same([1e6, 1.0], [1e6, 1.0 + 1e-5], 1e-6)
    assert same([0.0], [0.0], 1e-6)
    assert not same([0.0], [1e-30], 1e-6)
