import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recording import Recording, at, codec, phases, tiles
from strategies import RATES

from asafess.core.mode import Rates, Sample
from asafess.core.replay import replay
from asafess.core.trace_reader import read

NAMES = ("codec", "tiles", "plain")
#: what can happen after so many seconds
_ratios = st.sampled_from([0.01, 0.2, 0.4, 0.7, 1.5, 3.0, 50.0])
_actions = st.one_of(
    st.tuples(st.just("observe"), _ratios, st.sampled_from([None, 0.5, 0.9]), st.booleans()),
    st.tuples(st.just("observe"), _ratios, st.just(0.5), st.just(False)),
    st.tuples(st.just("observe"), _ratios, st.just(0.5), st.just(False)),
    st.tuples(st.just("empty")),
    st.tuples(st.just("control"), st.sampled_from(NAMES), st.sampled_from(["auto", "auto", "shadow", "off", "up"])),
    st.tuples(st.just("reset")),
    st.tuples(st.just("start"), st.sampled_from([1e9, 1e7])),
)
_steps = st.lists(st.tuples(st.sampled_from([0.0, 0.05, 0.05, 0.3, 31.0]), _actions), max_size=60)


@st.composite
def recorded(draw):
    """Lines of a run in which anything happens, and the states it ended in."""
    demands = {"codec": {"on": {"watts": 60}}, "tiles": {"light": {"watts": 30}, "full": {"watts": 80}}}
    three = [
        codec(demands=demands["codec"], conflicts=draw(st.sampled_from([(), ("plain",)]))),
        tiles(demands=demands["tiles"], switch_seconds=draw(st.sampled_from([0.0, 0.2]))),
        codec("plain", costs=lambda sample: None, dwell=draw(st.sampled_from([0.0, 0.4]))),
    ]
    run = Recording(
        three,
        control=draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["off", "shadow", "auto"]))),
        policy=draw(st.sampled_from(["work_function", "alpha_beta"])),
        excess=draw(st.sampled_from([0.0, 0.5])),
        budgets=draw(st.sampled_from([{}, {"watts": 100}, {"watts": 70}])),
        switches_per_minute=draw(st.sampled_from([None, 1, 2, 5])),
    )
    top = {"codec": "on", "tiles": "full", "plain": "on"}
    time = 1000.01
    run.start(time)
    for seconds, (kind, *more) in draw(_steps):
        time += seconds
        if kind == "observe":
            run.observe(at(time, *more))
        elif kind == "empty":
            run.observe(Sample(time, (), 1, 1, RATES))
        elif kind == "control":
            name, control = more
            run.control(time, name, top[name] if control == "up" else control)
        elif kind == "reset":
            run.reset(time)
        else:
            run.start(time, Rates(1e9, 1e9, more[0]))
    return run


@settings(max_examples=150)
@given(recorded())
def test_whatever_happens_the_same_moments_give_the_same_decisions(run):
    trace = read(run.lines)
    assert trace.damaged == 0
    again = replay(trace)
    assert [one.same for one in again.decided] == [True] * len(trace.moments)
    made = [(one.time, one.optimization, one.before, one.after) for one in again.switches]
    assert made == [(one.time, one.optimization, one.before, one.after) for one in trace.switches]


def test_a_run_with_switches_is_replayed_with_their_times_and_causes():
    trace = read(phases(0.1, 5.0, 0.1))
    again = replay(trace)
    assert len(again.switches) >= 3
    assert [(one.time, one.after) for one in again.switches] == [(one.time, one.after) for one in trace.switches]
    # what the domain compared is not in the moments; what was added up is
    assert all("s more than" in one.cause for one in again.switches[1:])


def test_another_policy_decides_otherwise():
    trace = read(phases(*[0.1, 5.0] * 10, ticks=4))
    ours, theirs = replay(trace), replay(trace, policy="alpha_beta")
    assert all(one.same for one in ours.decided)
    assert not all(one.same for one in theirs.decided)
    assert len(theirs.switches) > len(ours.switches)


def test_other_limits_and_budgets_hold():
    trace = read(phases(*[0.1, 5.0] * 5))
    assert len(replay(trace).switches) > 3
    assert len(replay(trace, switches_per_minute=2).switches) == 2
    run = Recording([codec(demands={"on": {"watts": 60}})], policy="alpha_beta")
    run.start(1000.01)
    run.observe(at(1000.05, 0.1))
    trace = read(run.lines)
    assert replay(trace).decided[0].after == {"codec": "on"}
    assert replay(trace, budgets={"watts": 50}).decided[0].after == {"codec": "off"}


@pytest.mark.parametrize("setting", [{"policy": "best"}, {"excess": 3.0}, {"switches_per_minute": 0}])
def test_a_setting_that_the_controller_refuses_is_refused(setting):
    with pytest.raises(ValueError, match=r"best|2|from 1 to"):
        replay(read(phases(0.1)), **setting)


def test_a_decision_that_was_tampered_with_is_found():
    trace = read([line.replace('"after": "off"', '"after": "on"') for line in phases(0.1, 5.0)])
    assert any(not one.same for one in replay(trace).decided)


def _without_its_beginning(lost):
    header, *rest = phases(0.1, 5.0)
    moments = [line for line in rest if '"kind": "moment"' in line]
    return read([header, *moments[lost:]])


def test_a_trace_that_lost_its_beginning_goes_on_from_where_it_was():
    trace = _without_its_beginning(10)
    assert trace.moments[0].before == {"codec": "on"}
    again = replay(trace)
    assert all(one.same for one in again.decided)
    assert [switch.after for switch in again.switches] == ["off"]


@given(st.integers(0, 39))
def test_what_was_remembered_of_a_lost_beginning_matters_for_a_while_only(lost):
    assert replay(_without_its_beginning(lost)).decided[-1].same


def test_a_pin_from_before_the_trace_uses_up_no_switch():
    run = Recording([codec(), tiles()], control={"codec": "on"}, switches_per_minute=1)
    run.start(1000.01)
    for tick in range(40):
        run.observe(at(1000.05 + 0.05 * tick, 0.1 if tick < 20 else 9.0))
    trace = read(run.lines)
    assert trace.moments[-1].after["codec"] == "on"
    assert all(one.same for one in replay(trace).decided)


def test_what_an_optimization_in_shadow_wanted_is_decided_again():
    run = Recording([codec()], control={"codec": "shadow"})
    run.start(1000.01)
    for tick in range(60):
        run.observe(at(1000.05 + 0.05 * tick, 0.1 if tick // 20 % 2 else 9.0))
    again = replay(read(run.lines))
    assert all(one.same and one.after == {"codec": "off"} for one in again.decided)
    assert {one.cause[:7] for one in again.switches} == {"shadow:"}
    assert {one.wanted["codec"] for one in again.decided} == {"off", "on"}
