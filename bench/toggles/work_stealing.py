"""Work stealing. Tasks run where what they need lies; here that is one worker, and stealing takes some elsewhere.

*Uneven*: they compute, and need little. They must be spread. *Heavy*: each needs a block of its own and does little
with it. Dask reckons with the speed of a fast link, takes too many, and their blocks follow them over a slow one
(distributed#9262, #6600, #6993): on 100 Mbit/s, because on loopback a block moves faster than Dask reckons.

To Dask, tasks that need fewer than five keys in all are root tasks, which are spread anyway; so there are more blocks,
several tasks need each, and all begin when all blocks are there. Dask steals once a second, so phases take some.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np
from dask._task_spec import TaskRef

from .case import Case, Program, Wanted, phases_and_both
from .graph import Graph, Part
from .moving import digest

LINK = "100mbit"
#: of each phase: tasks, words of a block, and how often a task goes over words of its own
UNEVEN, HEAVY = (120, 1_000, 30), (160, 3_000_000, 2)
SMALL_UNEVEN, SMALL_HEAVY = (12, 100, 2), (12, 10_000, 2)
BLOCKS = 12
#: words of its own: few operations on many words, because between two of them a worker's other threads get their turn,
#: and because the compiler follows a thousand steps of a function, so that types are known before anything has run
OWN_WORDS = 800_000
#: tasks of a phase in the small program before each run
WARM = 12
MOST_WORKERS = 4


def filled(before: object, k: int, words: int) -> np.ndarray:
    """Make a block."""
    return np.full(words, float(k))


def gate(*blocks: np.ndarray) -> float:
    """Wait until all blocks are there."""
    return 0.0


def compute(one: np.ndarray, gate: float, times: int) -> float:
    """Add up a block, and go over other words so many times; each depends on the last."""
    x = np.arange(OWN_WORDS, dtype=np.float64) + one.sum() + gate
    for _ in range(times):
        # in place: what a worker frees goes back to the system, and would have to be got again
        np.multiply(x, x, out=x)
        np.add(x, 1.0, out=x)
        np.sqrt(x, out=x)
    return digest(x)


def light(one: np.ndarray, gate: float, times: int) -> float:
    """Do the same; under a name of its own, since Dask knows the durations of tasks by name."""
    return compute(one, gate, times)


def local_part(function: Callable[[np.ndarray, float, int], float], tasks: int, words: int, times: int) -> Part:
    """Return a phase of tasks that need one of a few blocks each, all of which lie on the first worker."""
    name = function.__name__

    def part(graph: Graph, suffix: str) -> Sequence[TaskRef]:
        blocks = [graph.add((f"{name}-block-{suffix}", k), filled, graph.last, k, words, at=0) for k in range(BLOCKS)]
        opened = graph.add((f"{name}-gate-{suffix}", 0), gate, *blocks, at=0)
        return [graph.add((f"{name}-{suffix}", k), function, blocks[k % BLOCKS], opened, times) for k in range(tasks)]

    return part


def programs(small: bool) -> list[Program]:
    """Return the programs."""
    on = Wanted(workers=min(max(2, os.cpu_count() or 1), MOST_WORKERS), link=LINK)
    uneven, heavy = (SMALL_UNEVEN, SMALL_HEAVY) if small else (UNEVEN, HEAVY)
    parts = {"uneven": local_part(compute, *uneven), "heavy": local_part(light, *heavy)}
    warm = {"uneven": local_part(compute, WARM, *uneven[1:]), "heavy": local_part(light, WARM, *heavy[1:])}
    return phases_and_both(on, parts, warm, times=1 if small else 2)


CASE = Case("work_stealing", ("work_stealing",), programs)
