"""The demo's story in words and as a picture, from phases and events that are made up."""

import re

import pytest
from asafess.bench.demo_story import AUTO, MOVE, PHASES, PINNED, STAY, gained, marked, switched, told
from asafess.bench.plots import plot_timeline

CAUSE = "off has cost 0.11 s more than full would have (a switch there and back costs 0.1 s); ratio 0.03 is below 0.4"


def phase(t, what, control, seconds):
    return {"t": t, "phase": what, "control": control, "sweeps": 5, "sweep_seconds": seconds}


@pytest.fixture
def phases():
    return [
        phase(0.0, MOVE, PINNED, 0.09),
        phase(0.7, MOVE, AUTO, 0.07),
        phase(1.4, STAY, AUTO, 0.02),
        phase(2.1, MOVE, AUTO, 0.06),
    ]


def events_of(phases, *switches):
    """Return an event every 50 ms; each of `switches` is when a state was entered, and which."""
    made = []
    for tick in range(57):
        t = tick / 20
        state = next((to for at, to in reversed(switches) if at <= t), "off")
        cause = CAUSE if any(at == t for at, _ in switches) else None
        made.append({"t": t, "ratio": 0.03, "state": state, "alpha": 0.9, "beta": 1.8, "cause": cause})
    return marked(made, phases)


def test_the_story_is_pinned_first_and_its_policys_from_then_on():
    assert [control for _, _, control in PHASES] == [PINNED, AUTO, AUTO, AUTO]
    assert [what for _, what, _ in PHASES] == [MOVE, MOVE, STAY, MOVE]


def test_one_switch_is_told_with_its_cause_where_it_was_made(phases):
    lines = told(phases, events_of(phases, (0.75, "full")))
    assert [line.split()[0] for line in lines] == ["0.00", "0.70", "0.75", "1.40", "2.10"]
    assert "pinned to off" in lines[0]
    assert "90 ms a sweep" in lines[0]
    assert lines[2].endswith(
        "off → full: off has cost 0.11 s more than full would have (a switch there and back costs 0.1 s)"
    )
    assert "nothing to gain: it remains in full" in lines[3]
    assert "it remains in full" in lines[4]


def test_without_a_switch_nothing_is_said_to_have_been_switched(phases):
    events = events_of(phases)
    text = "\n".join(told(phases, events))
    assert "→" not in text
    assert text.count("remains in off") == 3
    assert "too little was to gain" in switched(events)


def test_a_policy_that_follows_the_phases_is_told_switch_by_switch(phases):
    events = events_of(phases, (0.75, "full"), (1.5, "off"), (2.15, "full"))
    text = "\n".join(told(phases, events))
    assert re.findall(r"(\w+) → (\w+)", text) == [("off", "full"), ("full", "off"), ("off", "full")]
    assert "nothing to gain" not in text
    assert re.findall(r"→ (\w+) (\S+) s after", switched(events)) == [
        ("full", "0.05"),
        ("off", "0.80"),
        ("full", "1.45"),
    ]


def test_what_was_gained_is_the_pinned_phase_against_the_last_one(phases):
    assert gained(phases) == pytest.approx(1.5)
    assert gained(phases[:1]) is None


def test_the_picture_has_a_band_of_who_was_in_charge(phases, tmp_path):
    events = events_of(phases, (0.75, "full"))
    plot_timeline(events, tmp_path / "with.png")
    plot_timeline([{**one, "control": AUTO} for one in events], tmp_path / "auto.png")
    assert (tmp_path / "with.png").read_bytes() != (tmp_path / "auto.png").read_bytes()
    plain = [{key: one[key] for key in ("t", "ratio", "state")} for one in events]
    plot_timeline(plain, tmp_path / "plain.png")
    assert (tmp_path / "plain.png").read_bytes().startswith(b"\x89PNG")
