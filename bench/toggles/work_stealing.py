"""Work stealing. *Uneven*: tasks that compute, all sent where the little that they need lies; they must be spread.

*Heavy*: tasks that each need a block of their own, lie where these lie, and do little with them. Dask reckons with the
speed of a fast link, takes some of them elsewhere, and their blocks come after them over a slow one (distributed#9262,
#6600, #6993). On a link of 100 Mbit/s: on loopback a block moves faster than Dask reckons.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from dask._task_spec import TaskRef

from .case import Case, Program, Wanted, phases_and_both
from .graph import Graph, Part
from .moving import block, digest

LINK = "100mbit"
#: tasks of the uneven phase, and how often each goes over its words
TASKS, WORDS, TIMES = 60, 20_000, 100
#: tasks of the heavy phase, words of a block, and how often each is gone over
BLOCKS, BLOCK_WORDS, BLOCK_TIMES = 60, 500_000, 4
SMALL_TASKS, SMALL_BLOCKS, SMALL_WORDS, SMALL_TIMES = 12, 8, 1_000, 2
WARM_TASKS, WARM_BLOCKS = 6, 4
MOST_WORKERS = 4


def compute(source: np.ndarray, k: int, times: int) -> float:
    """Go over some words so many times; each time depends on the last."""
    x = source + k
    for _ in range(times):
        x = np.sqrt(x * x + 1.0)
    return digest(x)


def light(one: np.ndarray, k: int, times: int) -> float:
    """Go over a block a few times."""
    return compute(one, k, times)


def uneven_part(tasks: int, words: int, times: int) -> Part:
    """Return a phase of tasks that need little, which lies on the first worker."""

    def part(graph: Graph, suffix: str) -> Sequence[TaskRef]:
        source = graph.add((f"source-{suffix}", 0), block, graph.last, 0, words, "100 %", at=0)
        return [graph.add((f"compute-{suffix}", k), compute, source, k, times) for k in range(tasks)]

    return part


def heavy_part(blocks: int, words: int, times: int) -> Part:
    """Return a phase of tasks that need a block each, all of which lie on the first worker."""

    def part(graph: Graph, suffix: str) -> Sequence[TaskRef]:
        made = [graph.add((f"block-{suffix}", k), block, graph.last, k, words, "100 %", at=0) for k in range(blocks)]
        return [graph.add((f"light-{suffix}", k), light, one, k, times) for k, one in enumerate(made)]

    return part


def programs(small: bool) -> list[Program]:
    """Return the programs."""
    on = Wanted(workers=min(max(2, os.cpu_count() or 1), MOST_WORKERS), link=LINK)
    if small:
        parts = {
            "uneven": uneven_part(SMALL_TASKS, SMALL_WORDS, SMALL_TIMES),
            "heavy": heavy_part(SMALL_BLOCKS, SMALL_WORDS, SMALL_TIMES),
        }
        return phases_and_both(on, parts, parts, times=1)
    parts = {"uneven": uneven_part(TASKS, WORDS, TIMES), "heavy": heavy_part(BLOCKS, BLOCK_WORDS, BLOCK_TIMES)}
    warm = {
        "uneven": uneven_part(WARM_TASKS, WORDS, TIMES),
        "heavy": heavy_part(WARM_BLOCKS, BLOCK_WORDS, BLOCK_TIMES),
    }
    return phases_and_both(on, parts, warm, times=2)


CASE = Case("work_stealing", ("work_stealing",), programs)
