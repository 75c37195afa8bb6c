import math
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import RATES, at_ratio, samples, three_states, two_states

from asafess.core.controller import Controller
from asafess.core.declaration import Declaration
from asafess.core.domain import Domain, Hysteresis, axis
from asafess.core.instruction import Ignored, Publish
from asafess.core.mode import Sample, Scheduled

ratios = st.floats(0.001, 100)


def controller(*policies, window=1.0):
    return Controller(policies or [three_states()], name="test", window=window)


def switches(instructions):
    return [switch for one in instructions if isinstance(one, Publish) for switch in one.switches]


@given(st.lists(st.floats(0.5, 1.0), max_size=50), st.sampled_from([0.01, 50.0]))
def test_there_is_no_switch_inside_the_band(inside, before):
    control = controller(two_states(0.5, 1.0), window=0.05)
    control.observe(at_ratio(0.0, before))
    # the window has moved on before the first ratio that is inside the band
    made = [switches(control.observe(at_ratio(1.0 + 0.1 * tick, ratio))) for tick, ratio in enumerate(inside)]
    assert not any(made)


@given(st.lists(ratios, max_size=80), st.floats(0.05, 2.0))
def test_switches_are_bounded_by_the_crossings_of_the_windowed_signal(signal, window):
    control = controller(two_states(0.5, 1.0), window=window)
    made, crossings, side = 0, 0, None
    for tick, ratio in enumerate(signal):
        made += len(switches(control.observe(at_ratio(0.1 * tick, ratio))))
        averaged = control.vector["ratio"]
        now = "low" if averaged < 0.5 else "high" if averaged > 1.0 else side
        crossings += now != side
        side = now
    assert made <= crossings


@given(samples(), st.integers(2, 60), st.booleans())
def test_a_steady_mode_makes_at_most_one_switch(sample, ticks, fresh):
    control = controller()
    made = []
    for tick in range(ticks):
        made += switches(control.observe(replace(sample, time=0.05 * tick, fresh=fresh)))
        # the average of a steady mode is as steady as rounding: on a bound itself it may cross it
        assume(not any(math.isclose(control.vector.get("ratio", 0.0), bound) for bound in (0.25, 0.5, 1.0, 2.0)))
    assert len(made) <= 1


@given(st.lists(samples(), max_size=10), st.randoms())
def test_the_order_of_workers_and_types_in_a_sample_changes_no_decision(series, random):
    one, other = controller(), controller()
    for tick, sample in enumerate(series):
        shuffled = list(sample.scheduled)
        random.shuffle(shuffled)
        first = one.observe(replace(sample, time=float(tick)))
        second = other.observe(replace(sample, time=float(tick), scheduled=tuple(shuffled)))
        assert first == second


def bad_samples():
    good = at_ratio(1.0, 50.0)
    yield "empty", replace(good, scheduled=())
    yield "empty", replace(good, scheduled=(Scheduled("t", 0, {"compute": 1.0}),))
    for bad in (math.nan, math.inf, -1.0):
        yield "invalid", replace(good, scheduled=(Scheduled("t", 1, {"compute": bad, "communication": 1.0}),))
        yield "invalid", replace(good, zeros=bad)
    yield "invalid", replace(good, workers=0)
    yield "invalid", replace(good, threads=0)


@pytest.mark.parametrize(("reason", "bad"), list(bad_samples()))
def test_a_sample_that_can_not_be_used_changes_nothing_and_is_counted(reason, bad):
    control = controller(two_states())
    control.observe(at_ratio(0.0, 0.1))
    before, vector = control.state, dict(control.vector)
    [instruction] = control.observe(bad)
    assert isinstance(instruction, Ignored)
    assert control.state == before
    assert control.counters[reason] == 1
    assert control.vector == vector
    # the window was not touched either: the next sample decides as if the bad one had not been
    assert not switches(control.observe(at_ratio(0.001, 0.1)))


def test_nothing_is_switched_before_the_rates_are_known():
    control = controller(two_states())
    assert not switches(control.observe(replace(at_ratio(0.0, 0.01), rates=None)))
    assert switches(control.observe(at_ratio(0.1, 0.01)))


def test_a_graph_that_arrives_at_an_idle_cluster_is_the_whole_mode():
    control = controller(two_states(), window=10.0)
    for tick in range(20):
        control.observe(at_ratio(0.1 * tick, 50.0))
    assert not switches(control.observe(at_ratio(2.0, 0.01)))
    assert [s.after for s in switches(control.observe(at_ratio(2.1, 0.01, fresh=True)))] == ["on"]


def test_more_than_two_states_are_passed_through_in_one_switch():
    control = controller(three_states(), window=0.01)
    [up] = switches(control.observe(at_ratio(0.0, 0.01)))
    [down] = switches(control.observe(at_ratio(1.0, 90.0)))
    assert (up.before, up.after, down.before, down.after) == ("off", "full", "full", "off")


def test_a_state_is_always_published_whole_and_with_a_higher_epoch():
    control = controller(two_states(name="one"), two_states(5.0, 6.0, name="two"), window=0.01)
    [first] = control.observe(at_ratio(0.0, 2.0))
    [second] = control.observe(at_ratio(1.0, 0.1))
    assert first.state.states == {"one": "off", "two": "on"}
    assert second.state.states == {"one": "on", "two": "on"}
    assert second.state.epoch.replaces(first.state.epoch)


def test_two_optimizations_are_decided_independently_of_each_other():
    alone, both = controller(two_states(name="one")), controller(two_states(name="one"), two_states(9, 9, name="two"))
    for tick, ratio in enumerate((0.1, 5.0, 0.2, 0.7, 3.0)):
        alone.observe(at_ratio(float(tick), ratio))
        both.observe(at_ratio(float(tick), ratio))
        assert alone.state.states["one"] == both.state.states["one"]


