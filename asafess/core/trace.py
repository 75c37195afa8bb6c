"""A recorded run, as lines of plain data: what was seen, what was decided, and what was done.

The first line is a header; each of the others has a `kind`. What a moment's line holds is enough to decide again,
under any policy, without the cluster, the program and the optimizations: see `asafess.core.replay`. Lines may be
missing at the beginning (old files of a rotated trace are dropped) and the last one may be cut.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from asafess.core.declaration import Declaration
from asafess.core.mode import Sample
from asafess.core.moment import Moment
from asafess.core.state import Switch

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened between two moments.

    Kinds: *control*: who is in charge of an optimization from then on. *reset*: a cold start. *state*: the states from
    then on, which no moment decided (in shadow: those that it would be in): at the beginning of the trace, and after a
    start from the rates. *empty*: nothing was scheduled.
    """

    time: float
    kind: str
    #: by optimization: the control, or the state
    of: Mapping[str, str]


@dataclass(slots=True)
class Trace:
    """What a recorded run says.

    Parameters
    ----------
    settings : mapping
        Of the controller: `tick`, `window`, `policy`, `excess`, `budgets`, `switches_per_minute`.
    declarations : sequence of Declaration
        Of its optimizations; their domains and costs are in the moments instead.
    entries : list of Moment or Event
        In the order of time.
    switches : list of Switch
        With their causes.
    measured : list of dict
        Other runs of the same program: `optimization`, `arm`, `seconds`, where a harness has added them.
    damaged : int
        Lines that could not be read.
    """

    settings: Mapping[str, Any]
    declarations: Sequence[Declaration]
    entries: list[Moment | Event] = field(default_factory=list)
    switches: list[Switch] = field(default_factory=list)
    measured: list[dict[str, Any]] = field(default_factory=list)
    damaged: int = 0

    @property
    def moments(self) -> list[Moment]:
        """Only the moments."""
        return [entry for entry in self.entries if isinstance(entry, Moment)]


def header_line(
    settings: Mapping[str, Any], declarations: Iterable[Declaration], time: float, wall: float
) -> dict[str, Any]:
    """Return the line of the header; `time` and `wall` are the same moment on the samples' and on the wall's clock."""
    return {
        "kind": "trace",
        "format": FORMAT,
        "time": time,
        "wall": wall,
        "settings": dict(settings),
        "optimizations": [
            {
                "name": one.name,
                "states": list(one.states),
                "dwell": one.dwell,
                "switch_seconds": one.switch_seconds,
                "conflicts": list(one.conflicts),
                "demands": {state: dict(amounts) for state, amounts in one.demands.items()},
            }
            for one in declarations
        ],
    }


def moment_line(
    moment: Moment, sample: Sample | None = None, totals: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Return the line of a moment, and with it the sample and the workers' running totals for those who look closer.

    Examples
    --------
    >>> from asafess.core.assessment import Assessment
    >>> seen = Assessment({"off": "on", "on": "on"}, {"off": 0.05, "on": 0.01}, 0.05)
    >>> moment = Moment(1.0, 0.05, {}, {"codec": seen}, {"codec": "off"}, {"codec": "on"}, {"codec": "on"}, {})
    >>> line = moment_line(moment)
    >>> line["of"]["codec"]["costs"]
    {'off': 0.05, 'on': 0.01}
    """
    of: dict[str, dict[str, Any]] = {}
    for name, seen in moment.assessments.items():
        of[name] = {
            "domain": dict(seen.domain),
            "costs": None if seen.costs is None else dict(seen.costs),
            "switch": seen.switch,
            "before": moment.before[name],
            "wanted": moment.wanted[name],
            "after": moment.after[name],
        }
        if name in moment.held_back:
            of[name]["held_back"] = moment.held_back[name]
    line: dict[str, Any] = {"kind": "moment", "time": moment.time, "elapsed": moment.elapsed, "of": of}
    # JSON knows no infinity: a ratio is infinite when nothing is to be moved
    line["vector"] = {axis: value if math.isfinite(value) else None for axis, value in moment.vector.items()}
    if sample is not None:
        line["sample"] = sample_line(sample)
    if totals is not None:
        line["totals"] = dict(totals)
    return line


def sample_line(sample: Sample) -> dict[str, Any]:
    """Return a sample as plain data; `asafess.core.trace_reader.sample_of` reads it."""
    rates = sample.rates
    return {
        "time": sample.time,
        "scheduled": [[one.type, one.count, dict(one.load), one.queued, one.worker] for one in sample.scheduled],
        "threads": sample.threads,
        "workers": sample.workers,
        "rates": None if rates is None else [rates.flop, rates.memory, rates.link, dict(rates.extra)],
        "zeros": sample.zeros,
        "fresh": sample.fresh,
        "measured": dict(sample.measured),
        "seconds": sample.seconds,
    }


def event_line(event: Event) -> dict[str, Any]:
    """Return the line of an event."""
    return {"kind": "event", "time": event.time, "event": event.kind, "of": dict(event.of)}


def switch_line(switch: Switch) -> dict[str, Any]:
    """Return the line of a switch; moments say the same, without the cause."""
    return {"kind": "switch", **asdict(switch)}


def measured_line(optimization: str, arm: str, seconds: float) -> dict[str, Any]:
    """Return the line of a run of the same program, which a harness adds to compare the trace's prediction with.

    `arm` is the state that the optimization was pinned to, or *recorded* for the run that the trace is of.
    """
    return {"kind": "measured", "optimization": optimization, "arm": arm, "seconds": seconds}
