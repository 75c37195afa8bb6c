"""``asafess status``: what is on, who is in charge, and why."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import click

from asafess.cli.connection import on_cluster, to_cluster
from asafess.cli.legend import legend_below
from asafess.cli.text import number, rate

#: switches that are shown
LATEST = 5
#: percent below which two predicted times are the same
LEAST_SHARE = 0.05


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
    yield from legend_below([*_lines(status)])


def _lines(status: Mapping[str, Any]) -> Iterator[str]:
    yield f"{workers_line(status)}; policy: {status['policy']}"
    yield f"fault: {status['fault'] or 'none'} ({status['counters'].get('faults', 0)} counted)"
    yield f"now: {_now(status)}"
    mode = status["mode"]
    yield f"mode{' of the last tasks' if status['idle'] and mode else ''}: " + (
        f"ratio {number(mode.get('ratio'))}, zeros {number(mode.get('zeros'))}"
    )
    yield from _rate_lines(status["rates"])
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


def _now(status: Mapping[str, Any]) -> str:
    if status["fault"]:
        return "everything is off, because of the fault"
    if status["rates"] is None:
        return "the cluster's rates are being measured; until then everything stays as it is"
    if status["idle"]:
        return "nothing of a known type is scheduled; every state stays as it is until tasks come"
    return "tasks are scheduled, and decided on"


def _rate_lines(rates: Mapping[str, float] | None) -> Iterator[str]:
    if rates is None:
        yield "rates: not known yet"
        return
    told = {name: f"{name} {rate(name, value)}" for name, value in rates.items()}
    yield f"rates: {told.pop('flop')}, {told.pop('memory')} (of a thread), {told.pop('link')} (of a worker)"
    if told:
        yield f"  for single optimizations: {', '.join(told.values())}"


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


def waiting_lines(status: Mapping[str, Any], name: str) -> Iterator[str]:
    """Return that a change of who is in charge shows with the next tasks only, where it does."""
    before = status["handed_over"].get(name)
    if before is None or status["fault"] or status["controls"][name] not in ("auto", "shadow"):
        return
    when = "nothing scheduled" if status["idle"] else "nothing decided since then"
    if status["controls"][name] == "shadow":
        yield f"  {when}: what it would do shows when tasks come"
    else:
        yield f"  {when}: stays as {'in shadow' if before == 'shadow' else 'pinned'} until tasks come"


def _optimization_lines(status: Mapping[str, Any], name: str) -> Iterator[str]:
    yield headline(status, name)
    if status["fault"]:
        return
    yield from waiting_lines(status, name)
    decision = status["decisions"].get(name)
    if decision is None:
        yield "  its policy wants: nothing yet, no task with a type has been seen"
    else:
        past = status["idle"] or name in status["handed_over"]
        yield f"  {'for the last tasks its policy wanted' if past else 'its policy wants'}: {decision['wanted']}"
        yield f"  predicted time, compared with {_gains(decision['gain'])}"
        if decision["held_back"]:
            yield f"  {'then' if past else 'now'} held back by: {decision['held_back']}"
        yield f"  a switch costs: {decision['switch_seconds']:.3g} s"
    thresholds = status["thresholds"][name]
    told = [f"{key} {value if isinstance(value, str) else number(value)}" for key, value in thresholds.items()]
    if told:
        yield f"  thresholds: {', '.join(told)}"


def _gains(gain: Mapping[str, float]) -> str:
    """Return how much less or more time each state is predicted to take than the first one."""
    first, *others = gain or ("the first state",)
    told = []
    for state in others:
        share = 100 * abs(gain[state])
        much = "as long" if share < LEAST_SHARE else f"{share:.3g} % {'less' if gain[state] > 0 else 'more'}"
        told.append(f"{state} {much}")
    return f"{first}: {', '.join(told) or 'not known'}"


def _switch_lines(status: Mapping[str, Any]) -> Iterator[str]:
    switches = status["switches"]
    shadow = sum(one["shadow"] for one in switches)
    also = f" (and {shadow} that optimizations in shadow would have made)" if shadow else ""
    yield f"switches: {status['counters'].get('switches', 0)}{also}"
    for one in switches[-LATEST:]:
        ago, shadow = status["time"] - one["time"], "only in shadow, " if one["shadow"] else ""
        cause = one["cause"].removeprefix("shadow: ")
        yield f"  {ago:.1f} s ago: {shadow}{one['optimization']} {one['before']} -> {one['after']}: {cause}"
