"""Compression on the wire: which state is best follows from link, data and what a codec costs, not from the phase.

So there is no program with both, but a set of cells: links × data × how it moves (*tasks* that need what lies on the
next worker; a *p2p* rechunk). In each, adaptive must not lose to the best fixed state of that cell, which nobody knows
before; over the set, every single fixed state loses.

The bytes of a cell are such that sending them raw takes about as long on each link. What Dask offers itself,
``distributed.comm.compression``, is an arm, too: it looks at a sample of each frame, and not at the link.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import dask.array as da
import numpy as np
from distributed import Client, Future, wait

from asafess.workloads.placement import drop_replicas

from .case import Case, Program, Wanted
from .moving import KINDS, WORD, block, digest

#: link → megabytes of all blocks together: enough that what Dask takes to schedule a cell is a small part of it
MEGABYTES = {"loopback": 768.0, "1gbit": 576.0, "100mbit": 60.0}
BLOCKS, SMALL_BLOCKS, SMALL_WORDS = 16, 4, 1_600
MOST_WORKERS = 4


class _Blocks:
    """Blocks of one kind of data, made on the workers once, round robin."""

    def __init__(self, client: Client, workers: Sequence[str], kind: str, blocks: int, words: int) -> None:
        self.client, self.workers = client, workers
        # it would drop copies, also those at home
        client.amm.stop()
        self.blocks: list[Future] = [
            client.submit(block, None, k, words, kind, workers=[self._home(k)], pure=False) for k in range(blocks)
        ]
        text = KINDS[kind] is None
        #: of a block: text is kept as bytes
        self.columns = words * WORD if text else words
        self.dtype = np.dtype(np.uint8 if text else np.float64)
        wait(self.blocks)

    def _home(self, k: int) -> str:
        return self.workers[k % len(self.workers)]

    def prepare(self) -> None:
        """Move the blocks, then leave them at their homes alone.

        So a run finds the connections and the memory that one in the same state has left: after *dask lz4* others took
        up to twice as long on loopback, for memory that the system had to find anew. And adaptive finds what it would
        in the middle of a program: it has seen such data. What it takes to get there is not timed.
        """
        # the last run has left copies, and what is there already does not move
        drop_replicas(self.client, self.blocks)
        self._move(self.blocks)
        drop_replicas(self.client, self.blocks)

    def _move(self, some: Sequence[Future]) -> float:
        moved = [self.client.submit(digest, one, workers=[self._home(k + 1)], pure=False) for k, one in enumerate(some)]
        return float(sum(self.client.gather(moved)))


class Tasks(_Blocks):
    """Each block is needed on the next worker."""

    def run(self) -> tuple[Any, Mapping[str, float]]:
        """Move all."""
        return self._move(self.blocks), {}


class P2P(_Blocks):
    """Rows become columns, through Dask's p2p rechunk."""

    def run(self) -> tuple[Any, Mapping[str, float]]:
        """Rechunk the blocks, row by row, into as many columns."""
        rows = [da.from_delayed(one, (1, self.columns), self.dtype) for one in self.blocks]
        whole = da.concatenate(rows, axis=0)
        columns = -(-self.columns // len(rows))
        # Dask gathers blocks until they are as large as its chunks (128 MiB) before it shuffles them: of so little data
        # all of them on one worker or two, by ordinary transfers. Those of large data are shuffled from where they lie.
        limit = self.columns * self.dtype.itemsize
        turned = whole.rechunk((len(rows), columns), method="p2p", block_size_limit=limit)
        digests = turned.map_blocks(_digest, dtype=np.float64, chunks=(1, 1))
        return float(np.sum(self.client.compute(digests).result())), {}


def _digest(chunk: np.ndarray) -> np.ndarray:
    return np.full((1, 1), digest(chunk))


def _make(kind: str, how: type[_Blocks], blocks: int, words: int, client: Client, workers: Sequence[str]) -> Any:
    return how(client, workers, kind, blocks, words)


def programs(small: bool) -> list[Program]:
    """Return the cells: links outermost, so that each link's cluster is started once."""
    workers = min(max(2, os.cpu_count() or 1), MOST_WORKERS)
    found = []
    for link, megabytes in MEGABYTES.items():
        blocks = SMALL_BLOCKS if small else BLOCKS
        # of whole pieces of words, also where a block is cut into columns
        words = SMALL_WORDS if small else int(megabytes * 1e6 / WORD / blocks) // blocks * blocks
        for kind in KINDS:
            for name, how in (("tasks", Tasks), ("p2p", P2P)):
                make = partial(_make, kind, how, blocks, words)
                found.append(Program(f"{link} {kind} {name}", Wanted(workers, link=link), make))
    return found


CASE = Case(
    "wire_compression",
    ("wire_compression",),
    programs,
    configured={"dask lz4": {"distributed.comm.compression": "lz4"}},
    needs=("lz4",),
    null=False,
    one_set=True,
)
