"""Rows, table and summary of `bench.compiler`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from asafess.compiler.bound import bound
from asafess.core.mode import Rates

from ..report import aligned
from .case import Kernel, Program
from .cluster import accepted, longest
from .counting.counter import Counter
from .graph import Graph
from .kernel_cost import Compared
from .predict import Prediction, group_milliseconds

Row = Mapping[str, Any]


def kernel_row(kernel: Kernel, compared: Compared) -> dict[str, Any]:
    """Return a kernel's row, but for what is measured."""
    last = compared.sizes[-1]
    row: dict[str, Any] = {"name": kernel.name, "kind": "kernel", "prk": kernel.prk, "affine": kernel.affine}
    predicted = [last["predicted_flop"], last["predicted_read"], last["predicted_written"]]
    known = None not in predicted
    row |= {
        "predicted_flop": predicted[0],
        "counted_flop": last["counted_flop"],
        "predicted_bytes": predicted[1] + predicted[2] if known else None,
        "counted_bytes": last["counted_read"] + last["counted_written"],
        "exact": compared.exact,
        "tasks": 1,
        "untyped": int(not known),
        "why": compared.why,
        "averages": compared.averages,
        "sizes": compared.sizes,
    }
    return row | _ratios(row)


def kernel_bounds(compared: Compared, rates: Rates) -> dict[str, str]:
    """Return what bounds a kernel: by the bytes that move between memory and caches, and by all that it touches."""
    if compared.why:
        return {"bound_predicted": "untyped", "bound_by_touched": "untyped"}
    flop = {"compute": compared.flop, "loops": compared.loops}
    return {
        "bound_predicted": bound({**flop, "memory": compared.traffic}, rates, 1),
        "bound_by_touched": bound({**flop, "memory": compared.touched}, rates, 1),
    }


def program_row(program: Program, of: Graph, predicted: Prediction, counters: Sequence[Counter]) -> dict[str, Any]:
    """Return a Dask program's row, but for what is measured."""
    unseen = sorted({name for counter in counters for name in counter.unseen})
    if unseen:
        raise RuntimeError(f"{program.name}: not counted: {', '.join(unseen)}")
    row: dict[str, Any] = {
        "name": program.name,
        "kind": "program",
        "prk": program.prk,
        "fast": program.fast,
        "affine": False,
        "predicted_flop": predicted.flop,
        "counted_flop": None if program.needs else sum(counter.flop for counter in counters),
        "predicted_bytes": predicted.nbytes,
        "counted_bytes": sum(counter.read + counter.written for counter in counters),
        "tasks": predicted.tasks,
        "untyped": predicted.untyped,
        "why": "; ".join(predicted.why),
        "group_milliseconds": group_milliseconds(of),
    }
    return row | _ratios(row)


def measured_bound(axes: Mapping[str, float] | None) -> dict[str, Any]:
    """Return what is measured of a bound: seconds of each axis, the longest, and those that tie with it."""
    return {"axis_seconds": axes, "bound_measured": longest(axes), "bound_accepted": accepted(axes)}


def _ratios(row: Row) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for what in ("flop", "bytes"):
        predicted, counted = row[f"predicted_{what}"], row[f"counted_{what}"]
        if predicted is None or counted is None:
            found[f"{what}_ratio"] = None
        elif not counted:
            found[f"{what}_ratio"] = 1.0 if not predicted else None
        else:
            found[f"{what}_ratio"] = predicted / counted
    return found


def within_2x(row: Row) -> bool:
    """Say whether flop, where they are counted, and bytes are within a factor of two of the counted ones.

    >>> within_2x({"flop_ratio": 0.5, "bytes_ratio": 2.0}), within_2x({"flop_ratio": None, "bytes_ratio": 1.0})
    (True, False)
    """
    names = ["bytes_ratio"] if row.get("counted_flop", 0) is None else ["flop_ratio", "bytes_ratio"]
    return all(row[name] is not None and 0.5 <= row[name] <= 2.0 for name in names)


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the numbers that the rows come to."""
    affine = [row for row in rows if row["affine"]]
    others = [row for row in rows if not row["affine"]]
    decided = [row for row in rows if row.get("bound_measured", "unclear") != "unclear"]
    milliseconds = [one for row in rows for one in row.get("group_milliseconds", ())]
    return {
        "programs": len(rows),
        "kernels": sum(row["kind"] == "kernel" for row in rows),
        "prk": sum(row["prk"] for row in rows),
        "exact_affine": _share(affine, lambda row: row["exact"]),
        "within_2x": _share(others, within_2x),
        "right_bound": _share(decided, lambda row: row["bound_predicted"] in row["bound_accepted"]),
        "right_bound_strict": _share(decided, lambda row: row["bound_predicted"] == row["bound_measured"]),
        "bounds_tied": sum(len(row["bound_accepted"]) > 1 for row in decided),
        "right_bound_by_touched": _share(
            decided, lambda row: row.get("bound_by_touched", row["bound_predicted"]) in row["bound_accepted"]
        ),
        "bounds_unclear": len(rows) - len(decided),
        "untyped_programs": sum(row["untyped"] > 0 for row in rows),
        "ms_per_group": median(milliseconds) if milliseconds else None,
        "ms_per_group_worst": max(milliseconds, default=None),
    }


def _share(rows: Sequence[Row], holds: Any) -> float | None:
    return sum(bool(holds(row)) for row in rows) / len(rows) if rows else None


def table(rows: Sequence[Row]) -> str:
    """Return the rows as aligned text."""
    head = ["program", "flop counted", "predicted ÷", "bytes counted", "predicted ÷", "untyped"]
    head += ["fetched MB", "predicted ÷", "slower", "bound", "predicted", ""]
    lines = [head]
    for row in rows:
        strictly = row.get("bound_predicted") == row.get("bound_measured")
        tied = row.get("bound_predicted") in row.get("bound_accepted", ())
        lines.append(
            [
                row["name"] + (" *" if row["prk"] else ""),
                "–" if row["counted_flop"] is None else f"{row['counted_flop']:.3g}",
                _ratio(row, "flop"),
                f"{row['counted_bytes']:.3g}",
                _ratio(row, "bytes"),
                f"{row['untyped']} of {row['tasks']}",
                f"{row['moved'] / 1e6:.1f}" if "moved" in row else "–",
                f"{row['predicted_moved'] / row['moved']:.2f}" if row.get("moved") else "–",
                f"{row['slower']:.2f} ×" if row.get("slower") is not None else "–",
                row.get("bound_measured", "–"),
                row.get("bound_predicted", "–"),
                "" if strictly else "tie" if tied else "≠",
            ]
        )
    return aligned(lines)


def _ratio(row: Row, what: str) -> str:
    if row["affine"]:
        predicted, counted = row[f"predicted_{what}"], row[f"counted_{what}"]
        if row["exact"]:
            return "exact"
        return "–" if predicted is None else f"{predicted / counted:.4f}" if counted else f"{predicted:g}"
    ratio = row[f"{what}_ratio"]
    return "–" if ratio is None else f"{ratio:.2f}"
