"""Runs to score policies on: generated ones, and recorded ones.

A generated run is a signal: by how much the better of two states is better, at each tick. From the signal follow
samples, and from these, through the real controller, the windowed mode, what the efficiency domain says, and costs.
The optimization is a form of data that is compact to move and slow to compute with: *on*, an eighth of the bytes is
moved, and computing takes eight times as long. So with r the computation-to-communication ratio, in units of the
seconds of moving::

    off: r + 1        on: 8 r + 1/8

They break even at r = 1/8. The band is where neither costs more than 5 % more than the other, as in the defaults of
asafess. What is scheduled is always a second's worth of work. The run is recorded as if someone who knows had pinned
the better state at each tick: so a tick's work costs one tick in the better state, and more in the other.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from asafess.core.controller import Controller
from asafess.core.declaration import Declaration
from asafess.core.domain import Domain, band
from asafess.core.mode import Rates, Sample, Scheduled, total_load
from asafess.core.score import RECORDED, Steps, check, steps
from asafess.core.trace_reader import read

TICK, WINDOW = 0.05, 1.0
#: the relative excess that the band admits
EXCESS = 0.05
#: by how much the time of a fixed state may be predicted wrong in a trace that is scored
BAR = 0.1
#: by how much *on* moves less and computes longer
FACTOR = 8.0
RATES = Rates(flop=1e9, memory=1e9, link=1e8)
OFF, ON = STATES = ("off", "on")
#: the relative excess of the worse state
AMPLITUDES = {"small": 0.2, "middle": 1.0, "large": 5.0}
PHASES = (1, 2, 3, 5, 10, 20, 40, 80, 200)
#: ticks between two bursts
QUIET = 200

#: at each tick the relative excess of *off* over *on*; negative: minus that of *on* over *off*
Signal = np.ndarray


@dataclass(frozen=True)
class Run:
    """What policies are scored on."""

    name: str
    family: str
    #: ticks that a phase lasts; of bursts, the short one
    phase_ticks: int
    steps: Steps
    dwell: float = 0.0
    excess: float = EXCESS


# ---- from a signal to what a policy sees


def ratio(excess: float) -> float:
    """Return the computation-to-communication ratio at a value of the signal.

    >>> ratio(0.0), round(ratio(1.0), 3), round(ratio(-1.0), 3)
    (0.125, 0.05, 0.312)
    """
    more = 1 + abs(excess)
    if more >= FACTOR:
        raise ValueError(f"the worse state costs less than {FACTOR:g} times the better one, not {more:g} times")
    return (1 - more / FACTOR) / (more * FACTOR - 1) if excess >= 0 else (more - 1 / FACTOR) / (FACTOR - more)


def seconds(computing: float, moving: float) -> dict[str, float]:
    """Return what work costs in each state, given the seconds of its two parts in *off*."""
    return {OFF: computing + moving, ON: computing * FACTOR + moving / FACTOR}


def _costs(sample: Sample) -> dict[str, float]:
    load = total_load(sample.scheduled)
    return seconds(load["compute"] / RATES.flop, load["communication"] / RATES.link)


def _domain(rates: Rates) -> Domain:
    return Domain(STATES, [band(ratio(EXCESS), ratio(-EXCESS))])


CODEC = Declaration("codec", STATES, _domain, costs=_costs)


def sample_at(time: float, excess: float) -> Sample:
    """Return a sample with a second's worth of work at a value of the signal."""
    r = ratio(excess)
    moving = 1.0 / min(seconds(r, 1.0).values())
    load = {"compute": r * moving * RATES.flop, "communication": moving * RATES.link}
    return Sample(time, (Scheduled("work", 1, load),), threads=1, workers=1, rates=RATES)


def recorded_from(signal: Signal) -> Steps:
    """Return what the real controller knows at each tick of a signal."""
    controller = Controller([CODEC], name="generated", window=WINDOW, tick=TICK)
    times = [TICK * tick for tick in range(len(signal))]
    assessments = []
    for time, excess in zip(times, signal, strict=True):
        controller.control(time, CODEC.name, ON if excess > 0 else OFF)
        controller.observe(sample_at(time, float(excess)))
        assert controller.moment is not None
        assessments.append(controller.moment.assessments[CODEC.name])
    return Steps(STATES, times, assessments, OFF)


# ---- signals


