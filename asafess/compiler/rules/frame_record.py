"""Operations of pandas objects by the table: what is recorded, and what comes out."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from asafess.compiler.abstract.values import ArrayOf, FrameOf, Unknown, nbytes_in
from asafess.compiler.rules.frame_tables import Entry
from asafess.compiler.rules.frame_values import (
    DISTRIBUTED,
    LINEAR,
    at_most,
    estimated,
    frames_in,
    joined,
    rows_of,
    scaled,
    sizes_known,
    without_size,
)

#: comparisons for each row of a sort where nobody knows how many rows there are: log2 of a million
COMPARISONS = 20.0
#: operations of a comparison, with moving the row that lost
COMPARISON = 20.0
#: bytes of a yes or no, in those of an element
BYTE = 1 / 8


def record(on: Any, name: str, entry: Entry, args: tuple[Any, ...], axis: Any = None) -> Any:
    """Record an operation of the table on the frames among its arguments, and return its result."""
    kind, per, like = entry
    frames = frames_in(args)
    first = frames[0]
    if axis in (1, "columns") and like in ("small", "join"):
        like = "column" if like == "small" else "beside"
    if not sizes_known(on, name, *frames):
        return kind_of(like, frames)
    read = sum(one.known_nbytes for one in frames)
    result = result_of(on, like, frames)
    if kind == "view":
        on.part(name, kind, why="hands columns on", confidence=LINEAR)
        return result
    written = _written(result, read, like)
    elements = read / 8
    if per < 0:
        rows = rows_of(on, first)
        flop = COMPARISON * rows * (COMPARISONS if first.rows is None else math.log2(max(2.0, rows)))
    else:
        flop = per * elements
    sure = DISTRIBUTED if like in ("some", "groups", "any") or kind == "sort" else LINEAR
    on.part(name, kind, flop, read + written, moved=kind == "moving", confidence=sure)
    return result


def _written(result: Any, read: float, like: str) -> float:
    """Return the bytes of a result: of those whose number depends on data, half of what was read."""
    if like in ("some", "groups", "any"):
        return read / 2
    return nbytes_in(result)


def result_of(on: Any, like: str, frames: list[FrameOf]) -> Any:
    """Return what an operation makes of frames; the words are those of `frame_tables`."""
    first = frames[0]
    wide = len(first.columns or (0,)) if first.kind == "frame" else 1
    if like == "same" and first.rows == 1.0 and first.kind == "series" and first.columns is None:
        return ArrayOf((), 8, 8.0)  # numbers
    if like == "same":
        return max(frames, key=lambda one: one.nbytes or 0.0) if first.nbytes is not None else first
    if like == "first":
        return first
    if like == "mask":
        return scaled(first, BYTE) if first.rows is None else replace(first, nbytes=first.rows * wide)
    if like in ("column", "short", "truth"):
        width = {"column": 8.0, "short": 4.0, "truth": 1.0}[like]
        if first.rows is None:
            return scaled(first, width / 8 / wide, kind="series", columns=None)
        return FrameOf("series", first.rows, width * first.rows)
    if like == "small":
        if first.kind == "frame":
            return FrameOf("series", None if first.columns is None else float(wide), 8.0 * wide)
        return ArrayOf((), 8, 8.0)
    if like == "row":
        return FrameOf("frame", 1.0, 8.0 * wide)
    if like == "tiny":
        return FrameOf(first.kind, None, 64.0 * wide, first.columns)
    if like in ("some", "groups"):
        return at_most(on, joined(on, frames), **({"columns": None} if like == "groups" else {}))
    if like == "any":
        return estimated(on, "frame", None, first.known_nbytes, "as much as before: how much comes out depends on data")
    if like == "join":
        return joined(on, frames)
    if like == "beside":
        names = [one.columns for one in frames]
        columns = None if None in names else tuple(name for one in names for name in one or ())
        return joined(on, frames, kind="frame", rows=first.rows, columns=columns)
    raise Unknown(f"no result {like}")


def kind_of(like: str, frames: list[FrameOf]) -> Any:
    """Return what is known of a result without the sizes of what it is made of."""
    first = frames[0]
    if like in ("column", "short", "truth"):
        return FrameOf("series", None, None)
    if like in ("any", "beside", "groups"):
        return FrameOf("frame", None, None)
    if like == "small" and first.kind == "frame" and first.columns is None:
        return FrameOf("series", None, None)
    if like in ("small", "row", "tiny"):
        return result_of(None, like, frames)
    return without_size(first)
