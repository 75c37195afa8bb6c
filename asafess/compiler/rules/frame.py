"""Rules of pandas objects: what they do to rows and bytes.

Partitions are known by their bytes, so what is counted is linear in those: operations per element of eight
bytes, bytes read and bytes written. How many groups, matches or different values there are depends on data;
then the result's size is not known. No count here is exact, and the confidence says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from asafess.compiler.abstract.dtypes import dtype_of
from asafess.compiler.abstract.values import ArrayOf, FrameOf, Unknown, array_of, sized
from asafess.compiler.operation_counts import each, in_loops
from asafess.compiler.rules.frame_record import COMPARISON, record, result_of
from asafess.compiler.rules.frame_tables import ACCESSORS, FRAME_METHODS, PROBED, TEXT
from asafess.compiler.rules.frame_values import (
    DISTRIBUTED,
    LINEAR,
    Estimated,
    at_most,
    rows_of,
    scaled,
    sizes_known,
    without_size,
)

__all__ = ["elementwise", "method"]

#: ufuncs that say yes or no of each element
TRUTH = frozenset(
    each(
        "numpy.equal numpy.not_equal numpy.less numpy.less_equal numpy.greater numpy.greater_equal "
        "numpy.logical_and numpy.logical_or numpy.logical_not numpy.isnan",
        None,
    )
)


def elementwise(on: Any, name: str, per: float | None, *operands: Any) -> Any:
    """Interpret an operation on every element of frames."""
    if per is None:
        raise Unknown(f"no operation count for {name}")
    frames = [one for one in operands if isinstance(one, FrameOf)]
    largest = max(frames, key=lambda one: one.nbytes or 0.0)
    if not sizes_known(on, name, *frames):
        return without_size(largest)
    read = sum(one.known_nbytes for one in frames)
    result = result_of(on, "mask", [largest]) if name in TRUTH else largest
    elements = largest.known_nbytes / 8
    loops = in_loops(per) * elements
    on.part(name, "elementwise", per * elements, read + result.known_nbytes, confidence=LINEAR, loops=loops)
    return result


def method(on: Any, name: str, frame: FrameOf, /, *args: Any, **kwargs: Any) -> Any:
    """Interpret a method or attribute of a frame."""
    special = SPECIAL.get(name)
    if special is not None:
        return special(on, name, frame, *args, **kwargs)
    entry = FRAME_METHODS.get(name)
    if entry is None:
        raise Unknown(f"no rule for the method {name} of a {frame.kind}")
    return record(on, f"pandas.{name}", entry, (frame, *args), kwargs.get("axis"))


def accessor(on: Any, frame: FrameOf, kind: str, name: str) -> Any:
    """Interpret what ``series.str``, ``series.dt`` or ``series.cat`` does."""
    known = ACCESSORS.get(kind, {})
    entry = known.get(name)
    if entry is None:
        raise Unknown(f"no rule for .{kind}.{name} of a {frame.kind}")
    if entry is TEXT:
        on.hedge(DISTRIBUTED, "texts stay as long as they are")
    return record(on, f"pandas.{kind}.{name}", entry, (frame,))


def rows_taken(on: Any, name: str, frame: FrameOf, /, n: Any = 5, *_: Any, **__: Any) -> FrameOf:
    """Take some rows; `nlargest` and `nsmallest` look for them, with 2 comparisons for each."""
    if not isinstance(n, int):
        raise Unknown("how many rows are taken depends on data")
    if not sizes_known(on, f"pandas.{name}", frame):
        return without_size(frame)
    rows = rows_of(on, frame)
    kept = min(rows, abs(n))
    result = scaled(frame, kept / rows if rows else 0.0, rows=kept)
    if name.startswith("pandas.n") or name in ("nlargest", "nsmallest"):
        on.part(f"pandas.{name}", "sort", 2 * COMPARISON * rows, 8 * rows + result.known_nbytes, confidence=DISTRIBUTED)
    return result


def getitem(on: Any, name: str, frame: FrameOf, /, index: Any) -> FrameOf:
    """Columns are views, also those that an index names; rows by a mask are copied, as many as the data says."""
    if isinstance(index, FrameOf) and index.kind == "index":
        picked = (index.rows or 0) / max(1, len(frame.columns or ()))
        return scaled(frame, min(1.0, picked), columns=None) if frame.columns else without_size(frame, columns=None)
    if isinstance(index, FrameOf):
        if not sizes_known(on, "pandas.__getitem__", frame, index):
            return without_size(frame)
        read = frame.known_nbytes + index.known_nbytes
        on.part("pandas.__getitem__", "moving", 0.0, read + frame.known_nbytes / 2, moved=True, confidence=DISTRIBUTED)
        return at_most(on, frame)
    several = isinstance(index, list)
    names = list(index) if several else [index]
    kind = "frame" if several else "series"
    if frame.columns is None:
        # one of columns that nobody knows
        if frame.nbytes is None and not isinstance(frame, Estimated):
            return without_size(frame, kind=kind, columns=tuple(names))
        return at_most(on, frame, kind=kind, columns=tuple(names))
    if not several and not _is_name(index):
        raise Unknown(f"rows picked by a {type(index).__name__}")
    if not all(one in frame.columns for one in names):
        raise Unknown("a column that is not there")
    return scaled(frame, len(names) / max(1, len(frame.columns)), kind=kind, columns=tuple(names))


def _is_name(index: Any) -> bool:
    return isinstance(index, str | int | float | tuple)


def values(on: Any, name: str, frame: FrameOf, /, *_: Any, **__: Any) -> ArrayOf:
    """Return the values as an array; of several columns they may have to be copied."""
    if frame.rows is None:
        return sized(None if frame.nbytes is None else frame.nbytes / 8, None)
    wide = frame.kind == "frame"
    on.part(name, "view", confidence=LINEAR, why="values of one data type")
    return array_of((frame.rows, len(frame.columns or ())) if wide else (frame.rows,), None)


def renamed(on: Any, name: str, frame: FrameOf, /, *args: Any, **kwargs: Any) -> FrameOf:
    """Give columns other names."""
    given: Any = kwargs.get("columns", args[0] if args else None)
    on.part(f"pandas.{name}", "view", why="other names", confidence=LINEAR)
    if frame.columns is None:
        return frame
    if name in ("add_prefix", "add_suffix"):
        names = [f"{given}{one}" if name == "add_prefix" else f"{one}{given}" for one in frame.columns]
    elif isinstance(given, dict):
        names = [given.get(one, one) for one in frame.columns]
    else:
        names = [given] if frame.kind == "series" else list(given)
    return replace(frame, columns=tuple(names) if len(names) == len(frame.columns) else None)


def dropped(
    on: Any, name: str, frame: FrameOf, /, labels: Any = None, *_: Any, columns: Any = None, **__: Any
) -> FrameOf:
    """Leave columns out."""
    gone: Any = columns if columns is not None else labels
    gone = [gone] if isinstance(gone, str) or not isinstance(gone, list | tuple) else list(gone)
    on.part(f"pandas.{name}", "view", why="hands columns on", confidence=LINEAR)
    if frame.columns is None:
        return frame
    kept = tuple(one for one in frame.columns if one not in gone)
    return scaled(frame, len(kept) / max(1, len(frame.columns)), columns=kept)


def indexed(on: Any, name: str, frame: FrameOf, /, *args: Any, drop: bool | None = None, **_: Any) -> FrameOf:
    """Make a column the index, or the index a column: a copy of references, and 8 bytes for each new number."""
    on.part(f"pandas.{name}", "view", why="hands columns on", confidence=LINEAR)
    if name == "reset_index":
        return frame if drop else replace(frame, kind="frame", columns=None)
    keys = args[0] if args else _.get("keys")
    if isinstance(keys, FrameOf) or frame.columns is None or drop is False:
        return frame
    gone = keys if isinstance(keys, list) else [keys]
    return replace(frame, columns=tuple(one for one in frame.columns if one not in gone))


def index_of(on: Any, name: str, frame: FrameOf, /) -> FrameOf:
    """Return the index, 8 bytes for each row."""
    columns = len(frame.columns or (0,)) if frame.kind == "frame" else 1
    return scaled(frame, 1 / columns, kind="index", columns=(None,))


def framed(on: Any, name: str, frame: FrameOf, /, *args: Any, **kwargs: Any) -> FrameOf:
    """Make a frame of a series, or a series of an index."""
    named = kwargs.get("name", args[0] if args else None)
    columns = (named,) if isinstance(named, str) else frame.columns
    return replace(frame, kind="frame" if name == "to_frame" else "series", columns=columns)


def mapped(on: Any, name: str, frame: FrameOf, /, how: Any, *_: Any, **__: Any) -> Any:
    """Look values up in a dictionary or a series; a function is anyone's."""
    if not isinstance(how, dict | FrameOf):
        raise Unknown("a function that is called with each value")
    return record(on, "pandas.map", PROBED, (frame,))


