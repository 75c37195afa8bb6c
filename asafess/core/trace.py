"""A recorded run, as lines of plain data: what was seen, what was decided, and what was done.

The first line is a header; each of the others has a `kind`. What a moment's line holds is enough to decide again,
under any policy, without the cluster, the program and the optimizations: see `asafess.core.replay`. Lines may be
missing at the beginning (old files of a rotated trace are dropped) and the last one may be cut.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from asafess.core.assessment import Assessment
from asafess.core.controller import Moment
from asafess.core.declaration import RESERVED, Declaration
from asafess.core.domain import Domain
from asafess.core.mode import Rates, Sample
from asafess.core.state import Switch

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened between two moments.

    Kinds: *control*: who is in charge of an optimization from then on. *reset*: a cold start. *state*: the states from
    then on, which no moment decided: at the beginning of the trace, and after a start from the rates. *empty*: nothing
    was scheduled.
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
    >>> seen = Assessment({"off": "on", "on": "on"}, {"off": 0.05, "on": 0.01}, 0.05)
    >>> moment = Moment(1.0, 0.05, {}, {"codec": seen}, {"codec": "off"}, {"codec": "on"}, {"codec": "on"}, {})
    >>> line = moment_line(moment)
    >>> line["of"]["codec"]["costs"]
    {'off': 0.05, 'on': 0.01}
    >>> moment_of(line) == moment
    True
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
        line["scheduled"] = [[one.type, one.count, one.queued, dict(one.load)] for one in sample.scheduled]
        line["fresh"] = sample.fresh
        line["measured"] = dict(sample.measured)
    if totals is not None:
        line["totals"] = dict(totals)
    return line


def moment_of(line: Mapping[str, Any]) -> Moment:
    """Read what `moment_line` wrote; what stood there of the sample is left out.

    Raises
    ------
    KeyError, TypeError, ValueError
        The line is not one of a moment.
    """
    of = line["of"]
    return Moment(
        float(line["time"]),
        float(line["elapsed"]),
        {str(axis): math.inf if value is None else float(value) for axis, value in line["vector"].items()},
        {
            name: Assessment(
                {str(state): str(says) for state, says in one["domain"].items()},
                None if one["costs"] is None else {str(s): float(seconds) for s, seconds in one["costs"].items()},
                float(one["switch"]),
            )
            for name, one in of.items()
        },
        {name: str(one["before"]) for name, one in of.items()},
        {name: str(one["wanted"]) for name, one in of.items()},
        {name: str(one["after"]) for name, one in of.items()},
        {name: str(one["held_back"]) for name, one in of.items() if "held_back" in one},
    )


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


def read(lines: Iterable[str]) -> Trace:
    """Return the trace in some lines of JSON.

    Raises
    ------
    ValueError
        There is no header among the lines, or it is of another format.

    Examples
    --------
    >>> read(["{}"])
    Traceback (most recent call last):
    ...
    ValueError: this is no trace of asafess: none of its 1 lines is a header
    """
    trace: Trace | None = None
    pending: list[Mapping[str, Any]] = []
    count = damaged = 0
    for text in filter(str.strip, lines):
        count += 1
        try:
            line = json.loads(text)
            header = line["kind"] == "trace"
        except (KeyError, TypeError, ValueError, RecursionError):
            damaged += 1
            continue
        if not header:
            pending.append(line)
        elif trace is None:  # each file of a rotated trace has one
            trace = _trace(line)
    if trace is None:
        raise ValueError(f"this is no trace of asafess: none of its {count} lines is a header")
    for line in pending:
        try:
            _add(trace, line)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
            damaged += 1
    trace.damaged = damaged
    return trace


def _trace(line: Mapping[str, Any]) -> Trace:
    if line.get("format") != FORMAT:
        raise ValueError(f"this trace has format {line.get('format')!r}; this version of asafess reads {FORMAT}")
    try:
        return Trace(dict(line["settings"]), _declarations(line["optimizations"]))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"the header of this trace is damaged: {error!r}") from None


def _declarations(optimizations: Iterable[Mapping[str, Any]]) -> list[Declaration]:
    return [
        Declaration(
            name=str(one["name"]),
            states=tuple(one["states"]),
            domain=_recorded,
            dwell=float(one["dwell"]),
            switch_seconds=float(one["switch_seconds"]),
            conflicts=tuple(one["conflicts"]),
            demands=one["demands"],
        )
        for one in optimizations
    ]


def _recorded(rates: Rates) -> Domain:
    raise TypeError("what the domain says is in the moments of the trace")


def _add(trace: Trace, line: Mapping[str, Any]) -> None:
    """Add what a line says; raise when it does not fit the header, so that whoever uses a trace need not look."""
    kind = line["kind"]
    states = {one.name: one.states for one in trace.declarations}
    if kind == "moment":
        moment = moment_of(line)
        _expect(moment.assessments.keys() == states.keys() and 0 <= moment.elapsed < math.inf)
        for name, seen in moment.assessments.items():
            known = set(states[name])
            costs = dict.fromkeys(known, 0.0) if seen.costs is None else seen.costs
            _expect(seen.domain.keys() == known == costs.keys() and known.issuperset(seen.domain.values()))
            _expect({moment.before[name], moment.wanted[name], moment.after[name]} <= known)
            _expect(all(0 <= seconds < math.inf for seconds in (seen.switch, *costs.values())))
        _expect(math.isfinite(moment.time))
        trace.entries.append(moment)
    elif kind == "event":
        event = Event(float(line["time"]), str(line["event"]), {str(k): str(v) for k, v in line["of"].items()})
        more = RESERVED if event.kind == "control" else ()
        _expect(math.isfinite(event.time) and all(one in (*states[name], *more) for name, one in event.of.items()))
        trace.entries.append(event)
    elif kind == "switch":
        switch = Switch(*(line[one] for one in ("time", "optimization", "before", "after", "cause")))
        _expect(math.isfinite(switch.time) and {switch.before, switch.after} <= set(states[switch.optimization]))
        trace.switches.append(switch)
    elif kind == "measured":
        run = {"optimization": line["optimization"], "arm": line["arm"], "seconds": float(line["seconds"])}
        _expect(run["optimization"] in states and 0 < run["seconds"] < math.inf)
        trace.measured.append(run)
    else:
        raise KeyError(kind)


def _expect(fits: bool) -> None:
    if not fits:
        raise ValueError("this line does not fit the header of its trace")
