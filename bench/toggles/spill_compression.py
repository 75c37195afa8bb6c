"""Compression of what workers spill: which state is best follows from disk × data, and what Dask is configured to do.

*Off* is Dask's setting: lz4, where it is installed. Phases make blocks beyond the workers' memory, wait for all, then go
over each, so that what is beyond goes to disk and comes back. *Sparse*: a tenth of the words are not zero, which leaving
zeros out serves best. *Text*: that does nothing for it, a library does. *Noise*: nothing does.

On the disk as it is, files go to the page cache while there is memory to spare, and even lz4 takes longer than that. And
on disks that take 100 MB/s, such as a cloud's ordinary ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from dask._task_spec import TaskRef

import asafess

from .case import Case, Program, Wanted, phases_and_both
from .graph import Graph, Marks, Part
from .moving import block, digest

WORKERS = 2
#: of each worker; only data counts, so that it is known what is spilled
MEMORY = "250MB"
CONFIG = (
    ("distributed.worker.memory.target", 0.6),
    ("distributed.worker.memory.spill", False),
    ("distributed.worker.memory.pause", False),
    ("distributed.worker.memory.terminate", False),
)
#: name → rate of the disks, blocks of a phase for each worker: 150 MB stay in memory
DISKS: dict[str, tuple[str | None, int]] = {"disk as it is": (None, 60), "disk 100MB": ("100MB", 30)}
#: kind of a phase → of data
DATA = {"sparse": "10 %", "text": "text", "noise": "100 %"}
#: bytes of a word, words of a block
WORD = 8
WORDS, SMALL_WORDS, SMALL_BLOCKS = 1_000_000, 1_000, 4
#: blocks of the small program before each run, for each worker: some go to disk
WARM_BLOCKS = 24


@lru_cache(maxsize=4)
def pattern(words: int, kind: str) -> np.ndarray:
    """Return the data that all blocks of a kind have; to make it takes longer than to spill it."""
    return block(None, 0, words, kind)


@asafess.task(loads={"memory": 1e6}, name="filled")
def filled(before: Marks, k: int, words: int, kind: str) -> np.ndarray:
    """Make a block."""
    return np.roll(pattern(words, kind), k)


def there(one: np.ndarray) -> float:
    """Be there when a block is."""
    return 0.0


def gate(*blocks: float) -> float:
    """Wait until all blocks are there."""
    return 0.0


@asafess.task(per_byte={"memory": 1.0}, name="read")
def read(one: np.ndarray, gate: float) -> float:
    """Go over a block."""
    return digest(one)


def beyond_part(kind: str, blocks: int, words: int) -> Part:
    """Return a phase in which each worker makes so many blocks of a kind of data, and needs each of them later."""

    def part(graph: Graph, suffix: str) -> Sequence[TaskRef]:
        workers = len(graph.workers)
        each = range(blocks * workers)
        made = [graph.add((f"filled-{suffix}", k), filled, graph.last, k, words, kind, at=k % workers) for k in each]
        waited = [graph.add((f"there-{suffix}", k), there, made[k], at=k % workers) for k in each]
        opened = graph.add((f"gate-{suffix}", 0), gate, *waited)
        return [graph.add((f"read-{suffix}", k), read, made[k], opened, at=k % workers) for k in each]

    return part


def programs(small: bool) -> list[Program]:
    """Return the programs: disks outermost, so that each one's cluster is started once."""
    found = []
    for name, (rate, blocks) in DISKS.items():
        if small:
            blocks, words, warm_blocks = SMALL_BLOCKS, SMALL_WORDS, SMALL_BLOCKS
        else:
            words, warm_blocks = WORDS, WARM_BLOCKS
        parts = {kind: beyond_part(data, blocks, words) for kind, data in DATA.items()}
        warm = {kind: beyond_part(data, warm_blocks, words) for kind, data in DATA.items()}
        on = Wanted(WORKERS, memory=MEMORY, disk=rate, config=CONFIG)
        found += [replace(one, name=f"{name}, {one.name}") for one in phases_and_both(on, parts, warm, times=1)]
    return found


CASE = Case("spill_compression", ("spill_compression",), programs, settings={"window": "500ms"}, needs=("lz4",))
