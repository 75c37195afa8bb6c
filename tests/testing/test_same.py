import numpy as np
import pandas as pd
import pytest

from asafess.testing.same import identical

NAN = float("nan")


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.array([1.0, NAN, -0.0]),
        lambda: np.arange(12).reshape(3, 4)[:, ::2],
        lambda: np.array(["a", None, (1, NAN)], dtype=object),
        lambda: [NAN, {"a": (1, b"2", np.float32(3))}, {1, 2}, None],
        lambda: pd.DataFrame({"a": [1.0, NAN], "b": ["x", None]}),
        lambda: np.datetime64("2026-01-01"),
    ],
)
def test_what_is_made_twice_is_identical(make):
    assert identical(make(), make())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.zeros(3), np.zeros(3, "f4")),
        (np.zeros(3), np.zeros((3, 1))),
        (np.zeros(3), -np.zeros(3)),
        (np.array([1.0]), np.nextafter([1.0], 2)),
        (0.0, -0.0),
        (1, True),
        ([1, 2], [1]),
        ([1, 2], (1, 2)),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 2}),
        (pd.Series([1.0]), pd.Series([2.0])),
        (np.array([1, None], dtype=object), np.array([1, 2], dtype=object)),
        ("a", "b"),
    ],
)
def test_what_differs_in_type_shape_or_a_bit_is_not(one, other):
    assert not identical(one, other)
    assert identical(one, one)
    assert identical(other, other)
