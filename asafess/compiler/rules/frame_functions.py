"""Rules of the functions that `dask.dataframe` calls with partitions.

A reduction of Dask is a class with the methods of pandas that its steps call; these are interpreted, so each reduction
costs what its own steps cost. Functions of other people, which `apply`, `map_partitions` or a custom aggregation
brings in, are not known.
"""

from __future__ import annotations

import builtins
from dataclasses import replace
from typing import Any

from dask.utils import methodcaller

from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf, Unknown, as_array
from asafess.compiler.rules.frame import accessor, method, renamed
from asafess.compiler.rules.frame_groupby import grouped
from asafess.compiler.rules.frame_record import record
from asafess.compiler.rules.frame_tables import FUNCTIONS
from asafess.compiler.rules.frame_values import LINEAR, Pieces, as_frame, joined, rows_of, sizes_known, without_size
from asafess.compiler.rules.table import METHODS, name_of, rule

DATAFRAME = "dask.dataframe."
EXPRESSIONS = f"{DATAFRAME}dask_expr."
#: steps of a reduction
STEPS = ("chunk", "combine", "aggregate")


def function(on: Any, function: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Interpret a function of Dask that has frames among its arguments.

    Parameters
    ----------
    on : Interpreter
    function : callable
        As it is in the graph.
    *args, **kwargs
        Abstract values.

    Raises
    ------
    Unknown
        There is no rule.
    """
    name = name_of(function)
    if not name.startswith(DATAFRAME):
        raise Unknown(f"no rule for {name}")
    last = name.rpartition(".")[2]
    owner = getattr(function, "__self__", None)
    if isinstance(owner, type) and last in STEPS:
        return reduction(on, owner, last, args, kwargs)
    entry = FUNCTIONS.get(".".join(name.split(".")[-2:])) or FUNCTIONS.get(last)
    if entry is None and "groupby" in name:
        return grouped(on, name, args, kwargs)
    if entry is None:
        raise Unknown(f"no rule for {name}")
    if entry[2] == "split":
        return Pieces(record(on, name, (*entry[:2], "some"), args[:1]))
    return record(on, name, entry, args, kwargs.get("axis"))


def reduction(on: Any, owner: Any, step: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Interpret a step of a reduction, as its class does it."""
    if owner.__module__.endswith("._groupby"):
        return grouped(on, f"{owner.__module__}.{owner.__name__}.{step}", args, kwargs)
    for base in owner.__mro__:
        entry = FUNCTIONS.get(f"{base.__name__}.{step}")
        if entry is not None:
            return record(on, f"{owner.__name__}.{step}", entry, args)
    given = as_frame(args[0]) if step == "chunk" else args[0]
    if step != "chunk":
        given = record(on, f"{DATAFRAME}core._concat", FUNCTIONS["_concat"], args)
    if "func" in kwargs:  # somebody's own
        return on.call(kwargs["func"], (given,), {key: kwargs[key] for key in kwargs if key != "func"})
    first = getattr(owner, "reduction_chunk", None)
    last = getattr(owner, "reduction_aggregate", None) or getattr(owner, "aggregate_func", None) or first
    called = first if step == "chunk" else last
    if step == "combine":
        called = getattr(owner, "reduction_combine", None) or last
    if called is None:
        raise Unknown(f"no rule for {owner.__name__}.{step}")
    if called is builtins.sum:
        called = methodcaller("sum")
    found = on.call(called, (given,), kwargs)
    if step != "aggregate" and isinstance(found, FrameOf) and found.kind == "series" and given.kind == "frame":
        return replace(found, kind="frame", rows=1.0, columns=given.columns)  # a row, so that rows can be put together
    return found


@rule(f"{DATAFRAME}core.apply_and_enforce")
def apply_and_enforce(on: Any, name: str, /, *args: Any, _func: Any, _meta: Any = None, **kwargs: Any) -> Any:
    """Call, and look whether the result is like what was promised."""
    return promised(on.call(_func, args, kwargs), _meta)


@rule(f"{DATAFRAME}utils.check_meta")
def check_meta(on: Any, name: str, /, x: Any, meta: Any, *_: Any, **__: Any) -> Any:
    """Look whether a partition is like what was promised; that costs as much for any number of rows."""
    on.part(name, "view", why="looks at names and data types", confidence=LINEAR)
    return promised(x, meta)


def promised(value: Any, meta: Any) -> Any:
    """Return a value, as far as it is not known as Dask promises that it is: rows and bytes depend on data."""
    if isinstance(value, FrameOf) or not (value is UNKNOWN or isinstance(value, ArrayOf)):
        return value
    shape = getattr(meta, "shape", None)
    if isinstance(meta, FrameOf):
        kind, columns = meta.kind, meta.columns
    elif isinstance(shape, tuple) and len(shape) == 2 and hasattr(meta, "columns"):
        kind, columns = "frame", tuple(meta.columns)
    elif isinstance(shape, tuple) and len(shape) == 1 and hasattr(meta, "name"):
        kind, columns = "series", (meta.name,)
    else:
        return value
    return FrameOf(kind, None, value.nbytes if isinstance(value, ArrayOf) else None, columns)


@rule(f"{DATAFRAME}io.io._partition_from_array")
def from_array(on: Any, name: str, /, data: Any, index: Any = None, columns: Any = None, **_: Any) -> FrameOf:
    """Make a partition of an array; pandas keeps a reference to it."""
    array = as_array(data)
    names = tuple(columns) if isinstance(columns, list | tuple) else (columns,) if isinstance(columns, str) else None
    on.part(name, "view", why="keeps the array", confidence=LINEAR)
    return FrameOf("frame" if array.ndim == 2 else "series", array.known_shape[0], array.known_nbytes, names)


@rule(f"{EXPRESSIONS}_reductions.Aggregate._call_with_list_arg")
def call_with_list(on: Any, name: str, /, func: Any, *args: Any, **kwargs: Any) -> Any:
    """``func([args])``."""
    return on.call(func, (list(args),), kwargs)


@rule(f"{DATAFRAME}methods.values")
def values(on: Any, name: str, /, df: Any) -> Any:
    """Return the values of a frame."""
    return method(on, "values", as_frame(df))


@rule(f"{DATAFRAME}core.safe_head", f"{DATAFRAME}core.safe_tail")
def safe_head(on: Any, name: str, /, df: Any, n: int) -> Any:
    """Take some rows."""
    return method(on, "head", as_frame(df), n)


@rule(f"{EXPRESSIONS}_expr.RenameFrame.operation")
def rename_frame(on: Any, name: str, /, df: Any, columns: Any) -> Any:
    """Give columns other names."""
    return renamed(on, "rename", as_frame(df), columns=columns)


@rule(f"{EXPRESSIONS}_expr.RenameSeries.operation", f"{EXPRESSIONS}_expr.ColumnsSetter.operation")
def rename_series(on: Any, name: str, /, df: Any, index: Any, *_: Any) -> Any:
    """Give a series another name, or columns others."""
    return renamed(on, "rename", as_frame(df), columns=index)


@rule(f"{EXPRESSIONS}_expr.assign", f"{DATAFRAME}methods.assign")
def assign(on: Any, name: str, /, df: Any, *pairs: Any) -> Any:
    """Add columns: references to what is there, and a copy of what is new."""
    frame = as_frame(df)
    names, given = pairs[::2], pairs[1::2]
    columns = None if frame.columns is None else (*frame.columns, *(one for one in names if one not in frame.columns))
    whole, written = [frame], 0.0
    for one in given:
        if one is UNKNOWN:
            raise Unknown("an input is not known")
        new = constant_column(on, frame) if isinstance(one, int | float | str) else as_frame(one)
        if not sizes_known(on, name, frame, new):
            return without_size(frame, columns=columns)
        written += new.known_nbytes
        whole.append(new)
    result = joined(on, whole, kind="frame", rows=frame.rows, columns=columns)
    on.part(name, "moving", 0.0, 2 * written, moved=True, confidence=0.8)
    return result


def constant_column(on: Any, frame: FrameOf) -> FrameOf:
    """Return a column with one value."""
    if not sizes_known(on, "pandas.assign", frame):
        return FrameOf("series", None, None)
    rows = rows_of(on, frame)
    return FrameOf("series", frame.rows, 8 * rows)


@rule(f"{EXPRESSIONS}_accessor.FunctionMap.operation", f"{EXPRESSIONS}_accessor.PropertyMap.operation")
def accessed(on: Any, name: str, /, df: Any, accessor_name: str, attr: str, *_: Any) -> Any:
    """Interpret what ``series.str``, ``series.dt`` or ``series.cat`` does."""
    return accessor(on, as_frame(df), accessor_name, attr)


@rule(f"{EXPRESSIONS}_expr._random_split_take")
def random_split_take(on: Any, name: str, /, pieces: Any, *_: Any) -> Any:
    """Take one of the pieces."""
    if not isinstance(pieces, Pieces):
        raise Unknown("an input is not known")
    return pieces.piece


@rule(f"{EXPRESSIONS}_shuffle.SortValuesBlockwise.operation", f"{EXPRESSIONS}_shuffle.SortIndexBlockwise.operation")
def sort_partition(on: Any, name: str, /, df: Any, *_: Any, **__: Any) -> Any:
    """Sort a partition."""
    return method(on, "sort_values", as_frame(df))


@rule(f"{EXPRESSIONS}_shuffle.SetIndexBlockwise.operation", f"{EXPRESSIONS}_shuffle._SetIndexPost.operation")
def set_index(on: Any, name: str, /, df: Any, *args: Any, drop: bool = True, **_: Any) -> Any:
    """Make a column the index."""
    return method(on, "set_index", as_frame(df), *args, drop=drop)


def _of_unknown(on: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    """Interpret a method of something of which only the size is known: only frames have it."""
    return method(on, name.removeprefix("ndarray."), as_frame(args[0]), *args[1:], **kwargs)


#: methods that only pandas objects have
ONLY_FRAMES = (
    "fillna isna notna isin between drop_duplicates value_counts dropna query reset_index set_index to_frame abs melt "
    "sort_values sort_index rename head tail nlargest nsmallest map ffill bfill shift nunique unique cummax cummin "
    "explode add_prefix add_suffix replace mask where combine_first diff rank idxmin idxmax memory_usage"
)
METHODS.update({one: _of_unknown for one in ONLY_FRAMES.split() if one not in METHODS})
