"""The picture's run of the demo: what was slow, what `asafess` switched, when and why, and what each sweep took.

Four phases of the block product. First compression is pinned to *off*, as in a process without `asafess`, while panels
move. Then it is given back to its policy, with `asafess.auto`, and they move on; then they are multiplied where they
are; then they move again. `bench.demo` runs it after the timed runs, on the same cluster and matrix.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

import asafess

from .timeline import events

if TYPE_CHECKING:
    from asafess.workloads.placement import Placement

    from .demo import Program

#: seconds of a phase, at least
LENGTH = 0.7
PINNED, AUTO = "pinned", "auto"
MOVE, STAY = "panels move", "panels stay"
#: what a phase does, and who is in charge of compression then
PHASES: Sequence[tuple[Placement, str, str]] = (
    ("stream", MOVE, PINNED),
    ("stream", MOVE, AUTO),
    ("resident", STAY, AUTO),
    ("stream", MOVE, AUTO),
)


def story(program: Program) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Run the phases; return the phases, and mode and states over time.

    Returns
    -------
    phases : list of dict
        Of each, ``phase`` (what it does), ``control`` (*pinned* or *auto*), ``t`` (when it began, in seconds since the
        first sample), ``sweeps`` and ``sweep_seconds``, the median.
    events : list of dict
        As of `bench.timeline`, each with the ``phase`` and the ``control`` that it belongs to.

    Raises
    ------
    RuntimeError
        A sweep came to a wrong result.
    """
    client, sweeps = program.client, program.sweeps
    program.prepare("dense")  # pins to off and starts cold
    program.sweeps = 1
    phases: list[dict[str, Any]] = []
    try:
        for placement, name, control in PHASES:
            if control == AUTO:
                asafess.auto(client, "tile_compression")
            now = asafess.status(client)
            in_charge = AUTO if now["controls"]["tile_compression"] == AUTO else PINNED
            phases.append({"phase": name, "control": in_charge, "t": now["time"]})
            took = _sweeps(program, placement)
            phases[-1] |= {"sweeps": len(took), "sweep_seconds": median(took)}
    finally:
        program.sweeps = sweeps
    status = asafess.status(client)
    first = status["story"][0]["time"]
    for phase in phases:
        phase["t"] = max(0.0, phase["t"] - first)
    return phases, marked(events(status), phases)


def _sweeps(program: Program, placement: Placement) -> list[float]:
    """Run sweeps for the length of a phase and check them; return the seconds that each of them took."""
    took: list[float] = []
    expected = program.expected()
    while sum(took) < LENGTH:
        start = time.perf_counter()
        _, total = program.run("adaptive", placement).value
        took.append(time.perf_counter() - start)
        if not np.allclose(total, expected, rtol=1e-8, atol=0):
            raise RuntimeError(f"a sweep came to a wrong result: off by {np.max(np.abs(total - expected)):g}")
    return took


