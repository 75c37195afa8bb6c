"""What the rows of `bench.spmv` say, from rows alone.

A row belongs to a ``configuration`` and is of a ``kind``: *ours*, *oracle*, *stock* (Dask by itself) or *local* (no
Dask). Arms are compared by the seconds of one sweep, paired within a round:

- speed-up = the arm's seconds ÷ adaptive's, so 2 means that the arm takes twice as long;
- time saved = 1 − 1 ÷ speed-up, so 0.5 for the same: papers say "speed-up" for both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from .scores import AGAIN, Estimate, Row, arm_names, estimate, half_width, paired_ratios, valid, values

ADAPTIVE = "adaptive"
METRIC = "sweep_seconds"
#: fixed states of ours: to be as good as the best of them is all that an adaptive program can hope for
FIXED = ("dense", "light", "full")
#: fewer rounds do not say that the oracle was beaten: with five, chance does once in 250 configurations
FEWEST_ROUNDS = 5
#: references of ``speedup_vs_…`` that are the best of several arms
BEST = {"best_fixed": "ours", "best_peer": "stock", "best_local_peer": "local"}


def configurations(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return the rows of each configuration, in order of appearance."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["configuration"], []).append(row)
    return found


def speedup(rows: Sequence[Row], arm: str) -> Estimate:
    """Return the arm's seconds of a sweep ÷ adaptive's, paired by round."""
    return estimate(paired_ratios(rows, arm, ADAPTIVE, METRIC))


def against_itself(rows: Sequence[Row]) -> float:
    """Return the half-width of A against A, as a share."""
    return half_width(speedup(rows, ADAPTIVE + AGAIN))


def time_saved(ratio: float) -> float:
    """Return the share of an arm's time that adaptive saves.

    >>> time_saved(2.0), time_saved(0.8)
    (0.5, -0.25)
    """
    return 1 - 1 / ratio if ratio > 0 else -math.inf


def best(rows: Sequence[Row], kind: str) -> str | None:
    """Return the arm of a kind with the fewest seconds (of ours: among the fixed states), None if there is none."""
    arms = dict.fromkeys(r["arm"] for r in rows if r["kind"] == kind)
    names = [arm for arm in arms if (kind != "ours" or arm in FIXED) and valid(rows, arm, METRIC)]
    return min(names, key=lambda arm: estimate(values(rows, arm, METRIC)).median, default=None)


def summarize(rows: Iterable[Row]) -> dict[str, Any]:
    """Return all that is said of a measurement, by configuration.

    For each reference X (dense, sparse, light, full, oracle, best_fixed, best_peer, best_local_peer):
    ``speedup_vs_X``, ``speedup_vs_X_interval`` and ``time_saved_vs_X``; ``best_fixed``, ``best_peer`` and
    ``best_local_peer`` name the arms that won. ``a_against_a`` is a half-width. ``losses``, ``too_good`` and ``failed``
    are lists; see `losses` and `too_good`.
    """
    summary: dict[str, Any] = {"a_against_a": {}, "adaptive_sweep_seconds": {}, **{name: {} for name in BEST}}
    rows = list(rows)
    for key, its in configurations(rows).items():
        summary["a_against_a"][key] = against_itself(its)
        summary["adaptive_sweep_seconds"][key] = estimate(values(its, ADAPTIVE, METRIC)).median
        references = {arm: arm for arm in ("dense", "sparse", "light", "full", "oracle") if arm in arm_names(its)}
        for name, kind in BEST.items():
            if (arm := best(its, kind)) is not None:
                summary[name][key] = references[name] = arm
        for name, arm in references.items():
            ratio = speedup(its, arm)
            summary.setdefault(f"speedup_vs_{name}", {})[key] = ratio.median
            summary.setdefault(f"speedup_vs_{name}_interval", {})[key] = [ratio.low, ratio.high]
            summary.setdefault(f"time_saved_vs_{name}", {})[key] = time_saved(ratio.median)
    summary["losses"] = losses(rows)
    summary["too_good"] = too_good(rows)
    summary["failed"] = [
        {"configuration": r["configuration"], "arm": r["arm"], "round": r["round"], "error": r["error"]}
        for r in rows
        if not r["ok"]
    ]
    return summary


def losses(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return where adaptive is slower than an arm by more than A against A: judged by the median, to be strict.

    The oracle is no competitor but a bound, so it is not among them.
    """
    found = []
    for key, its in configurations(rows).items():
        kinds = {r["arm"]: r["kind"] for r in its if r["arm"].removesuffix(AGAIN) != ADAPTIVE}
        wide = against_itself(its)
        for arm, kind in kinds.items():
            ratio = speedup(its, arm)
            # 0: adaptive failed, and with it A against A
            if kind != "oracle" and (ratio.median == 0 or ratio.median < 1 / (1 + wide)):
                found.append(_entry(key, ratio, wide) | {"arm": arm, "kind": kind})
    return found


def too_good(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return where adaptive is faster than the oracle beyond A against A: an error of the measurement.

    The whole interval has to lie beyond, and of `FEWEST_ROUNDS` rounds at least.
    """
    found = []
    for key, its in configurations(rows).items():
        ratio, wide = speedup(its, "oracle"), against_itself(its)
        if ratio.n >= FEWEST_ROUNDS and ratio.low > 1 + wide:
            found.append(_entry(key, ratio, wide))
    return found


def _entry(key: str, ratio: Estimate, wide: float) -> dict[str, Any]:
    interval = [ratio.low, ratio.high]
    return {"configuration": key, "speedup": ratio.median, "interval": interval, "a_against_a": wide}
