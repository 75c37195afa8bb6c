"""Rules of what moves in `dask.bag`: groups that are split and put together, partitions that are cut or joined.

What a bag does with each item is a function of its user's, or a loop of Python's over objects. Neither has operations
that could be counted, so it stays without a type and is measured. What only hands items on is known by its bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf, Unknown, sized
from asafess.compiler.rules.frame_values import DISTRIBUTED
from asafess.compiler.rules.table import rule
from asafess.compiler.rules.wrapper import identity

BAG = "dask.bag.core."
#: bytes of an item in a list, with its place there, where only their number is known
ITEM = 64.0
#: results of partitions that are put together into one number
SMALL = ("builtins.sum", "builtins.max", "builtins.min", "builtins.any", "builtins.all", "builtins.len")


@dataclass(frozen=True, slots=True)
class Groups:
    """Which of so many groups an item belongs to, of a step of a shuffle."""

    count: int


def nbytes_of(on: Any, items: Any) -> float:
    """Return the bytes of a partition; raises `Unknown`."""
    if isinstance(items, ArrayOf | FrameOf):
        return items.known_nbytes
    if isinstance(items, list | tuple) and not any(one is UNKNOWN for one in items):
        on.hedge(DISTRIBUTED, f"items of {ITEM:.0f} bytes")
        return sum(one.known_nbytes if isinstance(one, ArrayOf | FrameOf) else ITEM for one in items)
    if isinstance(items, dict) and not items:
        return 0.0
    raise Unknown("the size of a partition is not known")


def handed_on(on: Any, name: str, nbytes: float) -> None:
    """Record that items were put into other lists: each is looked at, and its place written."""
    on.part(name, "moving", 0.0, nbytes, moved=True, confidence=DISTRIBUTED, why="hands items on")


@rule(f"{BAG}make_group")
def make_group(on: Any, name: str, /, k: int, stage: int) -> Groups:
    """Say how many groups a step of a shuffle has."""
    return Groups(k)


@rule("toolz.itertoolz.groupby", "cytoolz.itertoolz.groupby")
def groupby(on: Any, name: str, /, key: Any, seq: Any) -> Any:
    """Split a partition for a shuffle; what a user groups by is a function of theirs."""
    if not isinstance(key, Groups):
        raise Unknown("groups by a function")
    nbytes = nbytes_of(on, seq)
    handed_on(on, name, nbytes)
    return dict.fromkeys(range(key.count), sized(nbytes / key.count / 8, None))


@rule("builtins.dict.get")
def get(on: Any, name: str, /, groups: Any, key: Any, default: Any = None) -> Any:
    """Take one group."""
    if isinstance(groups, dict):
        return groups.get(key, default)
    raise Unknown("an input is not known")


@rule("toolz.itertoolz.concat", "cytoolz.itertoolz.concat", f"{BAG}finalize")
def concat(on: Any, name: str, /, seqs: Any) -> Any:
    """Put lists together."""
    if not isinstance(seqs, list | tuple):
        raise Unknown("how many lists there are is not known")
    nbytes = sum(nbytes_of(on, one) for one in seqs)
    handed_on(on, name, nbytes)
    return sized(nbytes / 8, None)


@rule(f"{BAG}split")
def split(on: Any, name: str, /, seq: Any, n: int) -> list[Any]:
    """Cut a partition."""
    nbytes = nbytes_of(on, seq)
    handed_on(on, name, nbytes)
    return [sized(nbytes / n / 8, None)] * n


@rule(f"{BAG}reify", "builtins.list")
def reify(on: Any, name: str, /, seq: Any = ()) -> Any:
    """Make a list of what makes items one by one: the work is in what makes them."""
    return seq if seq is UNKNOWN or isinstance(seq, ArrayOf) else identity(on, "builtins.list", seq)


@rule("toolz.itertoolz.first", "toolz.itertoolz.second", "cytoolz.itertoolz.first", "cytoolz.itertoolz.second")
def item(on: Any, name: str, /, seq: Any) -> Any:
    """Take one of the first items."""
    if isinstance(seq, list | tuple):
        return seq[name.endswith("second")]
    on.part(name, "view", why="takes an item", confidence=DISTRIBUTED)
    return UNKNOWN


@rule("dask.bag.chunk.barrier")
def barrier(on: Any, name: str, /, *_: Any) -> None:
    """Wait."""


@rule(f"{BAG}safe_take")
def safe_take(on: Any, name: str, /, n: int, b: Any, warn: bool = True) -> Any:
    """Take the first items."""
    on.part(name, "view", why="takes some items", confidence=DISTRIBUTED)
    return sized(n * ITEM / 8, None)


@rule(f"{BAG}empty_safe_aggregate")
def aggregate(on: Any, name: str, /, func: Any, parts: Any, is_last: bool) -> Any:
    """Put a number of each partition together; anything else may be as large as it likes."""
    called = f"{getattr(func, '__module__', '')}.{getattr(func, '__name__', '')}"
    if called not in SMALL or not isinstance(parts, list):
        raise Unknown(f"partitions are handed to {called}")
    on.part(name, "reduction", float(len(parts)), ITEM * len(parts), confidence=DISTRIBUTED)
    return sized(1, None)


@rule(f"{BAG}to_dataframe")
def to_dataframe(on: Any, name: str, /, seq: Any, columns: Any, dtypes: Any) -> FrameOf:
    """Say what columns there are; Python makes the rows one by one, so what it costs is not known."""
    on.unknown(name, "makes rows of Python's objects")
    return FrameOf("frame", None, None, tuple(columns))
