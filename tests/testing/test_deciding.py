"""Deciding halves that break the contract, each in one way."""

import flawed
import pytest

from asafess.testing.deciding import check_deciding


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (flawed.NoDomain(), "NoDomain must define domain"),
        (flawed.NoneDomain(), "must return an asafess.Domain, not None"),
        (flawed.OtherStates(), r"must be over its own states \('off', 'on'\)"),
        (flawed.Partial(), r"must say something of any vector, but of {} it raised KeyError"),
        (flawed.DividesByZero(), r"but of {'objects': 0\.0} it raised ZeroDivisionError"),
        (flawed.Moody(), "must say the same of the same vector"),
        (flawed.Thresholds(), "alpha is nan"),
        (flawed.Costs({"off": 1.0}), "must give each of its states"),
        (flawed.Costs({"off": 1.0, "on": -1.0}), "must give each of its states"),
        (flawed.Costs({"off": 1.0, "on": float("nan")}), "must give each of its states"),
        (flawed.Costs([1.0, 2.0]), "must give each of its states"),
        (flawed.MoodyCosts(), "costs must be the same for the same sample"),
        (flawed.Measured(), r"unit\.measured\(\) must map names to finite numbers"),
    ],
)
def test_the_deciding_half(broken, says):
    with pytest.raises(AssertionError, match=says):
        check_deciding(broken, {})
