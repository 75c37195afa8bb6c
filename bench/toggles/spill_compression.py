"""Compression of what workers spill: which state is best follows from disk × data, and from what Dask is set to do.

*Off* is Dask's setting: lz4, where it is installed. Phases make blocks beyond the workers' memory, wait for all, then
go over each, so that what is beyond goes to disk and comes back. On disks that take 100 MB/s, *sparse*: a tenth of the
words are not zero, which leaving zeros out serves best; *text*: that does nothing for it, a library does.

On the disk as it is, files go to the page cache while there is memory to spare, and even lz4 takes longer than that:
*text* again, and *noise*, which nothing makes smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from dask._task_spec import TaskRef

import asafess

from .case import Case, Program, Wanted, phased, phases_and_both
from .graph import Graph, Marks, Part
from .moving import block, digest

WORKERS = 2
#: of each worker; only data counts, so that it is known what is spilled
MEMORY = "100MB"
CONFIG = (
    ("distributed.worker.memory.target", 0.6),
    ("distributed.worker.memory.spill", False),
    ("distributed.worker.memory.pause", False),
    ("distributed.worker.memory.terminate", False),
)
#: kind of a phase → of data
DATA = {"sparse": "10 %", "text": "text", "noise": "100 %"}
#: a limited disk, and of each worker the blocks of a phase there: 60 MB stay in memory
DISK, BLOCKS = "100MB", 40
#: and on the disk as it is
BLOCKS_UNLIMITED = 100
#: words of a block
WORDS, SMALL_WORDS, SMALL_BLOCKS = 500_000, 1_000, 4
#: blocks of the small program before each run, for each worker: some go to disk
WARM_BLOCKS = 20


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
    """Return the programs: those on a limited disk, then those on the disk as it is."""
    words = SMALL_WORDS if small else WORDS

    def parts(blocks: int, *kinds: str) -> dict[str, Part]:
        return {kind: beyond_part(DATA[kind], SMALL_BLOCKS if small else blocks, words) for kind in kinds}

    limited, as_it_is = (Wanted(WORKERS, memory=MEMORY, disk=disk, config=CONFIG) for disk in (DISK, None))
    both = ("sparse", "text")
    found = phases_and_both(limited, parts(BLOCKS, *both), parts(WARM_BLOCKS, *both), times=1)
    for kind in ("text", "noise"):
        part, warm = parts(BLOCKS_UNLIMITED, kind)[kind], parts(WARM_BLOCKS, kind)[kind]
        found.append(phased(f"disk as it is, {kind}", as_it_is, [(kind, part)], [(kind, warm)]))
    return found


#: without *null*: it has a case of its own
CASE = Case(
    "spill_compression", ("spill_compression",), programs, settings={"window": "500ms"}, needs=("lz4",), null=False
)
