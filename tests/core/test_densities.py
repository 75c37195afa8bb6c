"""Break-even densities as they are configured."""

import pickle

import pytest

from asafess.core.densities import Densities, checked


def test_what_is_left_out_or_null_is_not_known():
    assert checked(None) == checked({}) == {}
    assert checked({"float32": None, "int8": {"full": 0, "light": None}}) == {
        "float32": Densities(None, None),
        "int8": Densities(None, 0),
    }
    assert checked(pickle.loads(pickle.dumps(checked({"x": {"light": 1}})))) == {"x": Densities(light=1)}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (0.3, "must map data types"),
        ({"float64": 0.3}, r"float64 is 0\.3; allowed are light and full"),
        ({"float64": {"dark": 0.3}}, "allowed are light and full"),
        ({"float64": {"light": 1.01}}, r"float64\.light is 1\.01; it must be a density from 0 to 1"),
        ({"float64": {"full": -0.1}}, r"float64\.full is -0\.1"),
        ({"float64": {"light": float("nan")}}, "light is nan"),
        ({"float64": {"light": True}}, "light is True"),
        ({"float64": {"light": "0.3"}}, r"light is '0\.3'"),
    ],
)
def test_what_is_no_density_is_named_with_what_is_allowed(wrong, says):
    with pytest.raises(ValueError, match=says):
        checked(wrong)
