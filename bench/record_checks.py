"""How far traces' predictions for fixed states are from the runs that were made in these states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from asafess.core.score import RECORDED, check
from asafess.core.trace import Trace
from asafess.core.trace_reader import read

from .demo import FIXED
from .scores import AGAIN

OPTIMIZATION = "tile_compression"
#: by how much a prediction may miss, where the same arm does not differ from itself by more
BAR = 0.1


def load(path: Path) -> Trace:
    """Read a trace."""
    with path.open(encoding="utf-8") as lines:
        return read(lines)


def checks(rows: Sequence[Mapping[str, Any]], traces: Mapping[str, Trace]) -> list[dict[str, Any]]:
    """Ask each round's traces how long the other states take, and compare with the median of the runs in them."""
    timed = [row for row in rows if row["ok"] and not row["warmup"]]
    seconds = {arm: [row["seconds"] for row in timed if row["arm"] == arm] for arm in {row["arm"] for row in timed}}
    found = []
    for row in timed:
        trace = traces[row["trace"]]
        trace.measured = [
            {"optimization": OPTIMIZATION, "arm": state, "seconds": one}
            for arm, state in FIXED.items()
            for one in seconds.get(arm, [])
        ]
        trace.measured.append({"optimization": OPTIMIZATION, "arm": RECORDED, "seconds": row["seconds"]})
        about = {"from": row["arm"].removesuffix(AGAIN), "round": row["round"]}
        found += [about | asdict(one) | {"error": one.error} for one in check(trace, OPTIMIZATION)]
    return found


def summary(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return, for each program and pair of arms, the median prediction beside the median measurement."""
    table = []
    for name, one in found.items():
        pairs = dict.fromkeys((row["from"], row["state"]) for row in one["checks"])
        for arm, state in pairs:
            rows = [row for row in one["checks"] if (row["from"], row["state"]) == (arm, state)]
            predicted, measured = median(row["predicted"] for row in rows), median(row["measured"] for row in rows)
            allowed_error = max(BAR, one["half_width"])
            table.append(
                {
                    "program": name,
                    "trace of": arm,
                    "state": state,
                    "predicted": predicted,
                    "measured": measured,
                    "error": predicted / measured - 1,
                    "A against A": one["half_width"],
                    "within": abs(predicted / measured - 1) <= allowed_error,
                }
            )
    return table
