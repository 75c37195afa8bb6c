"""Rules of quantiles of a column: of each partition, and of what these say together.

`set_index` and `sort_values` ask for them before they build anything, to cut the rows where they are to go.
"""

from __future__ import annotations

from typing import Any

from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf, Unknown, array_of, as_array
from asafess.compiler.rules.frame_functions import DATAFRAME, EXPRESSIONS
from asafess.compiler.rules.frame_record import record
from asafess.compiler.rules.frame_values import DISTRIBUTED, LINEAR, as_frame, sizes_known
from asafess.compiler.rules.sort import percentile_block
from asafess.compiler.rules.table import rule

QUANTILES = f"{DATAFRAME}partitionquantiles."
#: bytes of what is kept of a partition: some hundred values with their weights
SUMMARY = 4096.0


@rule("dask.utils.percentile")
def percentile(on: Any, name: str, /, a: Any, q: Any, method: str = "linear") -> Any:
    """Sort a column of a partition, and pick from it; of arrays, `sort` knows more."""
    if not isinstance(a, FrameOf):
        return percentile_block(on, name, a, q, method)
    record(on, name, ("sort", -1.0, "same"), (a,))
    return array_of(as_array(q).known_shape, "f8"), UNKNOWN


@rule(f"{EXPRESSIONS}_quantile._finalize_scalar_result", "pandas.Series")
def finalized(on: Any, name: str, /, *args: Any, **_: Any) -> Any:
    """Make a series, or a number, of some numbers."""
    given = args[0] if name == "pandas.Series" else args[1]
    if isinstance(given, FrameOf):
        return given
    if not isinstance(given, ArrayOf):
        raise Unknown("an input is not known")
    on.part(name, "view", why="makes a series of an array", confidence=LINEAR)
    if name != "pandas.Series":
        return array_of((), given.dtype)
    return FrameOf("series", given.size, given.known_nbytes)


@rule(f"{QUANTILES}dtype_info")
def dtype_info(on: Any, name: str, /, df: Any) -> tuple[Any, ...]:
    """Look at the data type."""
    on.part(name, "view", why="looks at the data type", confidence=LINEAR)
    return UNKNOWN, None


@rule(f"{QUANTILES}percentiles_summary")
def summary(on: Any, name: str, /, df: Any, *_: Any) -> FrameOf:
    """Sort a column of a partition, and keep some of it with weights."""
    column = as_frame(df)
    if sizes_known(on, name, column):
        record(on, name, ("sort", -1.0, "same"), (column,))
    return FrameOf("series", None, SUMMARY)


@rule(f"{QUANTILES}merge_and_compress_summaries", f"{QUANTILES}process_val_weights")
def merged(on: Any, name: str, /, summaries: Any, *_: Any) -> FrameOf:
    """Merge what was kept of several partitions, or cut it in equal parts: little work, however large they were."""
    count = len(summaries) if isinstance(summaries, list | tuple) else 1
    on.part(name, "sort", 10 * count * SUMMARY / 8, 2 * count * SUMMARY, confidence=DISTRIBUTED)
    return FrameOf("series", None, SUMMARY)
