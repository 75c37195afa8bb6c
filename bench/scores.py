"""What rows say: scores, paired ratios, intervals and the rule of "held". Pure, from rows alone.

A *row* is one run: ``{"arm", "round", "order", "warmup", "seconds", "ok", "error", …figures}``. Three rules:

1. A failed run counts as infinitely slow. It is never left out.
2. Of the announced runs of an arm the fastest and the slowest are dropped. One failed run may be the slowest; with
   two the arm is invalid and has no number.
3. Arms are compared within a round, as the machine moves between rounds: ratio = arm ÷ reference, pair by pair, and
   the interval is that of the median of these ratios.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Row = Mapping[str, Any]
Direction = Literal["at least", "at most"]

#: beyond this half-width of A against A nothing is decided
WIDEST_AGAINST_ITSELF = 0.03
RESAMPLES = 2000
#: what the second name of the arm that is run twice ends with
AGAIN = " again"


@dataclass(frozen=True)
class Estimate:
    """A median and the 95 % bootstrap interval of it."""

    median: float
    low: float
    high: float
    #: number of values it stands on
    n: int

    def as_dict(self) -> dict[str, Any]:
        """Return it for a JSON file; what is not finite becomes None."""
        values = {"median": self.median, "low": self.low, "high": self.high}
        return {**{k: v if math.isfinite(v) else None for k, v in values.items()}, "n": self.n}


def timed(rows: Iterable[Row], arm: str | None = None) -> list[Row]:
    """Return the rows that count (no warm-up), of one arm or of all, in the order of their rounds."""
    found = [r for r in rows if not r.get("warmup") and (arm is None or r["arm"] == arm)]
    return sorted(found, key=lambda r: (r["round"], r.get("order", 0)))


def arm_names(rows: Iterable[Row]) -> list[str]:
    """Return the names of the arms in the order in which they first appear."""
    return list(dict.fromkeys(r["arm"] for r in rows))


def value(row: Row, metric: str = "seconds") -> float:
    """Return a row's figure, infinity if the run failed.

    >>> value({"ok": True, "seconds": 2.0}), value({"ok": False, "seconds": 0.1})
    (2.0, inf)
    """
    return float(row[metric]) if row["ok"] else math.inf


def values(rows: Iterable[Row], arm: str, metric: str = "seconds") -> list[float]:
    """Return an arm's figure in every timed run."""
    return [value(r, metric) for r in timed(rows, arm)]


def trimmed_mean(numbers: Sequence[float]) -> float | None:
    """Return the mean without the best and the worst; None where what is left holds a failed run.

    Below three numbers nothing is dropped.

    >>> trimmed_mean([1.0, 2.0, 4.0, float("inf")]), trimmed_mean([1.0, 2.0, float("inf"), float("inf")])
    (3.0, None)
    """
    kept = sorted(numbers)[1:-1] if len(numbers) >= 3 else list(numbers)
    return sum(kept) / len(kept) if kept and math.isfinite(sum(kept)) else None


def estimate(numbers: Sequence[float], seed: int = 0) -> Estimate:
    """Return the median of some numbers and its 95 % bootstrap interval.

    The interval's ends are medians that did occur among the resamples, so that an infinite number stays a number.

    >>> estimate([1.0, 1.0, 1.0])
    Estimate(median=1.0, low=1.0, high=1.0, n=3)
    """
    data = np.asarray(numbers, dtype=float)
    if data.size == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    picks = np.random.default_rng(seed).integers(0, data.size, size=(RESAMPLES, data.size))
    medians = np.median(data[picks], axis=1)
    low, high = np.quantile(medians, [0.025, 0.975], method="inverted_cdf")
    return Estimate(float(np.median(data)), float(low), float(high), int(data.size))


def paired(rows: Iterable[Row], arm: str, reference: str, metric: str = "seconds") -> list[tuple[float, float]]:
    """Return (arm, reference) of every round in which both ran, failed runs as infinity."""
    rows = list(rows)
    theirs = {r["round"]: value(r, metric) for r in timed(rows, reference)}
    return [(value(r, metric), theirs[r["round"]]) for r in timed(rows, arm) if r["round"] in theirs]


def paired_ratios(rows: Iterable[Row], arm: str, reference: str, metric: str = "seconds") -> list[float]:
    """Return arm ÷ reference, round by round.

    A round in which only the reference failed gives 0, one in which only the arm failed infinity; one in which both
    failed says nothing about their ratio.
    """
    pairs = paired(rows, arm, reference, metric)
    return [0.0 if math.isinf(b) else a / b for a, b in pairs if math.isfinite(a) or math.isfinite(b)]


def paired_differences(rows: Iterable[Row], arm: str, reference: str, metric: str = "seconds") -> list[float]:
    """Return arm − reference of every round in which both ran well, in the metric's unit."""
    return [a - b for a, b in paired(rows, arm, reference, metric) if math.isfinite(a) and math.isfinite(b)]


def valid(rows: Iterable[Row], arm: str, metric: str = "seconds") -> bool:
    """Say whether an arm has a number: it ran, and at most one run (the dropped slowest) failed."""
    return trimmed_mean(values(rows, arm, metric)) is not None


def half_width(ratio: Estimate) -> float:
    """Return how far A against A may be from 1, as a share: 0.02 means ±2 %.

    The further end counts, so an offset between two runs of the same arm widens it as scatter does.

    >>> round(half_width(Estimate(1.0, 0.98, 1.01, 5)), 4)
    0.0204
    """
    if ratio.n == 0 or not ratio.low > 0:
        return math.inf
    return max(ratio.high, 1.0, 1.0 / min(ratio.low, 1.0)) - 1.0


def held(interval: tuple[float, float] | Estimate, bar: float, half_width: float, direction: Direction) -> str:
    """Say whether a ratio held its bar: "held", "not held" or "not decided here".

    The interval has to lie on one side of the bar widened by the half-width of A against A, bar · (1 ± half-width).
    Where that is wider than ±3 % nothing is decided.

    >>> held((1.2, 1.3), bar=1.15, half_width=0.02, direction="at least")
    'held'
    >>> held((1.1, 1.3), bar=1.15, half_width=0.02, direction="at least")
    'not decided here'
    >>> held((1.05, 1.08), bar=1.03, half_width=0.01, direction="at most")
    'not held'
    """
    if direction not in ("at least", "at most"):
        raise ValueError(f"direction={direction!r}: a ratio holds a bar 'at least' or 'at most'")
    if not (bar > 0 and half_width >= 0):
        raise ValueError(f"bar={bar!r}, half_width={half_width!r}: the bar must be > 0, the half-width >= 0")
    low, high = (interval.low, interval.high) if isinstance(interval, Estimate) else interval
    if half_width > WIDEST_AGAINST_ITSELF or math.isnan(low) or math.isnan(high):
        return "not decided here"
    upper, lower = bar * (1 + half_width), bar * (1 - half_width)
    if direction == "at least":
        return "held" if low >= upper else "not held" if high < lower else "not decided here"
    return "held" if high <= lower else "not held" if low > upper else "not decided here"
