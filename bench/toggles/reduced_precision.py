"""Reduced precision on the wire: half the bytes, where each element allows it. Lossy.

*Exchange*: each block is needed on the next worker; half the bytes are half the time on a slow link. *Refused*: the
same with the last element of each so small that float32 has no bits for it, which is found out last; the blocks leave
as they are, and looking at them was in vain. On loopback rounding takes longer than what it saves.

A look costs a hundredth of what a slow link takes, so that on it *off* wins nothing to speak of anywhere: what decides
is the link, not the phase.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from dask._task_spec import TaskRef

from .case import Case, Program, Wanted, phased, phases_and_both
from .graph import Graph, Part

WORKERS = 2
LINK = "100mbit"
#: blocks of a phase on this link, and on loopback
BLOCKS, BLOCKS_LOOPBACK = 6, 100
#: how often a phase comes
TIMES = 2
SMALL_BLOCKS = 4
#: words of a block
WORDS, SMALL_WORDS = 500_000, 2_000
#: of the small program before each run
WARM_BLOCKS = 4
#: an element that float32 has no bits for
TINY = 1e-300
#: of sums of positive numbers, each within 2⁻²⁴; twice that between two arms, and what adding up loses
ERROR = 2.0**-22


def positive(before: object, k: int, words: int, last: float | None) -> np.ndarray:
    """Make block k: positive numbers, none of which float32 has; the last element as given.

    >>> positive(None, 0, 3, 5.0)
    array([1.1, 1.2, 5. ])
    """
    made = np.linspace(1.1, 1.2, words - 1) + k
    return np.append(made, 1.3 if last is None else last)


def total(moved: np.ndarray) -> float:
    """Add up a block."""
    return float(moved.sum())


def exchange_part(kind: str, blocks: int, words: int, last: float | None) -> Part:
    """Return a phase in which each block is made on one worker and needed on the next."""

    def part(graph: Graph, suffix: str) -> Sequence[TaskRef]:
        workers = len(graph.workers)
        made = [
            graph.add((f"{kind}-block-{suffix}", k), positive, graph.last, k, words, last, at=k % workers)
            for k in range(blocks)
        ]
        return [
            graph.add((f"{kind}-total-{suffix}", k), total, one, at=(k + 1) % workers) for k, one in enumerate(made)
        ]

    return part


def programs(small: bool) -> list[Program]:
    """Return the programs: those on a slow link, then that on loopback."""
    words = SMALL_WORDS if small else WORDS

    def parts(blocks: int) -> dict[str, Part]:
        lasts = {"exchange": None, "refused": TINY}
        many = SMALL_BLOCKS if small else blocks
        return {kind: exchange_part(kind, many, words, last) for kind, last in lasts.items()}

    slow, quick = Wanted(WORKERS, link=LINK), Wanted(WORKERS)
    found = phases_and_both(slow, parts(BLOCKS), parts(WARM_BLOCKS), times=1 if small else TIMES)
    part, warm = parts(BLOCKS_LOOPBACK)["exchange"], parts(WARM_BLOCKS)["exchange"]
    return [*found, phased("loopback exchange", quick, [("exchange", part)], [("exchange", warm)])]


#: without *null*: it has a case of its own
CASE = Case(
    "reduced_precision", ("reduced_precision",), programs, settings={"window": "500ms"}, null=False, error=ERROR
)
