"""What the rows of a case say, by the rule of `bench.scores`. Pure.

The *bound* is min over fixed arms of their total ÷ the sum over phases of the best: no switching between these states
can gain more. The bar for a program with several phases holds where no fixed arm is within 10 % of the best in every
phase; elsewhere there is nothing to gain by switching, and adaptive must only not lose.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import geometric_mean, median
from typing import Any

from ..harness import Result
from ..scores import AGAIN, Direction, Estimate, Row, estimate, half_width, held, timed, values
from .case import ADAPTIVE, NULL, OFF

#: adaptive ÷ best fixed arm, at most
LOSS = 1.03
#: better fixed arm ÷ adaptive, at least, where the phases want different states
GAIN = 1.15
#: each fixed state ÷ adaptive over a set of programs, at least
SET_GAIN = 1.3
#: a fixed arm that is so near the best in every phase leaves nothing to switch for
NEAR = 1.1
#: the fastest fixed arm of each program of a set
BEST_OF_EACH = "best of each"
#: of fewer rounds the interval is no more than their range
ENOUGH = 6


def medians(rows: Sequence[Row], arms: Sequence[str]) -> dict[str, float]:
    """Return the median seconds by arm; a failed run counts as infinity."""
    return {arm: median(values(rows, arm)) for arm in arms}


def phase_medians(rows: Sequence[Row], arms: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the median seconds by arm and kind of phase, of the runs that went well."""
    found: dict[str, dict[str, float]] = {}
    for arm in arms:
        good = [row["phases"] for row in timed(rows, arm) if row["ok"]]
        found[arm] = {kind: median(one[kind] for one in good) for kind in (good[0] if good else ())}
    return found


def bound(phases: Mapping[str, Mapping[str, float]]) -> float:
    """Return the most that switching between fixed arms can gain over the better one.

    >>> bound({"off": {"swarm": 4.0, "data": 3.0}, "open": {"swarm": 1.0, "data": 5.0}})
    1.5
    """
    kinds = next(iter(phases.values()))
    best = sum(min(one[kind] for one in phases.values()) for kind in kinds)
    return min(sum(one.values()) for one in phases.values()) / best


def near_everywhere(phases: Mapping[str, Mapping[str, float]]) -> str | None:
    """Return a fixed arm that is within 10 % of the best in every phase; None where there is none.

    >>> near_everywhere({"off": {"a": 1.05, "b": 1.0}, "on": {"a": 1.0, "b": 2.0}})
    'off'
    """
    kinds = next(iter(phases.values()))
    best = {kind: min(one[kind] for one in phases.values()) for kind in kinds}
    near = [arm for arm, one in phases.items() if all(one[kind] <= NEAR * best[kind] for kind in kinds)]
    return near[0] if near else None


def verdict(one: Estimate, bar: float, noise: float, direction: Direction) -> str:
    """Return what `held` says, or that nothing is decided where too few rounds were run."""
    return held(one, bar, noise, direction) if one.n >= ENOUGH else "not decided here"


def winner(result: Result, fixed: Sequence[str]) -> str | None:
    """Return the fixed arm that is faster than every other one, beyond noise; None where none is, or too few ran."""
    middle = medians(result.rows, fixed)
    best = min(fixed, key=lambda arm: middle[arm])
    others = [result.ratio(arm, best) for arm in fixed if arm != best]
    return best if all(one.n >= ENOUGH and one.low > 1 + result.half_width for one in others) else None


def of_program(result: Result, fixed: Sequence[str], mixed: bool, gain: float = GAIN) -> dict[str, Any]:
    """Return what the rows of one program say.

    Parameters
    ----------
    fixed : sequence of str
        The fixed arms.
    mixed : bool
        Whether its phases want different states.
    gain : float
        The bar of a mixed program.
    """
    arms = list(dict.fromkeys(row["arm"] for row in result.rows if not row["arm"].endswith(AGAIN)))
    middle = medians(result.rows, arms)
    best = min(fixed, key=lambda arm: middle[arm])
    over, noise = result.ratio(ADAPTIVE, best), result.half_width
    found: dict[str, Any] = {
        "seconds": middle,
        "best_fixed": best,
        "wins": winner(result, fixed),
        "adaptive_over_best_fixed": over,
        f"at_most_{LOSS}": verdict(over, LOSS, noise, "at most"),
        "against_itself": noise,
        "rounds": over.n,
        "failed_runs": sum(not row["ok"] for row in result.rows),
    }
    if NULL in arms:
        found["null_over_off"] = result.ratio(NULL, OFF)
    good = [row for row in timed(result.rows, ADAPTIVE) if row["ok"]]
    found["adaptive_switches"] = median(row["switches"] for row in good) if good else None
    found["adaptive_states"] = sorted({row["states"] for row in good})
    if mixed:
        found |= _of_phases(result, fixed, best, gain)
    return found


