"""Rules of pandas objects: what they do to rows and bytes.

Partitions are known by their bytes, so what is counted is linear in those: operations per element of eight
bytes, bytes read and bytes written. How many groups, matches or different values there are depends on data;
then the result's size is not known. No count here is exact, and the confidence says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from asafess.compiler.abstract.values import (
    UNKNOWN,
    ArrayOf,
    FrameOf,
    Unknown,
    abstracted,
    array_of,
    leaves,
    nbytes_in,
    sized,
)
from asafess.compiler.operation_counts import each
from asafess.compiler.rules.table import rule

#: how sure a count is that is linear in bytes; and one that depends on how the data is distributed
LINEAR, DISTRIBUTED = 0.8, 0.5


@dataclass(frozen=True, slots=True)
class Pieces:
    """A partition split in pieces of about equal size."""

    piece: FrameOf


#: method of pandas objects → (kind, operations per element, what the result is like)
FRAME_METHODS: dict[str, tuple[str, float, str]] = {
    **each(
        "fillna abs isna isnull notna clip round shift diff astype where mask replace map", ("elementwise", 1.0, "same")
    ),
    **each("sum mean min max count prod any all", ("reduction", 1.0, "small")),
    **each("var std sem skew", ("reduction", 4.0, "small")),
    **each("cumsum cumprod cummax cummin", ("reduction", 1.0, "same")),
    **each("sort_values sort_index nlargest nsmallest rank", ("sort", -1.0, "same")),
    **each("drop_duplicates value_counts unique dropna query nunique", ("frame", 10.0, "unknown")),
    **each("copy reset_index set_index", ("moving", 0.0, "same")),
    **each("to_frame rename drop index loc iloc str dt cat", ("view", 0.0, "same")),
}
#: function of Dask's chunk functions → the same; `join` is what several frames make together
FUNCTIONS: dict[str, tuple[str, float, str]] = {
    "_concat": ("moving", 0.0, "join"),
    "concat": ("moving", 0.0, "join"),
    "assign": ("moving", 0.0, "join"),
    "_combined_parts": ("moving", 0.0, "join"),
    "AssignPartitioningIndex.operation": ("frame", 10.0, "same"),
    "set_partitions_pre": ("sort", 10.0, "same"),
    "partitioning_index": ("frame", 10.0, "same"),
    "_SetIndexPost.operation": ("moving", 0.0, "same"),
    "SortValuesBlockwise.operation": ("sort", -1.0, "same"),
    "SortIndexBlockwise.operation": ("sort", -1.0, "same"),
    "Reduction.chunk": ("reduction", 1.0, "small"),
    "Reduction.aggregate": ("reduction", 1.0, "small"),
    "Reduction.combine": ("reduction", 1.0, "small"),
    "ArrayReduction.chunk": ("reduction", 4.0, "small"),
    "ArrayReduction.aggregate": ("reduction", 7.0, "small"),
    "ArrayReduction.combine": ("reduction", 7.0, "small"),
    "mean_aggregate": ("reduction", 1.0, "small"),
    "DescribeNumericAggregate.operation": ("reduction", 1.0, "small"),
    "ConcatIndexed.operation": ("moving", 0.0, "join"),
    "merge_chunk": ("frame", 20.0, "unknown"),
}
#: a hash, a probe, and an update, for anything else that groups rows or looks for equal ones
HASHED = ("frame", 10.0, "unknown")


def record(on: Any, name: str, entry: tuple[str, float, str], args: tuple[Any, ...]) -> Any:
    """Record an operation of the table on the frames among its arguments, and return its result."""
    kind, per, like = entry
    inputs = [value for value in map(abstracted, leaves(list(args))) if isinstance(value, FrameOf | ArrayOf)]
    if not inputs or any(value is UNKNOWN for value in leaves(list(args))):
        raise Unknown("an input is not known")
    read = nbytes_in(inputs)
    first = inputs[0]
    result: Any = first if isinstance(first, FrameOf) else FrameOf("frame", None, first.known_nbytes)
    if like == "join":
        frames = [one for one in inputs if isinstance(one, FrameOf)]
        rows = [one.rows for one in frames]
        total = sum(one or 0.0 for one in rows) if len(frames) == len(inputs) and None not in rows else None
        rows_ = result.rows if name.endswith("assign") else total
        result = replace(result, rows=rows_, nbytes=read, columns=None if name.endswith("assign") else result.columns)
    elif like == "small":
        columns = len(result.columns or (0,))
        result = FrameOf("series", float(columns), 8.0 * columns)
    elif like == "unknown":
        result = FrameOf(result.kind, None, None)
    written = {"same": read, "join": read, "small": 0.0, "unknown": read / 2}[like]
    elements = read / 8
    flop = (
        per * elements
        if per >= 0
        else elements * math.log2(max(2.0, first.rows or 2.0) if isinstance(first, FrameOf) else 2.0)
    )
    sure = DISTRIBUTED if like == "unknown" or kind == "sort" else LINEAR
    if kind == "view":
        on.part(name, kind, why="hands columns on", confidence=LINEAR)
    else:
        on.part(name, kind, flop, read + written, moved=kind == "moving", confidence=sure)
    return result


def elementwise(on: Any, name: str, per: float | None, *operands: Any) -> Any:
    """Interpret an operation on every element of frames."""
    if per is None:
        raise Unknown(f"no operation count for {name}")
    frames = [one for one in operands if isinstance(one, FrameOf)]
    result = max(frames, key=lambda one: one.nbytes or 0.0)
    on.part(
        name, "elementwise", per * result.known_nbytes / 8, nbytes_in(operands) + result.known_nbytes, confidence=LINEAR
    )
    return result


def function(on: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    """Interpret a function that has frames among its arguments."""
    short = name.removeprefix("dask.dataframe.")
    if short == name:
        raise Unknown(f"no rule for {name}")
    last = name.rpartition(".")[2]
    two = ".".join(name.split(".")[-2:])
    entry = FUNCTIONS.get(two) or FUNCTIONS.get(last)
    if (
        entry is None
        and "groupby" in name
        and ("chunk" in last or "aggregate" in last or "apply_funcs" in last or "combine" in last)
    ):
        entry = HASHED
    if entry is None and "_reductions." in name and last in ("chunk", "aggregate", "combine"):
        entry = HASHED
    if entry is None:
        raise Unknown(f"no rule for {name}")
    return record(on, name, entry, args)


def method(on: Any, name: str, frame: FrameOf, /, *args: Any, **kwargs: Any) -> Any:
    """Interpret a method or attribute of a frame."""
    if name == "__getitem__":
        return _getitem(on, frame, args[0])
    if name in ("values", "to_numpy"):
        if frame.rows is None:
            return sized(None if frame.nbytes is None else frame.nbytes / 8, None)
        wide = frame.kind == "frame"
        on.part(name, "view", confidence=LINEAR, why="values of one data type")
        return array_of((frame.rows, len(frame.columns or ())) if wide else (frame.rows,), None)
    if name in ("head", "tail"):
        return _rows(frame, args[0] if args else kwargs.get("n", 5))
    entry = FRAME_METHODS.get(name)
    if entry is None:
        raise Unknown(f"no rule for the method {name} of a {frame.kind}")
    return record(on, f"pandas.{name}", entry, (frame, *args))


def _rows(frame: FrameOf, count: Any) -> FrameOf:
    rows = frame.known_rows
    kept = min(rows, abs(count))
    return replace(frame, rows=kept, nbytes=frame.known_nbytes * kept / rows if rows else 0.0)


def _getitem(on: Any, frame: FrameOf, index: Any) -> FrameOf:
    """Columns are views; rows by a mask are copied, and how many they are depends on data."""
    if isinstance(index, FrameOf):
        on.part(
            "pandas.__getitem__",
            "moving",
            0.0,
            1.5 * frame.known_nbytes + index.known_nbytes,
            moved=True,
            confidence=DISTRIBUTED,
        )
        return replace(frame, rows=None, nbytes=None)
    names = list(index) if isinstance(index, list) else [index]
    if frame.columns is None or not all(name in frame.columns for name in names):
        if frame.columns is not None and not isinstance(index, str | list):
            raise Unknown(f"rows picked by a {type(index).__name__}")
        if frame.columns is not None:
            raise Unknown("a column that is not there")
        return replace(frame, kind="frame" if isinstance(index, list) else "series", columns=tuple(names))
    share = len(names) / max(1, len(frame.columns))
    nbytes = None if frame.nbytes is None else frame.nbytes * share
    return FrameOf("frame" if isinstance(index, list) else "series", frame.rows, nbytes, tuple(names))


@rule("dask.dataframe.core.apply_and_enforce")
def apply_and_enforce(on: Any, name: str, /, *args: Any, _func: Any, _meta: Any = None, **kwargs: Any) -> Any:
    """Call, and look whether the result is like what was promised."""
    return on.call(_func, args, kwargs)


@rule("dask.dataframe.methods.values")
def values(on: Any, name: str, /, df: Any) -> Any:
    """Return the values of a frame."""
    if not isinstance(df, FrameOf):
        raise Unknown("an input is not known")
    return method(on, "values", df)


@rule("dask.dataframe.core.safe_head", "dask.dataframe.core.safe_tail")
def safe_head(on: Any, name: str, /, df: Any, n: int) -> Any:
    """Take some rows."""
    if not isinstance(df, FrameOf):
        raise Unknown("an input is not known")
    return _rows(df, n)


@rule("dask.dataframe.dask_expr._shuffle.SimpleShuffle._shuffle_group", "dask.dataframe.shuffle.shuffle_group")
def shuffle_group(on: Any, name: str, /, df: Any, *args: Any) -> Any:
    """Split a partition in as many pieces as it says."""
    if not isinstance(df, FrameOf):
        raise Unknown("an input is not known")
    pieces = next((arg for arg in args[3:] if isinstance(arg, int) and not isinstance(arg, bool)), None)
    if not pieces:
        raise Unknown("the number of pieces is not known")
    on.part(name, "moving", 0.0, 2 * df.known_nbytes, moved=True, confidence=LINEAR)
    rows = None if df.rows is None else df.rows / pieces
    return Pieces(replace(df, rows=rows, nbytes=df.known_nbytes / pieces))


@rule("dask.dataframe.dask_expr._reductions.Aggregate._call_with_list_arg")
def call_with_list(on: Any, name: str, /, func: Any, *args: Any, **kwargs: Any) -> Any:
    """``func([args])``."""
    return on.call(func, (list(args),), kwargs)
