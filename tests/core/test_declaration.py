import pytest
from strategies import two_states

from asafess.core.declaration import Declaration


@pytest.mark.parametrize("dwell", [-1.0, float("nan"), float("inf")])
def test_a_dwell_that_is_no_time_is_refused(dwell):
    with pytest.raises(ValueError, match="dwell"):
        two_states(dwell=dwell)


@pytest.mark.parametrize("states", [(), ("off", "off"), ("off", "auto"), ("shadow",)])
def test_states_differ_and_do_not_have_the_names_of_those_in_charge(states):
    with pytest.raises(ValueError, match=r"states? "):
        Declaration("codec", states, lambda rates: None)


def test_demands_are_of_known_states_and_not_negative():
    with pytest.raises(ValueError, match=r"unknown states \['max'\]; allowed: off, on"):
        Declaration("codec", ("off", "on"), lambda rates: None, demands={"max": {"watts": 1.0}})
    with pytest.raises(ValueError, match="the demand of 'watts' in 'on' must be a number ≥ 0, not -1"):
        Declaration("codec", ("off", "on"), lambda rates: None, demands={"on": {"watts": -1.0}})


@pytest.mark.parametrize("name", ["", " ", "\udcff", 5])
def test_names_are_text_that_can_be_sent(name):
    with pytest.raises(ValueError, match="must be text that is not empty"):
        Declaration(name, ("off", "on"), lambda rates: None)
    with pytest.raises(ValueError, match="must be text that is not empty"):
        Declaration("codec", ("off", name), lambda rates: None)


def test_what_can_not_work_later_is_refused_now():
    refused = [
        {"states": ["off", "on"]},
        {"states": "off"},
        {"conflicts": "null"},
        {"conflicts": ("codec",)},
        {"demands": {"on": 80}},
        {"demands": {"on": {"watts": "80"}}},
        {"demands": {"off": {"watts": 5.0}}},
        {"demands": 5},
    ]
    for given in refused:
        with pytest.raises(ValueError, match="optimization 'codec'"):
            Declaration(**{"name": "codec", "states": ("off", "on"), "domain": lambda rates: None, **given})
