from dataclasses import replace

import pytest
from strategies import RATES, at_ratio, two_states

from asafess.core.assessment import Assessor
from asafess.core.declaration import Declaration
from asafess.core.domain import Domain, band


def priced(off, on):
    return replace(two_states(), costs=lambda sample: {"off": off, "on": on})


def test_the_domain_is_derived_anew_only_when_the_rates_change():
    asked = []

    def domain(rates):
        asked.append(rates)
        return Domain(("off", "on"), [band(0.5, 1.0)])

    assessor = Assessor(Declaration("codec", ("off", "on"), domain), 1.0)
    for _ in range(2):
        assessor.assess(at_ratio(0.0, 1.0), {"ratio": 1.0}, "off", 0.05, 0.05)
    assert len(asked) == 1
    assessor.domain(replace(RATES, link=1.0))
    assert len(asked) == 2


def test_a_domain_over_other_states_is_refused():
    assessor = Assessor(Declaration("codec", ("off", "on"), lambda rates: Domain(("no", "yes"), [band(1, 1)])), 1.0)
    with pytest.raises(ValueError, match="not over its states"):
        assessor.domain(RATES)


def test_a_domain_that_says_what_is_no_state_is_refused():
    class Wrong(Domain):
        def table(self, vector):
            return {"off": "max", "on": "on"}

    assessor = Assessor(Declaration("codec", ("off", "on"), lambda rates: Wrong(("off", "on"), [band(1, 1)])), 1.0)
    with pytest.raises(ValueError, match=r"says \['max'\], which is no state"):
        assessor.assess(at_ratio(0.0, 1.0), {}, "off", 0.05, 0.05)


@pytest.mark.parametrize("seconds", [{"off": 1.0}, {"off": 1.0, "on": -1.0}, {"off": float("nan"), "on": 1.0}])
def test_costs_that_can_not_be_are_refused(seconds):
    assessor = Assessor(replace(two_states(), costs=lambda sample: seconds), 1.0)
    with pytest.raises(ValueError, match="costs must give each of off, on a finite number of seconds"):
        assessor.assess(at_ratio(0.0, 1.0), {}, "off", 0.05, 0.05)


def test_the_present_state_costs_what_the_sample_stands_for():
    seen = Assessor(priced(3.0, 6.0), 1.0).assess(at_ratio(0.0, 1.0), {}, "on", 0.25, 0.05)
    assert seen.costs == {"off": 0.125, "on": 0.25}
    assert seen.gain == {"off": 0.0, "on": -1.0}


def test_a_load_that_takes_no_time_costs_nothing_in_any_state():
    assert Assessor(priced(0.0, 2.0), 1.0).assess(at_ratio(0.0, 1.0), {}, "off", 0.25, 0.05).costs == {
        "off": 0.0,
        "on": 0.0,
    }


def test_a_graph_that_arrives_is_charged_ahead_and_not_twice():
    assessor = Assessor(priced(0.5, 0.25), horizon=1.0)
    charged = [assessor.assess(at_ratio(0.0, 1.0, fresh=True), {}, "off", 0.05, 0.05).costs["off"]]
    charged += [assessor.assess(at_ratio(0.0, 1.0), {}, "off", 0.2, 0.05).costs["off"] for _ in range(4)]
    assert charged == pytest.approx([0.5, 0.0, 0.0, 0.1, 0.2])


def test_nothing_is_charged_further_ahead_than_the_horizon():
    assessor = Assessor(priced(5.0, 1.0), horizon=1.0)
    assert assessor.assess(at_ratio(0.0, 1.0, fresh=True), {}, "off", 0.05, 0.05).costs == {"off": 1.0, "on": 0.2}


def test_a_prediction_that_is_ten_times_too_long_is_charged_less_and_less_ahead():
    assessor = Assessor(priced(1.0, 0.5), horizon=1.0)
    charged = []
    for _ in range(8):
        charged.append(assessor.assess(at_ratio(0.0, 1.0, fresh=True), {}, "off", 0.05, 0.05).costs["off"])
        assessor.pause(0.1)
    assert charged == pytest.approx([1.0] + [0.1] * 7)


def test_it_is_believed_again_when_graphs_last_as_long_as_predicted():
    assessor = Assessor(priced(1.0, 0.5), horizon=1.0)
    assessor.assess(at_ratio(0.0, 1.0, fresh=True), {}, "off", 0.05, 0.05)
    assessor.pause(0.001)
    charged = []
    for _ in range(12):
        charged.append(assessor.assess(at_ratio(0.0, 1.0, fresh=True), {}, "off", 0.05, 0.05).costs["off"])
        assessor.pause(1.0)
    assert charged[0] < 0.01
    assert charged[1:] == [1.0] * 11


def test_where_such_tasks_were_measured_to_take_longer_that_is_charged_ahead():
    for measured, charged in ((0.1, 0.2), (0.6, 0.6), (5.0, 1.0)):
        assessor = Assessor(priced(0.2, 0.1), horizon=1.0)
        sample = replace(at_ratio(0.0, 1.0, fresh=True), seconds=measured)
        costs = assessor.assess(sample, {}, "off", 0.05, 0.05).costs
        assert costs == pytest.approx({"off": charged, "on": charged / 2})


def test_a_graph_that_is_over_sooner_because_of_a_switch_is_no_wrong_prediction():
    assessor = Assessor(priced(1.0, 0.25), horizon=1.0)
    assessor.assess(at_ratio(0.0, 1.0, fresh=True), {}, "off", 0.05, 0.05)
    assessor.assess(at_ratio(0.05, 1.0), {}, "on", 0.05, 0.05)
    assessor.pause(0.2)
    assert assessor.assess(at_ratio(0.3, 1.0, fresh=True), {}, "off", 0.05, 0.05).costs["off"] == 1.0
