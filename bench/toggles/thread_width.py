"""Threads of BLAS per task. *Many* products, more than there are threads, want one each.

*Few*: a chain of larger products on a worker, where every thread but one is idle unless the product takes it. The right
factor is a permutation, so products are exact, whatever the threads and the order of summation.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from dask._task_spec import TaskRef

from .case import Case, Program, Wanted, phases_and_both
from .graph import Graph, Part

#: products of the phase of many, by thread, and their order; length of a chain, and the order of its products
MANY, MANY_ORDER, CHAIN, CHAIN_ORDER = 50, 768, 7, 2048
SMALL_MANY, SMALL_CHAIN, SMALL_ORDER = 3, 2, 64
#: of the small program before each run: products by thread, length of a chain
WARM_MANY, WARM_CHAIN = 4, 2
#: most threads of a worker
MOST_THREADS = 8


def left(before: object, k: int, order: int) -> np.ndarray:
    """Make the left factor: small whole numbers."""
    return (np.arange(order * order, dtype=np.float64).reshape(order, order) + k) % 10.0


def right(before: object, order: int) -> np.ndarray:
    """Make the right factor: it moves each column on by one place.

    >>> (left(None, 0, 3) @ right(None, 3))[0]
    array([2., 0., 1.])
    """
    return np.roll(np.eye(order), 1, axis=1)


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Multiply two matrices."""
    return a @ b


def corner(a: np.ndarray) -> float:
    """Return what the first row comes to, by place."""
    return float((a[0] * np.arange(a.shape[1])).sum())


def one_product(b: np.ndarray, k: int) -> float:
    """Make a left factor, multiply it, and return what the first row comes to."""
    return corner(left(None, k, b.shape[0]) @ b)


def many_part(products: int, order: int) -> Part:
    """Return a phase of many products, each in a task of its own."""

    def part(graph: Graph, suffix: str) -> Sequence[TaskRef]:
        b = graph.add((f"right-{suffix}", 0), right, graph.last, order)
        return [graph.add((f"product-{suffix}", k), one_product, b, k) for k in range(products)]

    return part


def few_part(length: int, order: int, chains: int) -> Part:
    """Return a phase of some chains of products, each on a worker of its own."""

    def part(graph: Graph, suffix: str) -> Sequence[TaskRef]:
        ends = []
        for worker in range(chains):
            b = graph.add((f"factor-{suffix}", worker), right, graph.last, order, at=worker)
            a = graph.add((f"first-{suffix}", worker), left, graph.last, worker, order, at=worker)
            for step in range(length):
                a = graph.add((f"chain-{suffix}", worker, step), multiply, a, b, at=worker)
            ends.append(graph.add((f"corner-{suffix}", worker), corner, a, at=worker))
        return ends

    return part


def cluster(link: str = "loopback", workers: int | None = None, memory: str = "2GB") -> Wanted:
    """Return workers of two threads or more, with a core for each thread where there are so many."""
    cores = os.cpu_count() or 1
    count = max(1, cores // MOST_THREADS) if workers is None else workers
    return Wanted(count, min(max(2, cores // count), MOST_THREADS), link, memory)


def chains(on: Wanted) -> int:
    """Return how many workers can have all their threads run at once: more chains would need no more threads."""
    return min(on.workers, max(1, (os.cpu_count() or 1) // on.threads))


def programs(small: bool) -> list[Program]:
    """Return the programs."""
    on = cluster()
    threads, few = on.workers * on.threads, chains(on)
    if small:
        parts = {"many": many_part(SMALL_MANY * threads, SMALL_ORDER), "few": few_part(SMALL_CHAIN, SMALL_ORDER, few)}
        return phases_and_both(on, parts, parts, times=1)
    parts = {"many": many_part(MANY * threads, MANY_ORDER), "few": few_part(CHAIN, CHAIN_ORDER, few)}
    warm = {"many": many_part(WARM_MANY * threads, MANY_ORDER), "few": few_part(WARM_CHAIN, CHAIN_ORDER, few)}
    return phases_and_both(on, parts, warm, times=2)


CASE = Case("thread_width", ("thread_width",), programs, needs=("threadpoolctl",))