def marked(events: Sequence[Mapping[str, Any]], phases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the events, each with the phase that it belongs to and who was in charge, in words for a picture.

    Examples
    --------
    >>> phases = [{"t": 0.0, "phase": MOVE, "control": PINNED, "sweep_seconds": 0.09},
    ...           {"t": 0.7, "phase": MOVE, "control": AUTO, "sweep_seconds": 0.05}]
    >>> for one in marked([{"t": 0.0}, {"t": 0.65}, {"t": 0.7}], phases):
    ...     print(one)
    {'t': 0.0, 'phase': 'panels move: 90 ms a sweep', 'control': 'pinned'}
    {'t': 0.65, 'phase': 'panels move: 90 ms a sweep', 'control': 'pinned'}
    {'t': 0.7, 'phase': 'panels move: 50 ms a sweep', 'control': 'auto'}
    """
    starts = [phase["t"] for phase in phases]
    of = [phases[max(bisect_right(starts, event["t"]) - 1, 0)] for event in events]
    return [
        {**event, "phase": f"{phase['phase']}: {_took(phase)}", "control": phase["control"]}
        for event, phase in zip(events, of, strict=True)
    ]


def _took(phase: Mapping[str, Any]) -> str:
    return f"{1000 * phase['sweep_seconds']:.0f} ms a sweep"


def told(phases: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the story in lines: each phase, and the switches in it with their causes.

    Examples
    --------
    >>> phases = [
    ...     {"t": 0.0, "phase": MOVE, "control": PINNED, "sweeps": 8, "sweep_seconds": 0.09},
    ...     {"t": 0.7, "phase": MOVE, "control": AUTO, "sweeps": 14, "sweep_seconds": 0.05},
    ...     {"t": 1.4, "phase": STAY, "control": AUTO, "sweeps": 35, "sweep_seconds": 0.02},
    ... ]
    >>> events = [{"t": t, "state": "off" if t < 0.7 else "full", "cause": None} for t in (0.0, 0.6, 0.7, 1.3, 1.5)]
    >>> owed = "off has cost 0.11 s more than full would have (a switch there and back costs 0.1 s)"
    >>> events[2]["cause"] = f"{owed}; zeros 0.8 is above 0.1"
    >>> for line in told(phases, marked(events, phases)):
    ...     print(line)
      0.00 s  panels move, pinned to off as without asafess                         90 ms a sweep
      0.70 s  panels move, given back to its policy                                 50 ms a sweep
      0.70 s      off → full: off has cost 0.11 s more than full would have (a switch there and back costs 0.1 s)
      1.40 s  panels stay, nothing to gain: it remains in full                      20 ms a sweep
    """
    lines: list[tuple[float, str]] = []
    state = events[0]["state"]
    before = None
    for number, phase in enumerate(phases):
        end = phases[number + 1]["t"] if number + 1 < len(phases) else float("inf")
        own = [event for event in events if phase["t"] <= event["t"] < end]
        changes = []
        for event in own:
            if event["state"] != state:
                cause = (event["cause"] or "").split("; ")[0]
                changes.append((event["t"], f"    {state} → {event['state']}: {cause}"))
                state = event["state"]
        if phase["control"] == PINNED:
            about = f"pinned to {state} as without asafess"
        elif before == PINNED:
            about = "given back to its policy" + (
                "" if changes else f": too little to gain so far, it remains in {state}"
            )
        elif changes:
            about = "it follows"
        else:
            about = f"nothing to gain: it remains in {state}" if phase["phase"] == STAY else f"it remains in {state}"
        before = phase["control"]
        lines += [(phase["t"], f"{phase['phase'] + ', ' + about:<67}{_took(phase):>16}"), *changes]
    return [f"{t:6.2f} s  {line}" for t, line in lines]


def gained(phases: Sequence[Mapping[str, Any]]) -> float | None:
    """Return how many times as long a sweep takes pinned as after the policy has had its way; None: no such phases.

    Examples
    --------
    >>> gained([{"phase": MOVE, "control": PINNED, "sweep_seconds": 0.09},
    ...         {"phase": MOVE, "control": AUTO, "sweep_seconds": 0.06}])
    1.5
    """
    found = {(phase["phase"], phase["control"]): phase["sweep_seconds"] for phase in phases}  # the last of its kind
    pinned, auto = found.get((MOVE, PINNED)), found.get((MOVE, AUTO))
    return pinned / auto if pinned and auto else None


def switched(events: Sequence[Mapping[str, Any]]) -> str:
    """Return in a clause what was switched when the policy was in charge, when, and why.

    Examples
    --------
    >>> events = [{"t": 0.1, "state": "off", "control": PINNED, "cause": None},
    ...           {"t": 0.7, "state": "off", "control": AUTO, "cause": None},
    ...           {"t": 0.8, "state": "full", "control": AUTO, "cause": "off has cost 0.1 s more; zeros above 0.1"}]
    >>> switched(events)
    'its policy switched off → full 0.10 s after it was in charge (off has cost 0.1 s more)'
    >>> switched(events[:2])
    'its policy left it there: too little was to gain for a switch'
    """
    decided = [event for event in events if event["control"] == AUTO]
    state = events[0]["state"]
    clauses: list[str] = []
    for event in decided:
        if event["state"] != state:
            after = event["t"] - decided[0]["t"]
            cause = (event["cause"] or "").split("; ")[0]
            when = "at once" if after < 0.05 else f"{after:.2f} s after it was in charge"
            clauses.append(f"{state} → {event['state']} {when} ({cause})")
            state = event["state"]
    if not clauses:
        return "its policy left it there: too little was to gain for a switch"
    return "its policy switched " + ", ".join(clauses)