def _of_phases(result: Result, fixed: Sequence[str], best: str, gain: float) -> dict[str, Any]:
    gained = result.ratio(best, ADAPTIVE)
    phases = phase_medians(result.rows, [*fixed, ADAPTIVE])
    known = {arm: phases[arm] for arm in fixed if phases[arm]}
    near = near_everywhere(known) if known else None
    if near is not None:
        said = f"no bar: {near} is within {NEAR - 1:.0%} of the best in every phase"
    else:
        said = verdict(gained, gain, result.half_width, "at least")
    return {
        "phase_seconds": phases,
        "better_fixed_over_adaptive": gained,
        "bound": bound(known) if known else math.nan,
        "bar": gain,
        "at_least_bar": said,
    }


def of_set(results: Mapping[str, Result], fixed: Sequence[str]) -> dict[str, Any]:
    """Return what programs come to as one set: each fixed arm ÷ adaptive, by geometric mean and by the sum.

    Only rounds that all programs have count; within a round every program counts once. *best of each* stands for the
    fixed arm of each program that is the best there, which nobody knows before; see `fastest`.
    """
    if not results:
        return {}
    noise = {how: half_width(_over(results, ADAPTIVE + AGAIN, how)) for how in ("geometric_mean", "sum")}
    found: dict[str, Any] = {"against_itself": noise, "bar": SET_GAIN}
    for arm in fixed:
        found[arm] = {}
        for how, wide in noise.items():
            over = _over(results, arm, how)
            found[arm][f"over_adaptive_{how}"] = over
            found[arm][f"{how}_at_least_bar"] = verdict(over, SET_GAIN, wide, "at least")
    best = {name: fastest(result, fixed) for name, result in results.items()}
    found[BEST_OF_EACH] = {f"over_adaptive_{how}": _over(best, BEST_OF_EACH, how) for how in noise}
    losses = [verdict(one.ratio(ADAPTIVE, BEST_OF_EACH), LOSS, one.half_width, "at most") for one in best.values()]
    found["programs"] = len(results)
    found[f"at_most_{LOSS}"] = {said: losses.count(said) for said in dict.fromkeys(losses)}
    return found


def fastest(result: Result, fixed: Sequence[str]) -> Result:
    """Return the same rows and, as an arm *best of each*, in each round the fixed arm that is the best in the others.

    The best one of all rounds would be the luckiest of several: were they all alike, adaptive would lose to it. This
    one errs on the other side: where several differ by less than the noise, it is now and then not the best.
    """
    rows = [dict(row) for row in result.rows]
    rounds = {row["round"] for row in timed(rows)}
    for number in sorted(rounds):
        others = [row for row in rows if row["round"] != number or len(rounds) == 1]
        middle = medians(others, fixed)
        best = min(fixed, key=middle.__getitem__)
        rows += [{**row, "arm": BEST_OF_EACH} for row in timed(result.rows, best) if row["round"] == number]
    return replace(result, rows=rows)


def _over(results: Mapping[str, Result], arm: str, how: str) -> Estimate:
    """Return an arm ÷ adaptive over all programs, paired per round."""
    by_program = [{row["round"]: (row, other) for row, other in _pairs(one.rows, arm)} for one in results.values()]
    rounds = sorted(set.intersection(*(set(one) for one in by_program)))
    ratios = []
    for number in rounds:
        pairs = [one[number] for one in by_program]
        # a run that failed took for ever; a round in which adaptive failed somewhere is lost to the arm
        theirs = [row["seconds"] if row["ok"] else math.inf for row, _ in pairs]
        ours = [other["seconds"] if other["ok"] else math.inf for _, other in pairs]
        if math.isinf(sum(ours)):
            ratios.append(0.0)
        elif math.isinf(sum(theirs)):
            ratios.append(math.inf)
        elif how == "sum":
            ratios.append(sum(theirs) / sum(ours))
        else:
            ratios.append(geometric_mean(a / b for a, b in zip(theirs, ours, strict=True)))
    return estimate(ratios)


def _pairs(rows: Sequence[Row], arm: str) -> list[tuple[Row, Row]]:
    adaptive = {row["round"]: row for row in timed(rows, ADAPTIVE)}
    return [(row, adaptive[row["round"]]) for row in timed(rows, arm) if row["round"] in adaptive]