def cast(on: Any, name: str, frame: FrameOf, /, dtype: Any = None, *_: Any, **__: Any) -> Any:
    """Convert values: a series to the width of its type; a frame, or texts, to what is as wide as before."""
    dtype = (
        dtype if not isinstance(dtype, type | str) or dtype in ("category", str, "str", "string") else dtype_of(dtype)
    )
    itemsize = getattr(dtype, "itemsize", None)
    if isinstance(itemsize, int) and itemsize > 0 and frame.rows is not None and sizes_known(on, name, frame):
        result = replace(frame, nbytes=frame.rows * itemsize * len(frame.columns or (0,)))
        nbytes = frame.known_nbytes + result.known_nbytes
        on.part("pandas.astype", "elementwise", frame.known_nbytes / 8, nbytes, confidence=LINEAR)
        return result
    on.hedge(DISTRIBUTED, "as wide as before")
    return record(on, "pandas.astype", ("elementwise", 1.0, "same"), (frame,))


#: methods that are more than an entry of the table
SPECIAL: dict[str, Any] = {
    **dict.fromkeys(("head", "tail", "nlargest", "nsmallest"), rows_taken),
    **dict.fromkeys(("values", "to_numpy"), values),
    "index": index_of,
    **dict.fromkeys(("rename", "add_prefix", "add_suffix"), renamed),
    **dict.fromkeys(("set_index", "reset_index"), indexed),
    **dict.fromkeys(("to_frame", "to_series"), framed),
    "__getitem__": getitem,
    "astype": cast,
    "drop": dropped,
    "map": mapped,
}
