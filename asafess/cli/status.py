"""``asafess status``: what is on, who is in charge, and why."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import click

from asafess.cli.connection import on_cluster, to_cluster
from asafess.cli.text import number, rate

#: switches that are shown
LATEST = 5


@click.command()
@to_cluster
@click.option("--json", "as_json", is_flag=True, help="Print everything, as JSON; what is infinite is null there.")
def status(address: str, as_json: bool, timeout: float) -> None:
    """Say what is on, who is in charge, and why.

    ADDRESS is the scheduler's.
    """
    from asafess.cluster.steer import status

    found = on_cluster(address, timeout, status)
    if as_json:
        click.echo(json.dumps(_finite(found)))
        return
    for line in status_lines(found):
        click.echo(line)


def _finite(found: Any) -> Any:
    """Return plain data as JSON has it: it knows no infinity."""
    if isinstance(found, Mapping):
        return {str(name): _finite(value) for name, value in found.items()}
    if isinstance(found, list | tuple):
        return [_finite(value) for value in found]
    return None if isinstance(found, float) and not math.isfinite(found) else found


def status_lines(status: Mapping[str, Any]) -> Iterator[str]:
    """Return a status for people, line by line.

    Parameters
    ----------
    status : mapping
        As from `asafess.status`.
    """
    yield f"{workers_line(status)}; policy: {status['policy']}"
    yield f"fault: {status['fault'] or 'none'} ({status['counters'].get('faults', 0)} counted)"
    mode = status["mode"]
    yield f"mode: ratio {number(mode.get('ratio'))}, zeros {number(mode.get('zeros'))}"
    rates = status["rates"]
    yield "rates: " + (
        "not known yet" if rates is None else ", ".join(f"{name} {rate(name, value)}" for name, value in rates.items())
    )
    for name in status["states"]:
        yield ""
        yield from _optimization_lines(status, name)
    yield ""
    yield from _switch_lines(status)
    trace = status["trace"]
    yield "trace: " + (
        f"{trace['path']} on the scheduler's machine, {trace['written']} lines, {trace['dropped']} dropped"
        if trace
        else "none"
    )


def workers_line(status: Mapping[str, Any]) -> str:
    """Return how many workers take part."""
    return f"workers that take states: {len(status['ready'])} of {status['workers']}"


def headline(status: Mapping[str, Any], name: str) -> str:
    """Return the state of an optimization and who is in charge of it."""
    control = status["controls"][name]
    if control == "auto":
        charge = "auto"
    elif control == "shadow":
        charge = f"in shadow: it would be in {status['shadows'][name]}"
    else:
        charge = "pinned"
    return f"{name}: {status['states'][name]} ({charge})"


def _optimization_lines(status: Mapping[str, Any], name: str) -> Iterator[str]:
    yield headline(status, name)
    decision = status["decisions"].get(name)
    if decision is None:
        yield "  policy wants: nothing yet, no task with a type has been seen"
    else:
        gains = [f"{state} {100 * gain:.3g} %" for state, gain in decision["gain"].items()]
        yield f"  policy wants: {decision['wanted']}"
        yield f"  predicted gain of time: {', '.join(gains) or 'not known'}"
        yield f"  held back by: {decision['held_back'] or 'nothing'}"
        yield f"  a switch costs: {decision['switch_seconds']:.3g} s"
    thresholds = status["thresholds"][name]
    told = [f"{key} {value if isinstance(value, str) else number(value)}" for key, value in thresholds.items()]
    if told:
        yield f"  thresholds: {', '.join(told)}"


def _switch_lines(status: Mapping[str, Any]) -> Iterator[str]:
    switches = status["switches"]
    shadow = sum(one["shadow"] for one in switches)
    also = f" (and {shadow} that optimizations in shadow would have made)" if shadow else ""
    yield f"switches: {status['counters'].get('switches', 0)}{also}"
    for one in switches[-LATEST:]:
        ago, shadow = status["time"] - one["time"], "in shadow, " if one["shadow"] else ""
        yield f"  {ago:.1f} s ago: {shadow}{one['optimization']} {one['before']} -> {one['after']}: {one['cause']}"