def test_a_pin_acts_at_once_and_samples_leave_it_alone():
    control = controller()
    [publish] = control.control(0.0, "tiles", "light")
    assert publish.state.states == {"tiles": "light"}
    assert not switches(control.observe(at_ratio(1.0, 0.01)))
    control.control(2.0, "tiles", "auto")
    assert [s.after for s in switches(control.observe(at_ratio(3.0, 0.01)))] == ["full"]


def test_pinning_what_is_not_there_names_what_is():
    with pytest.raises(ValueError, match="unknown optimization 'tile'; installed: tiles"):
        controller().control(0.0, "tile", "on")


def test_a_reset_goes_back_to_the_first_states_and_forgets_the_window():
    control = controller(two_states(), window=100.0)
    control.observe(at_ratio(0.0, 0.01))
    assert [s.after for s in switches(control.reset(1.0))] == ["off"]
    assert not switches(control.observe(at_ratio(2.0, 50.0)))
    assert control.vector["ratio"] == pytest.approx(50.0)


def test_after_a_fault_everything_is_off_and_stays_off():
    control = controller()
    control.control(0.0, "tiles", "full")
    [publish] = control.stop(1.0, "broken")
    assert publish.state.states == {"tiles": "off"}
    assert not switches(control.observe(at_ratio(2.0, 0.01)))
    assert control.counters["stopped"] == 1
    assert control.control(3.0, "tiles", "full") == []


def test_a_domain_that_raises_is_not_hidden_from_the_shell():
    def broken(rates):
        raise RuntimeError("no domain")

    control = Controller([replace(two_states(), domain=broken)], name="test")
    with pytest.raises(RuntimeError, match="no domain"):
        control.observe(Sample(0.0, (Scheduled("t", 1, {"compute": 1.0}),), 1, 1, RATES))


def optimistic():
    def domain(rates):
        low, high = axis("ratio", if_unknown=True) < rates.link / 1e8, axis("ratio") > 2.0
        return Domain(("off", "on"), [Hysteresis(low, high)])

    return Declaration("codec", ("off", "on"), domain, dwell=1.0)


def test_the_start_is_the_state_that_the_rates_imply_and_the_first_sample_may_leave_it_at_once():
    control = controller(optimistic(), two_states(name="cautious"))
    [publish] = control.start(0.0, RATES)
    assert publish.state.states == {"codec": "on", "cautious": "off"}
    assert publish.switches[0].cause.startswith("start: ratio is not known yet")
    # the dwell does not hold what nobody has decided from a sample
    assert [s.after for s in switches(control.observe(at_ratio(0.1, 50.0)))] == ["off"]


def test_a_pinned_optimization_does_not_start():
    control = controller(optimistic())
    control.control(0.0, "codec", "off")
    assert control.start(1.0, RATES) == []


def test_rates_that_are_measured_again_do_not_undo_what_a_sample_has_decided():
    control = controller(optimistic())
    control.start(0.0, RATES)
    control.observe(at_ratio(0.1, 50.0))
    assert control.start(5.0, RATES) == []  # long after the dwell
    assert control.state.states == {"codec": "off"}


def rivals(**settings):
    on = Declaration(
        "a", ("off", "on"), lambda rates: Domain(("off", "on"), [Hysteresis(axis("ratio") < 5, axis("ratio") > 9)])
    )
    other = replace(on, name="b", conflicts=("a",), demands={"on": {"watts": 60.0}})
    return Controller([on, other], name="test", policy="alpha_beta", **settings)


def test_a_pin_makes_room_at_once_also_while_nothing_is_scheduled():
    control = rivals()
    control.observe(at_ratio(0.0, 1.0))
    assert control.state.states == {"a": "on", "b": "off"}
    [publish] = control.control(1.0, "b", "on")
    assert publish.state.states == {"a": "off", "b": "on"}
    assert {one.optimization: one.cause for one in publish.switches} == {
        "a": "conflicts with b (pinned)",
        "b": "pinned",
    }


def test_what_persons_switch_does_not_use_up_the_limit_of_policies():
    control = rivals(switches_per_minute=1)
    for k in range(10):
        control.control(float(k), "b", "on" if k % 2 else "off")
    control.control(20.0, "b", "off")
    assert [one.after for one in switches(control.observe(at_ratio(21.0, 1.0)))] == ["on"]
    assert not switches(control.observe(at_ratio(40.0, 99.0, fresh=True)))
    assert control.moment.held_back == {"a": "limit of switches per minute"}


def test_in_shadow_it_is_decided_and_acts_on_nothing():
    control = rivals()
    control.control(0.0, "a", "shadow")
    [shadowed, publish] = control.observe(at_ratio(1.0, 1.0))
    assert [(one.optimization, one.after) for one in shadowed.switches] == [("a", "on")]
    # so it is in nobody's way
    assert publish.state.states == {"a": "off", "b": "on"}
    assert control.shadows == {"a": "on"}
    control.control(2.0, "a", "auto")
    assert control.observe(at_ratio(3.0, 1.0)) == []
    assert control.moment.held_back == {"a": "conflicts with b"}


def test_two_that_persons_had_pinned_against_each_other_go_together_no_longer_once_one_is_given_back():
    control = rivals()
    for name in ("a", "b"):
        control.control(0.0, name, "on")
    control.observe(at_ratio(1.0, 1.0))
    assert control.state.states == {"a": "on", "b": "on"}
    control.control(2.0, "a", "auto")
    [publish] = control.observe(at_ratio(3.0, 1.0))
    assert publish.state.states == {"a": "off", "b": "on"}
    assert publish.switches[0].cause == "conflicts with b (pinned)"
