import pytest
from strategies import RATES, three_states, two_states

from asafess.core.domain import Domain, band
from asafess.core.policy import Decider, Policy


def test_a_state_is_kept_for_the_dwell_but_the_first_decision_is_at_once():
    decider = Decider(two_states(dwell=1.0))
    assert decider.decide(0.0, {"ratio": 0.1}, RATES).state == "on"
    decider.enter(0.0, "on")
    assert decider.decide(0.9, {"ratio": 5.0}, RATES).state == "on"
    assert decider.decide(1.1, {"ratio": 5.0}, RATES).state == "off"


def test_a_pin_overrules_the_domain_until_it_is_taken_away():
    decider = Decider(three_states())
    decider.pin("light")
    assert decider.decide(0.0, {"ratio": 0.01}, RATES).state == "light"
    decider.pin(None)
    assert decider.decide(0.0, {"ratio": 0.01}, RATES).state == "full"


def test_an_unknown_state_can_not_be_pinned():
    with pytest.raises(ValueError, match=r"unknown state 'max'.*off, light, full"):
        Decider(three_states()).pin("max")


def test_the_domain_is_derived_anew_only_when_the_rates_change():
    asked = []

    def domain(rates):
        asked.append(rates)
        return Domain(("off", "on"), [band(0.5, 1.0)])

    decider = Decider(Policy("codec", ("off", "on"), domain))
    decider.decide(0.0, {"ratio": 1}, RATES)
    decider.decide(1.0, {"ratio": 1}, RATES)
    assert len(asked) == 1


def test_a_domain_over_other_states_is_refused():
    decider = Decider(Policy("codec", ("off", "on"), lambda rates: Domain(("no", "yes"), [band(0.5, 1.0)])))
    with pytest.raises(ValueError, match="not over its states"):
        decider.decide(0.0, {"ratio": 1}, RATES)


@pytest.mark.parametrize("dwell", [-1.0, float("nan"), float("inf")])
def test_a_dwell_that_is_no_time_is_refused(dwell):
    with pytest.raises(ValueError, match="dwell"):
        two_states(dwell=dwell)
