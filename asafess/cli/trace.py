"""``asafess replay`` and ``asafess score``: what a recorded run decided, and what that cost beside the optimum."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import click

from asafess.cli.outputs import Output, write
from asafess.cli.trace_files import load
from asafess.core.policies import POLICIES
from asafess.core.replay import Decided, Replay
from asafess.core.replay import replay as decide_again
from asafess.core.score import RECORDED, Check, Score, Steps, check, scores, steps
from asafess.core.state import Switch
from asafess.core.switch_limit import LARGEST_LIMIT
from asafess.core.trace import Event, Trace

#: by how much a prediction may miss, for a score to count
BAR = 0.1
#: of the mode vector
SHOWN = ("ratio", "zeros")

_trace = click.argument("path", metavar="TRACE", type=click.Path(path_type=Path))
_json = click.option("--json", type=Output(), help="Write all that is found.")


@click.command()
@_trace
@click.option("--policy", type=click.Choice(POLICIES), help="In place of the recorded one.")
@click.option("--excess", type=float, help="Relative excess of cost that the band admits, 0 to 2.")
@click.option("--switches-per-minute", type=click.IntRange(1, LARGEST_LIMIT), help="Of all optimizations together.")
@click.option("--budget", "budgets", multiple=True, metavar="NAME=AMOUNT", help="May be repeated; others stay.")
@_json
def replay(
    path: Path,
    policy: str | None,
    excess: float | None,
    switches_per_minute: int | None,
    budgets: tuple[str, ...],
    json: str | None,
) -> None:
    """Decide a recorded run again, as it was or under other settings.

    TRACE may be gzipped. Of a rotated trace TRACE.1 is read first. Without options the exit code says whether all
    decisions are as recorded.
    """
    trace = load(path)
    given: dict[str, Any] = {"policy": policy, "excess": excess, "switches_per_minute": switches_per_minute}
    settings = {name: value for name, value in given.items() if value is not None}
    if budgets:
        settings["budgets"] = {**(trace.settings.get("budgets") or {}), **dict(map(_budget, budgets))}
    try:
        again = decide_again(trace, **settings)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise click.ClickException(f"{path} can't be decided again: {error}") from None
    start = trace.moments[0].time
    causes = {_place(one): one.cause for one in trace.switches}
    # what a domain compares is known to the recorded run only
    vectors = {
        one.time: "".join(f", {x} {one.vector[x]:.3g}" for x in SHOWN if x in one.vector) for one in trace.moments
    }
    made = [
        {
            "seconds": one.time - start,
            "optimization": one.optimization,
            "before": one.before,
            "after": one.after,
            "cause": causes.get(_place(one)) or one.cause or f"the efficiency domain{vectors.get(one.time, '')}",
        }
        for one in again.switches
    ]
    click.echo(_described(trace))
    for name in (one.name for one in trace.declarations):
        own = [one for one in made if one["optimization"] == name]
        click.echo(f"{name}: {_counted(len(own), 'switch', 'switches')}")
        for one in own:
            click.echo(f"  {one['seconds']:9.3f} s  {one['before']} -> {one['after']}  {one['cause']}")
    differing = [one for one in again.decided if not one.same]
    click.echo(_compared(trace, again, differing, settings, start))
    if json:
        found = {
            "settings": {**trace.settings, **settings},
            "decisions": len(again.decided),
            "damaged": trace.damaged,
            "differing": [one.moment.time - start for one in differing],
            "recorded_switches": len(trace.switches),
            "switches": made,
        }
        write("--json", json, lambda: Path(json).write_text(json_module.dumps(found, indent=1), encoding="utf-8"))
    if differing and not settings:
        raise SystemExit(1)


def _compared(trace: Trace, again: Replay, differing: list[Decided], settings: dict[str, Any], start: float) -> str:
    total = len(again.decided)
    line = "" if not settings else f"switches: {len(trace.switches)} recorded, {len(again.switches)} replayed; "
    if not differing:
        return line + f"all {total} decisions are as recorded"
    first = differing[0]
    line += f"{len(differing)} of {total} decisions are not as recorded, first at {first.moment.time - start:.3f} s:"
    for name in first.after:
        was = first.moment.wanted[name], first.moment.after[name]
        now = first.wanted[name], first.after[name]
        if was != now:
            line += f"\n  {name}: recorded {_outcome(*was)}; replayed {_outcome(*now)}"
    if not settings:
        line += "\nA trace that begins in the middle of a run does not hold what was remembered of the time before it"
        line += "; nor does one with damaged or dropped lines."
    return line


def _outcome(wanted: str, after: str) -> str:
    return after if wanted == after else f"{after} ({wanted} was wanted)"


def _place(switch: Switch) -> tuple[float, str, str, str]:
    return switch.time, switch.optimization, switch.before, switch.after


def _budget(text: str) -> tuple[str, float]:
    name, _, amount = text.rpartition("=")
    try:
        if name:
            return name, float(amount)
    except ValueError:
        pass
    raise click.BadParameter(f"{text!r} is not of the form NAME=AMOUNT, such as watts=90", param_hint="--budget")


@click.command()
@_trace
@click.option("--optimization", help="Only this one; default: all.")
@click.option("--plot", type=Output(), help="Draw costs and states as a PNG.")
@_json
def score(path: Path, optimization: str | None, plot: str | None, json: str | None) -> None:
    """Say what each policy's decisions cost on a recorded run, beside the exact optimum of the same run.

    First comes the check: the seconds that the trace predicts for fixed states, against runs that were pinned to them,
    where a measurement has added such runs to the trace. Only as far as they agree does a score count.
    """
    if plot and find_spec("matplotlib") is None:
        raise click.UsageError("--plot needs matplotlib: pip install 'asafess[plot]'")
    trace = load(path)
    names = [one.name for one in trace.declarations]
    if optimization is not None and optimization not in names:
        allowed = ", ".join(names) or "none"
        raise click.BadParameter(f"unknown {optimization!r}; in this trace: {allowed}", param_hint="--optimization")
    click.echo(_described(trace))
    scored: dict[str, tuple[Steps, list[Score]]] = {}
    document: dict[str, Any] = {"damaged": trace.damaged, "optimizations": {}}
    for name in names if optimization is None else [optimization]:
        try:
            seen = steps(trace, name)
        except ValueError as error:
            click.echo(f"\n{error}")
            continue
        try:
            scored[name] = seen, _scores(trace, name, seen)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise click.ClickException(f"{path} can't be scored: {error}") from None
        document["optimizations"][name] = _reported(trace, name, *scored[name])
    if json:
        write("--json", json, lambda: Path(json).write_text(json_module.dumps(document, indent=1), encoding="utf-8"))
    if plot and scored:
        from asafess.bench.score_plot import plot_scores

        title = f"Cost against the exact optimum: {path.name}"
        write("--plot", plot, lambda: plot_scores(scored, plot, title=title))
    elif plot:
        click.echo("no picture: there is nothing to draw")


def _scores(trace: Trace, name: str, seen: Steps) -> list[Score]:
    recorded = [one.after[name] for one in trace.moments if one.assessments[name].costs is not None]
    dwell = next(one.dwell for one in trace.declarations if one.name == name)
    return scores(seen, recorded, dwell, float(trace.settings.get("excess", 0.05)))


def _reported(trace: Trace, name: str, seen: Steps, found: list[Score]) -> dict[str, Any]:
    """Print the check and the scores of one optimization, and return them as plain data."""
    click.echo(f"\n{name}: {_counted(len(seen.times), 'moment', 'moments')} with predicted costs")
    checks = check(trace, name)
    allowed = {one.state: max(BAR, _spread(trace, name, one.state)) for one in checks}
    for one in checks:
        click.echo(f"  {_checked(one, allowed[one.state])}")
    counts = all(abs(one.error) <= allowed[one.state] for one in checks) if checks else None
    if counts is None:
        click.echo("  no fixed state was measured beside this trace: the score is a prediction that was not checked")
    elif not counts:
        click.echo("  not within 10 %: the score below does not count")
    controls = [one.of for one in trace.entries if isinstance(one, Event) and one.kind == "control"]
    if any(one.get(name, "auto") != "auto" for one in controls):
        click.echo(f"  a person was in charge for a part of the run: {RECORDED} is not what the policy alone decides")
    rows = [["", "cost s", "÷ optimum", "regret s", "switches"]]
    rows += [[x.policy, f"{x.cost:.3f}", f"{x.ratio:.3f}", f"{x.regret:+.3f}", str(x.switches)] for x in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        click.echo("  " + "  ".join(cells))
    return {
        "check": [{**asdict(one), "error": one.error, "allowed": allowed[one.state]} for one in checks],
        "counts": counts,
        "scores": [
            {"policy": x.policy, "cost": x.cost, "ratio": x.ratio, "regret": x.regret, "switches": x.switches}
            for x in found
        ],
    }


def _spread(trace: Trace, name: str, state: str) -> float:
    """Return how far apart runs of one arm are, A against A: by what half of them are off their median, relatively.

    Of the arm pinned to this state or of the recorded one, which the prediction starts from, whichever is more. A
    single run that went wrong does not widen it.
    """
    found = 0.0
    for arm in (state, RECORDED):
        runs = [one["seconds"] for one in trace.measured if (one["optimization"], one["arm"]) == (name, arm)]
        found = max(found, median(abs(run / median(runs) - 1) for run in runs) if runs else 0.0)
    return found


def _checked(one: Check, allowed: float) -> str:
    line = f"always {one.state}: predicted {one.predicted:.3f} s, measured {one.measured:.3f} s "
    line += f"({_counted(one.runs, 'run', 'runs')}), error {one.error:+.1%}: "
    if abs(one.error) <= BAR:
        return line + "within 10 %"
    if abs(one.error) <= allowed:
        return line + f"within A against A: half the runs of an arm are off their median by up to {allowed:.1%}"
    return line + "not within 10 %"


def _described(trace: Trace) -> str:
    moments, settings = trace.moments, trace.settings
    line = f"{_counted(len(moments), 'decision', 'decisions')} in {moments[-1].time - moments[0].time:.1f} s"
    line += f", recorded with policy {settings.get('policy', POLICIES[0])}"
    if trace.damaged:
        line += f"; {_counted(trace.damaged, 'line', 'lines')} damaged and left out"
    return line


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
