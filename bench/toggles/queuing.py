"""Queuing of root tasks. A *swarm* of tiny ones wants the queue open: queued, each waits for a round trip.

*Data*-heavy ones, reduced in pairs, want it closed: all sent at once, they fill the workers' memory before anything is
reduced (distributed#6560: "up to 2x both ways"). `bench.look_ahead` measures the same program.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from dask._task_spec import TaskRef

import asafess

from .case import Case, Program, Wanted, phases_and_both
from .graph import Graph, Marks, Part

#: bytes of a word
WORD = 8
#: sizes of a phase: tasks of a swarm, blocks and megabytes of one; the same where everything is small, and to warm up
TASKS, BLOCKS, MEGABYTES = 600, 96, 24.0
SMALL_TASKS, SMALL_BLOCKS, SMALL_MEGABYTES = 40, 8, 0.1
WARM_TASKS, WARM_BLOCKS = 200, 12


@asafess.task(loads={"compute": 1e3}, name="swarm")
def swarm(before: Marks, k: int) -> int:
    """Do next to nothing."""
    return k


@asafess.task(loads={"memory": 1e6}, name="data")
def data(before: Marks, k: int, words: int) -> np.ndarray:
    """Make a block."""
    return np.full(words, float(k))


@asafess.task(per_byte={"memory": 1.0}, name="pair")
def pair(*blocks: np.ndarray) -> float:
    """Reduce two blocks, or one."""
    first, last = blocks[0], blocks[-1]
    return float(np.maximum(first, last).max())


def swarm_part(tasks: int) -> Part:
    """Return a phase of tiny root tasks."""

    def part(graph: Graph, suffix: str) -> Sequence[TaskRef]:
        return [graph.add((f"swarm-{suffix}", k), swarm, graph.last, k) for k in range(tasks)]

    return part


def data_part(blocks: int, words: int, together: int = 2) -> Part:
    """Return a phase of data-heavy root tasks, of which `together` are reduced at a time: two, or one."""

    def part(graph: Graph, suffix: str) -> Sequence[TaskRef]:
        made = [graph.add((f"data-{suffix}", k), data, graph.last, k, words) for k in range(blocks)]
        return [
            graph.add((f"pair-{suffix}", k), pair, *made[k * together : (k + 1) * together])
            for k in range(blocks // together)
        ]

    return part


def programs(small: bool) -> list[Program]:
    """Return the programs."""
    tasks, blocks = (SMALL_TASKS, SMALL_BLOCKS) if small else (TASKS, BLOCKS)
    words = int((SMALL_MEGABYTES if small else MEGABYTES) * 1e6 / WORD)
    warm = {"swarm": swarm_part(min(tasks, WARM_TASKS)), "data": data_part(min(blocks, WARM_BLOCKS), words)}
    # beyond 60 % of its memory a worker spills
    on = Wanted(workers=2, memory="1GB")
    parts = {"swarm": swarm_part(tasks), "data": data_part(blocks, words)}
    return phases_and_both(on, parts, warm, times=1 if small else 3)


#: the window is shorter than usual because the phases are
CASE = Case("queuing", ("queuing",), programs, settings={"window": "500ms"})
