"""Rules of rows that go to another partition, and of joins: what a shuffle makes ready, sends, and puts together.

How many rows match depends on data: a join's result has no size, and what is fused with it takes as much as both sides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from asafess.compiler.abstract.values import FrameOf, Unknown
from asafess.compiler.rules import exchange
from asafess.compiler.rules.frame_functions import DATAFRAME, EXPRESSIONS
from asafess.compiler.rules.frame_values import (
    DISTRIBUTED,
    LINEAR,
    as_frame,
    estimated,
    joined,
    rows_of,
    scaled,
    sizes_known,
    without_size,
)
from asafess.compiler.rules.table import rule

#: operations for each value that says where a row goes: a hash
HASH = 100.0
#: operations for each row that is looked up among others: a hash, a probe on each side, two gathered indices
MATCH = 200.0


@rule(f"{EXPRESSIONS}_shuffle.AssignPartitioningIndex.operation")
def assign_partitions(on: Any, name: str, /, df: Any, index: Any, column: Any = "_partitions", *_: Any) -> FrameOf:
    """Hash what rows are told apart by, and write the partition of each beside it."""
    frame = as_frame(df)
    columns = None if frame.columns is None else (*frame.columns, column)
    if not sizes_known(on, name, frame):
        return without_size(frame, kind="frame", columns=columns)
    rows = rows_of(on, frame)
    keys = index if isinstance(index, list) else [index]
    on.part(name, "frame", HASH * rows * len(keys), 8 * rows * (len(keys) + 2), confidence=LINEAR)
    partitions = replace(frame, kind="series", rows=frame.rows, columns=(column,))
    partitions = scaled(partitions, 8 * rows / frame.known_nbytes if frame.known_nbytes else 0.0)
    return joined(on, [frame, partitions], kind="frame", rows=frame.rows, columns=columns)


@rule(f"{EXPRESSIONS}_shuffle.SimpleShuffle._shuffle_group", f"{DATAFRAME}shuffle.shuffle_group")
def shuffle_group(on: Any, name: str, /, df: Any, *args: Any) -> dict[int, FrameOf]:
    """Split a partition in as many pieces as it says, of about equal size."""
    frame = as_frame(df)
    pieces = next((arg for arg in args[3:] if isinstance(arg, int) and not isinstance(arg, bool)), None)
    if not pieces:
        raise Unknown("the number of pieces is not known")
    if not sizes_known(on, name, frame):
        return dict.fromkeys(range(pieces), without_size(frame))
    on.part(name, "moving", 0.0, 2 * frame.known_nbytes, moved=True, confidence=LINEAR)
    rows = None if frame.rows is None else frame.rows / pieces
    return dict.fromkeys(range(pieces), scaled(frame, 1 / pieces, rows=rows))


@rule(f"{DATAFRAME}core.split_evenly")
def split_evenly(on: Any, name: str, /, df: Any, k: int) -> dict[int, FrameOf]:
    """Cut a partition in slices; they are views until somebody copies them."""
    frame = as_frame(df)
    on.part(name, "view", why="cuts a partition", confidence=LINEAR)
    rows = None if frame.rows is None else frame.rows / k
    return dict.fromkeys(range(k), scaled(frame, 1 / k, rows=rows))


@rule(f"{EXPRESSIONS}_shuffle._shuffle_transfer")
def shuffle_transfer(on: Any, name: str, /, input: Any, *args: Any) -> Any:
    """Send a partition to a p2p shuffle."""
    return exchange.transfer(on, name, as_frame(input), *args)


@rule(f"{EXPRESSIONS}_merge.create_assign_index_merge_transfer.<locals>.assign_index_merge_transfer")
def merge_transfer(on: Any, name: str, /, df: Any, index: Any, column: Any, npartitions: int, *_: Any) -> Any:
    """Hash the keys of a partition, and send it to a p2p shuffle."""
    frame = assign_partitions(on, name, df, index, column)
    return exchange.transfer(on, f"{exchange.SHUFFLE}_merge.merge_transfer", frame)


@rule("distributed.shuffle._merge.merge_unpack")
def merge_unpack(
    on: Any, name: str, /, left: Any, right: Any, part: Any, barrier: Any, other: Any, how: str, *_: Any, **__: Any
) -> Any:
    """Put a partition of both sides together, and join them."""
    sides = [exchange.unpack(on, name, which, part, sent) for which, sent in ((left, barrier), (right, other))]
    return merge_chunk(on, name, *sides, how=how)


@rule(f"{DATAFRAME}multi.merge_chunk")
def merge_chunk(on: Any, name: str, /, lhs: Any, rhs: Any, *_: Any, how: str = "inner", **__: Any) -> FrameOf:
    """Join two partitions: hash the rows of one, look up those of the other, and gather the columns of both."""
    frames = as_frame(lhs), as_frame(rhs)
    names = [one.columns for one in frames]
    columns = None
    if names[0] is not None and names[1] is not None and not set(names[0][1:]) & set(names[1][1:]):
        columns = tuple(dict.fromkeys((*names[0], *names[1])))
    if not sizes_known(on, name, *frames):
        return FrameOf("frame", None, None, columns)
    read = sum(one.known_nbytes for one in frames)
    rows = sum(rows_of(on, one) for one in frames)
    on.part(name, "frame", MATCH * rows, 1.5 * read + 8 * rows, confidence=DISTRIBUTED)
    if how == "leftsemi":
        return estimated(
            on, "frame", frames[0].columns, frames[0].known_nbytes, "at most: how many match depends on data"
        )
    return estimated(on, "frame", columns, read, "as much as both sides: how many match depends on data")
