"""The deciding half of queuing: waiting for round trips against overproduction."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.core.controller import Controller
from asafess.core.instruction import Publish
from asafess.core.mode import Rates, Sample, Scheduled
from asafess.optimizations.queuing import Queuing
from asafess.optimizations.queuing_costs import KEPT_MEMORY, ROUND_TRIPS, Roots, load, overproduction, round_trip
from asafess.wire import disk

RATES = Rates(flop=1e9, memory=1e10, link=1e9, extra={"kept_memory": 1e10 / 3, "spill_disk": 5e8})


def sample(roots, time=0.0, fresh=True, round_trip=4e-3):
    entry = Scheduled("to be assigned", roots.count, load(roots, round_trip))
    return Sample(time, (entry,), threads=2, workers=2, rates=RATES, fresh=fresh)


def tiny(count=1000, output=100.0):
    return Roots(count, 1e-4, output, threads=2, slots=4, free=1e9)


def heavy(count=96, output=24e6, free=1e9):
    return Roots(count, 0.02, output, threads=2, slots=4, free=free)


def test_a_swarm_waits_and_data_overproduces():
    optimization = Queuing()
    swarm, data = optimization.costs(sample(tiny())), optimization.costs(sample(heavy()))
    assert swarm["open"] < 0.6 * swarm["queued"]
    assert data["queued"] < 0.6 * data["open"]


def test_tasks_that_there_are_slots_for_wait_for_nothing():
    assert load(tiny(count=4), 4e-3)["root_wait"] == 0.0
    assert load(tiny(count=5), 4e-3)["root_wait"] > 0


def test_a_task_as_long_as_a_round_trip_waits_for_nothing():
    roots = Roots(1000, 4e-3, 0.0, threads=2, slots=4, free=1e9)
    assert load(roots, 4e-3)["root_wait"] == 0.0


def test_the_larger_the_outputs_the_less_an_open_queue_pays():
    costs = [Queuing().costs(sample(tiny(output=output))) for output in (1e2, 1e5, 1e7)]
    seconds = [one["open"] for one in costs]
    assert seconds == sorted(seconds)
    assert [one["open"] < one["queued"] for one in costs] == [True, True, False]


def test_memory_pressure_alone_can_close_it():
    relaxed, pressed = (Roots(1000, 1e-4, 1e5, 2, 4, free) for free in (1e9, 0.0))
    domain = Queuing(disk=1e8).domain(RATES)
    says = [domain("queued", load(roots, 4e-3)) for roots in (relaxed, pressed)]
    assert says == ["open", "queued"]


def test_without_a_limit_of_memory_all_is_finite():
    assert all(map(math.isfinite, load(heavy(free=math.inf), 4e-3).values()))


def test_where_nothing_is_to_be_assigned_it_goes_back_to_what_is_configured():
    optimization = Queuing()
    assert optimization.costs(Sample(0.0, (Scheduled("t", 1, {"compute": 1.0}),), 2, 2, RATES)) is None
    assert optimization.domain(RATES)("open", {"compute": 1.0}) == "queued"


def test_the_domain_holds_its_state_between_the_thresholds():
    domain = Queuing().domain(RATES)
    vector = {"root_wait": 1.5 * 3 * 1e9 / 1e10, "root_output": 1e9}
    assert [domain(state, vector) for state in ("queued", "open")] == ["queued", "open"]
    assert domain.explain("queued", {"root_wait": 1.0}) == (
        "waiting in the queue would take 1 s, more than 2 × the 0 s that an open queue costs"
    )
    assert domain.explain("open", {"root_output": 1e9}).startswith(
        "waiting in the queue would take 0 s, not more than "
    )


@pytest.mark.parametrize("policy", ["work_function", "alpha_beta"])
def test_alternating_phases_are_decided_at_their_first_sample(policy):
    controller = Controller([Queuing().declaration()], name="test", policy=policy)
    states = []
    for k in range(6):
        for instruction in controller.observe(sample(heavy() if k % 2 else tiny(), time=1.0 + k)):
            assert isinstance(instruction, Publish)
        states.append(controller.state.states["queuing"])
    assert states == ["open", "queued"] * 3


@given(st.floats(1, 1e4), st.floats(1e6, 1e12), st.floats(1e5, 1e10))
def test_what_is_measured_counts_and_what_is_configured_counts_more(trips, kept, disk):
    rates = Rates(1e9, 1e10, 1e9, {"round_trips": trips, "kept_memory": kept, "spill_disk": disk})
    measured, configured = Queuing(), Queuing(round_trip=0.25, disk=2e8)
    for one in (measured, configured):
        one.set_rates(rates)
    assert (measured.round_trip, configured.round_trip) == (1 / trips, 0.25)
    vector = {"root_output": 2e9, "root_spilled": 1e9}
    seconds = 2e9 / kept / 2
    assert overproduction(vector, rates, measured.disk, 2, 2) == pytest.approx(seconds + 1e9 / disk / 2)
    assert overproduction(vector, rates, configured.disk, 2, 2) == pytest.approx(seconds + 2.5)
    at = Sample(0.0, (Scheduled("t", 1, {**vector, "root_seconds": 1.0, "root_wait": 0.0}),), 2, 2, rates)
    for one, at_disk in ((measured, disk), (configured, 2e8)):
        assert one.costs(at)["open"] == pytest.approx(1 + seconds + 1e9 / at_disk / 2)


@given(st.floats(1, 1e4), st.floats(1, 1e4))
def test_the_longer_round_trips_take_the_longer_a_swarm_waits(trips, more):
    waits = [load(tiny(), round_trip(Rates(1e9, 1e9, 1e9, {"round_trips": one})))["root_wait"] for one in (trips, more)]
    assert sorted(waits, reverse=trips < more) == waits


def test_before_anything_is_measured_there_are_estimates():
    assert Queuing().round_trip == 1 / ROUND_TRIPS
    assert overproduction({"root_output": 1.0}, Rates(1e9, 1e9, 1e9), None, 1, 1) == 1 / KEPT_MEMORY


def test_a_disk_that_cant_be_written_to_leaves_an_estimate_and_says_so(monkeypatch, caplog):
    def full():
        raise OSError("no space left")

    monkeypatch.setattr(disk, "of_workers", full)
    assert set(Queuing().rates()) == {"kept_memory"}
    assert "can't measure the disk" in caplog.text


def test_the_disk_is_measured_where_it_is_not_configured(monkeypatch):
    monkeypatch.setattr(disk, "of_workers", lambda: 7.0)
    assert Queuing().rates()["spill_disk"] == 7.0
    assert set(Queuing(disk=1e8).rates()) == {"kept_memory"}


@pytest.mark.parametrize("value", [0, -1.0, math.inf, math.nan, 10**400, True, "4ms"])
@pytest.mark.parametrize("name", ["round_trip", "disk"])
def test_a_wrong_setting_is_named(name, value):
    with pytest.raises(ValueError, match=rf"asafess.queuing.{name.replace('_', '-')} must be a finite number above 0"):
        Queuing(**{name: value})
