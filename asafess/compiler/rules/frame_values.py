"""Values that the rules of pandas objects hand on: frames of which only an estimate is known, and pieces.

How many rows pass a filter, or how many groups there are, depends on data. Such a result has no size, and the scheduler
fills it in from its records. But operations that Dask has fused with the filter have no record to wait for: for them,
and only within that task, there is an estimate, such as the size of the input; confidence and reason say so.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf, Unknown, abstracted, leaves

#: how sure a count is that is linear in bytes; one that depends on how the data is distributed; one from an estimate
LINEAR, DISTRIBUTED, BOUNDED = 0.8, 0.5, 0.4
#: columns of 8 bytes that a frame is taken to have where nobody knows
COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Estimated(FrameOf):
    """A pandas object whose size depends on data; while the task that makes it is interpreted, there is an estimate.

    Examples
    --------
    >>> Estimated("frame", None, None, None, 800.0, "at most").known_nbytes
    Traceback (most recent call last):
    asafess.compiler.abstract.values.Unknown: the size of a partition is not known
    """

    #: bytes that it is taken to have within the task
    about: float = 0.0
    #: where that number is from
    why: str = ""
    #: the interpreter of the task that makes it, as a weak reference
    within: Any = field(default=None, compare=False, repr=False)

    @property
    def known_nbytes(self) -> float:
        """Bytes, within the task their estimate; raises `Unknown`."""
        if self.nbytes is not None:
            return self.nbytes
        on = None if self.within is None else self.within()
        if on is None:
            raise Unknown("the size of a partition is not known")
        on.hedge(BOUNDED, self.why)
        return self.about


@dataclass(frozen=True, slots=True)
class Pieces:
    """Something split in pieces of about equal size."""

    piece: Any


def at_most(on: Any, frame: FrameOf, **changes: Any) -> Estimated:
    """Return a frame of unknown size that is not larger than another one.

    Parameters
    ----------
    on : Interpreter
        Of the task that makes it.
    frame : FrameOf
        What it is made of.
    **changes
        Other fields of the result.
    """
    given = {"kind": frame.kind, "columns": frame.columns, **changes}
    return estimated(on, given["kind"], given["columns"], frame.known_nbytes, "at most: what is left depends on data")


def estimated(on: Any, kind: str, columns: tuple[Any, ...] | None, about: float, why: str) -> Estimated:
    """Return a frame of unknown size, with an estimate for the task that makes it."""
    return Estimated(kind, None, None, columns, about, why, weakref.ref(on))


def scaled(frame: FrameOf, share: float, **changes: Any) -> FrameOf:
    """Return a frame with a share of the bytes, or of what it has at most.

    Examples
    --------
    >>> scaled(FrameOf("frame", 10, 160.0, ("a", "b")), 0.5, kind="series", columns=("a",))
    FrameOf(kind='series', rows=10, nbytes=80.0, columns=('a',))
    """
    if isinstance(frame, Estimated):
        changes["about"] = frame.about * share
    return replace(frame, nbytes=None if frame.nbytes is None else frame.nbytes * share, **changes)


def joined(on: Any, frames: Sequence[FrameOf], **changes: Any) -> FrameOf:
    """Return what frames make one below the other."""
    first = frames[0]
    rows = None if any(one.rows is None for one in frames) else sum(one.rows or 0.0 for one in frames)
    given = {"kind": first.kind, "rows": rows, "columns": first.columns, **changes}
    nbytes = sum(one.known_nbytes for one in frames)
    for one in frames:
        if isinstance(one, Estimated) and one.nbytes is None:
            return estimated(on, given["kind"], given["columns"], nbytes, one.why)
    return FrameOf(given["kind"], given["rows"], nbytes, given["columns"])


def as_frame(value: Any) -> FrameOf:
    """Return an argument of a function of frames; raises `Unknown`.

    What the scheduler has recorded without knowing what it is, is a frame where such a function takes it.

    Examples
    --------
    >>> as_frame(ArrayOf(None, None, 800.0))
    FrameOf(kind='frame', rows=None, nbytes=800.0, columns=None)
    """
    value = abstracted(value)
    if isinstance(value, FrameOf):
        return value
    if isinstance(value, ArrayOf):
        rows = None if value.shape is None else float(value.shape[0]) if value.shape else 1.0
        return FrameOf("frame" if value.shape is None else "series", rows, value.nbytes)
    if isinstance(value, int | float):
        return FrameOf("series", 1.0, 8.0)
    raise Unknown("an input is not known" if value is UNKNOWN else f"an input is a {type(value).__name__}")


def rows_of(on: Any, frame: FrameOf) -> float:
    """Return the rows of a frame, estimated from its bytes where they are not known; raises `Unknown`."""
    if frame.rows is not None:
        return frame.rows
    nbytes = frame.known_nbytes
    on.hedge(DISTRIBUTED, "rows of columns of 8 bytes")
    return nbytes / 8 / max(1, 1 if frame.kind != "frame" else len(frame.columns or range(COLUMNS)))


def frames_in(args: Any) -> list[FrameOf]:
    """Return the frames among arguments, constants left out; raises `Unknown` where none is there or one not known."""
    found = []
    for leaf in leaves(list(args)):
        value = abstracted(leaf)
        if value is UNKNOWN or isinstance(value, FrameOf | ArrayOf):
            found.append(as_frame(value))
    if not found:
        raise Unknown("no input is a frame")
    return found


def sizes_known(on: Any, name: str, *frames: FrameOf) -> bool:
    """Say whether all frames have a size; record the operation as not known where one has none.

    A rule then still returns what kind of frame it makes, and of which columns: once the scheduler has recorded how
    large it is, that is all that is missing.
    """
    for frame in frames:
        if frame.nbytes is None and not (isinstance(frame, Estimated) and frame.within is not None and frame.within()):
            on.unknown(name, "the size of a partition is not known")
            return False
    return True


def without_size(frame: FrameOf, **changes: Any) -> FrameOf:
    """Return a frame like another one, of which neither rows nor bytes are known."""
    return FrameOf(changes.get("kind", frame.kind), None, None, changes.get("columns", frame.columns))