def square(length: int, phase: int, amplitude: float) -> Signal:
    """Return phases of equal length; the first is one of computing."""
    return np.where(np.arange(length) // phase % 2, amplitude, -amplitude)


def bursts(length: int, phase: int, amplitude: float) -> Signal:
    """Return long phases of computing with short ones of moving between them."""
    return np.where(np.arange(length) % (QUIET + phase) < QUIET, -amplitude, amplitude)


def ramps(length: int, phase: int, amplitude: float) -> Signal:
    """Return a signal that drifts up and down evenly, and is on either side of break-even for a phase."""
    return amplitude * 2 / np.pi * np.arcsin(np.sin((np.arange(length) + 0.5) * np.pi / phase + np.pi))


def noise(length: int, amplitude: float, rng: np.random.Generator) -> Signal:
    """Return white noise around break-even."""
    return rng.uniform(-amplitude, amplitude, length)


def walk(length: int, amplitude: float, rng: np.random.Generator) -> Signal:
    """Return a random walk of steps of a twentieth of the amplitude, reflected at its ends."""
    far = np.cumsum(rng.normal(0, amplitude / 20, length)) + amplitude
    return np.abs(np.mod(far, 4 * amplitude) - 2 * amplitude) - amplitude


def generated(small: bool = False, seed: int = 1) -> Iterator[Run]:
    """Yield the generated runs, the same ones for a seed."""
    length = 500 if small else 2000
    phases = (1, 5, 20, 80) if small else PHASES
    rng = np.random.default_rng(seed)

    def run(name: str, family: str, signal: Signal, phase: int | None = None) -> Run:
        recorded = recorded_from(signal)
        return Run(name, family, phase or phase_length(recorded), recorded)

    periodic: dict[str, Callable[[int, int, float], Signal]] = {"square": square, "bursts": bursts, "drift": ramps}
    for word, amplitude in AMPLITUDES.items():
        for family, make in periodic.items():
            for phase in phases:
                if family != "bursts" or phase < QUIET / 2:
                    yield run(f"{family} {word} {phase}", family, make(length, phase, amplitude), phase)
        for phase in phases:
            # large enough that now and then a tick is on the wrong side
            noisy = square(length, phase, amplitude) + noise(length, 1.2 * amplitude, rng)
            yield run(f"noisy square {word} {phase}", "noise", np.clip(noisy, -6, 6), phase)
        yield run(f"noise {word}", "noise", noise(length, amplitude, rng))
        yield run(f"walk {word}", "drift", walk(length, amplitude, rng))
    yield run("noise inside the band", "noise", noise(length, EXCESS, rng))


# ---- recorded runs


def phase_length(run: Steps, excess: float = EXCESS) -> int:
    """Return how many samples a phase has: half of all samples lie in phases that have at least as many.

    A phase lasts as long as one state costs no more than the cheapest, but for the excess that a band may admit.
    """
    phase, state, numbers = 0, -1, []
    for costs in run.costs:
        if state < 0 or costs[state] > (1 + excess) * min(costs):
            phase, state = phase + 1, costs.index(min(costs))
        numbers.append(phase)
    lengths = sorted((len(list(group)) for _, group in groupby(numbers)), reverse=True)
    sums = np.cumsum(lengths)
    return lengths[int(np.searchsorted(sums, sums[-1] / 2))]


def recorded(folder: Path, say: Callable[[str], object], every: bool = False) -> Iterator[Run]:
    """Yield each optimization that predicts costs in each trace of a folder, or `every` one; say what is left out."""
    paths = sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")])
    if not paths:
        say(f"no recorded traces: there is no *.jsonl or *.jsonl.gz in {folder}")
    for path in paths:
        try:
            with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
                trace = read(lines)
        except (OSError, EOFError, ValueError) as error:
            say(f"{path.name}: skipped: {error}")
            continue
        excess = float(trace.settings.get("excess", EXCESS))
        for one in trace.declarations:
            try:
                run = steps(trace, one.name)
            except ValueError as error:
                say(f"{path.name}: {error}")
                continue
            if not math.fsum(min(costs) for costs in run.costs):
                say(f"{path.name}: {one.name!r} costs nothing in its best state: there is nothing to compare with")
                continue
            errors = [f"{found.state} {found.error:+.0%}" for found in check(trace, one.name) if abs(found.error) > BAR]
            if errors and not every:
                say(f"{path.name}: left out, because a score of it does not count: predicted {', '.join(errors)}")
                continue
            name = f"{path.name.removesuffix('.gz').removesuffix('.jsonl')}: {one.name}"
            yield Run(name, RECORDED, phase_length(run, excess), run, one.dwell, excess)
