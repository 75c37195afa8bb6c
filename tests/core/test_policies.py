import pytest

from asafess.core.alpha_beta import AlphaBeta
from asafess.core.assessment import Assessment
from asafess.core.policies import POLICIES, make
from asafess.core.work_function import WorkFunction


def test_each_name_has_its_policy():
    made = {name: type(make(name)) for name in POLICIES}
    assert made == {"work_function": WorkFunction, "alpha_beta": AlphaBeta}


@pytest.mark.parametrize("name", ["", "WORK_FUNCTION", "always_off"])
def test_an_unknown_name_is_refused_with_those_that_are_known(name):
    with pytest.raises(ValueError, match=f"unknown policy '{name}'; allowed: work_function, alpha_beta"):
        make(name)


@pytest.mark.parametrize("name", POLICIES)
def test_settings_reach_the_policy(name):
    # without costs both keep a state for the dwell
    policy = make(name, dwell=1.0)
    policy.entered(0.0, "on")
    assert policy.decide(0.5, "on", Assessment({"off": "off", "on": "off"}, None, 0.05)).held_back == "off"


def test_the_excess_is_that_of_the_band():
    near = Assessment({"off": "off", "on": "on"}, {"off": 1.5, "on": 1.0}, 0.1)
    assert make("work_function", excess=0.5).decide(0.0, "off", near).state == "off"
    assert make("work_function", excess=0.4).decide(0.0, "off", near).state == "on"
    with pytest.raises(ValueError, match="between 0 and 2, not 3"):
        make("work_function", excess=3)
