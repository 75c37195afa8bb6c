"""Rules of windows that slide along the rows: what a partition needs of its neighbours, and the windows themselves."""

from __future__ import annotations

from typing import Any

from asafess.compiler.abstract.values import FrameOf, Unknown
from asafess.compiler.rules.frame_functions import EXPRESSIONS
from asafess.compiler.rules.frame_record import record
from asafess.compiler.rules.frame_tables import FUNCTIONS, GROUPED
from asafess.compiler.rules.frame_values import LINEAR, as_frame, joined, scaled, sizes_known
from asafess.compiler.rules.table import rule

#: what can be asked of a window
REDUCTIONS = frozenset({"sum", "mean", "count", "min", "max", "std", "var", "median", "quantile", "skew", "kurt"})


@rule(f"{EXPRESSIONS}_expr._combined_parts")
def combined_parts(on: Any, name: str, /, before: Any, current: Any, after: Any, *_: Any) -> Any:
    """Put a partition and what it needs of its neighbours together, and say how many rows of these there are."""
    frame = as_frame(current)
    beside = [None if one is None else as_frame(one) for one in (before, after)]
    there = [one for one in beside if one is not None and one.nbytes is not None]
    if not sizes_known(on, name, frame):
        return frame
    if len(there) < sum(one is not None for one in beside):
        on.hedge(0.6, "what neighbours share is little")
    result = joined(on, [frame, *there])
    on.part(name, "moving", 0.0, 2 * result.known_nbytes, moved=True, confidence=LINEAR)
    return (result, *(0 if one is None else one.rows or 0 for one in beside))


@rule(f"{EXPRESSIONS}_expr._overlap_chunk")
def overlap_chunk(on: Any, name: str, /, df: Any, func: Any, before: Any, after: Any, *args: Any, **kwargs: Any) -> Any:
    """Call, and leave out what the neighbours have."""
    combined, *shared = df if isinstance(df, tuple) else (df, 0, 0)
    found = on.call(func, (as_frame(combined), *args), kwargs)
    if not isinstance(found, FrameOf) or not found.rows:
        return found
    rows = found.rows - sum(shared)
    return scaled(found, rows / found.rows, rows=rows)


@rule(f"{EXPRESSIONS}_rolling._rolling_agg")
def rolling(on: Any, name: str, /, frame: Any, *args: Any, **kwargs: Any) -> Any:
    """Slide a window along; with groups, rows are grouped first."""
    given = as_frame(frame)
    how = kwargs.get("how", args[2] if len(args) > 2 else None)
    if how not in REDUCTIONS:
        raise Unknown(f"windows are handed to {how}")
    if kwargs.get("groupby_kwargs"):
        record(on, name, GROUPED, (given,))
    return record(on, name, FUNCTIONS["_rolling_agg"], (given,))
