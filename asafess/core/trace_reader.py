"""Reading a trace: lines of JSON, of which some may be cut, damaged or missing."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from asafess.core.assessment import Assessment
from asafess.core.controller import Controller
from asafess.core.declaration import RESERVED, Declaration
from asafess.core.domain import Domain
from asafess.core.mode import Rates, Sample, Scheduled
from asafess.core.moment import Moment
from asafess.core.state import Switch
from asafess.core.trace import FORMAT, Event, Trace


def read(lines: Iterable[str]) -> Trace:
    """Return the trace in some lines of JSON.

    Raises
    ------
    ValueError
        There is no header among the lines, or it is of another format, or has settings that no controller takes.

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
        settings, declarations = dict(line["settings"]), _declarations(line["optimizations"])
        Controller(declarations, name="trace", **settings)  # say now what it refuses
        return Trace(settings, declarations)
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
    """Add what a line says.

    Raises when it does not fit the header, so that whoever uses a trace need not look.
    """
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
        of = {str(name): str(one) for name, one in line["of"].items()}
        event = Event(float(line["time"]), str(line["event"]), of)
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


def moment_of(line: Mapping[str, Any]) -> Moment:
    """Read what `asafess.core.trace.moment_line` wrote; what stood there of the sample is left out.

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


def sample_of(line: Mapping[str, Any]) -> Sample:
    """Read what `asafess.core.trace.sample_line` wrote.

    Examples
    --------
    >>> from asafess.core.trace import sample_line
    >>> sample = Sample(1.0, (Scheduled("move", 2, {"communication": 8.0}),), 4, 2, Rates(1e9, 1e9, 1e8), zeros=0.5)
    >>> sample_of(sample_line(sample)) == sample
    True
    """
    rates = line["rates"]
    return Sample(
        line["time"],
        tuple(
            Scheduled(type_, count, load, queued, worker) for type_, count, load, queued, worker in line["scheduled"]
        ),
        line["threads"],
        line["workers"],
        None if rates is None else Rates(*rates),
        line["zeros"],
        line["fresh"],
        line["measured"],
        line.get("seconds", 0.0),  # older traces have none
    )
