"""The edge list of the Graph500 Kronecker generator.

Bit for bit that of the reference code, release line 3.0.1 (2.1.4 and older reject other random numbers and differ in
a few edges from scale 14 on). The numbers come from `asafess.kernels.kronecker`; here are the arguments, their
limits, and what the reference does not have: the order "random" and the topology "uniform".
"""

from __future__ import annotations

import operator
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Order = Literal["scrambled", "recursive", "random"]
ORDERS = ("scrambled", "recursive", "random")
Topology = Literal["kronecker", "uniform"]
TOPOLOGIES = ("kronecker", "uniform")
#: A permutation is a table of 8 bytes per vertex; 2**28 vertices are 2 GiB.
MAX_RANDOM_SCALE = 28
#: The reference packs vertex numbers into 48 bits, of which one is a sign.
MAX_SCALE = 47


def edges(
    scale: int,
    edge_factor: int = 16,
    seeds: tuple[int, int] = (2, 3),
    start: int = 0,
    count: int | None = None,
    order: Order = "scrambled",
    topology: Topology = "kronecker",
    threads: int | None = None,
) -> NDArray[np.int64]:
    """Edges of the Graph500 graph, in the order in which the reference generates them.

    Edge number e is a pure function of the arguments and e, so a range is exactly that slice of the whole list.
    Self-loops and duplicates are left in.

    Parameters
    ----------
    scale : int
        Binary logarithm of the number of vertices, 1 to 47 (to 28 with order "random").
    edge_factor : int
        Edges per vertex; the whole list has ``edge_factor << scale`` edges. Only used where count is None.
    seeds : (int, int)
        Two integers from 0 to 2**64 − 1; (2, 3) are those of the benchmark.
    start : int
        Number of the first edge.
    count : int, optional
        Number of edges; by default all from `start` to the end of the list. May go past the end.
    order : {"scrambled", "recursive", "random"}
        Names of the vertices. "scrambled" is the reference; "recursive" leaves its scramble out, so that source ≤
        target and neighbours stay together; "random" sends the recursive order through a true random permutation
        (`permutation`), as the specification asks for.
    topology : {"kronecker", "uniform"}
        Which pairs of vertices are joined. "kronecker" is the reference; "uniform" draws each edge from all unordered
        pairs alike (the G(n, M) of Erdős and Rényi, with duplicates and self-loops): the same random numbers, with
        the initiator .25, .25, .25, .25.
    threads : int, optional
        Threads that share the work; the list does not depend on it. By default the cores this process may use
        (`OMP_NUM_THREADS` if set), but 1 in any thread except the main one: Dask runs its tasks in such threads.
        Short lists are always made in the calling thread.

    Returns
    -------
    ndarray of int64, shape (count, 2)
        Source and target of each edge.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> from asafess.workloads import graph500
    >>> graph500.edges(6).shape
    (1024, 2)
    >>> graph500.edges(6, start=1, count=2)
    array([[15, 17],
           [57,  6]])
    """
    scale = check_integer("scale", scale, 1, MAX_SCALE)
    edge_factor = check_integer("edge_factor", edge_factor, 0, 2**15)
    start = check_integer("start", start, 0, 2**62)
    if count is None:
        count = max(0, (edge_factor << scale) - start)
    count = check_integer("count", count, 0, 2**62)
    check_choice("order", order, ORDERS)
    check_choice("topology", topology, TOPOLOGIES)
    if threads is not None:
        threads = check_integer("threads", threads, 1, 2**15)
    seeds = check_seeds(seeds)
    # Numba must not be loaded in the scheduler, which imports this module to unpickle our tasks.
    from asafess.kernels import kronecker
    from asafess.kernels.recursive_generator import KRONECKER, UNIFORM

    thresholds = UNIFORM if topology == "uniform" else KRONECKER
    pairs = kronecker.edges(scale, seeds, start, count, order == "scrambled", thresholds, threads)
    return permutation(scale, seeds)[pairs] if order == "random" else pairs


@lru_cache(maxsize=2)
def permutation(scale: int, seeds: tuple[int, int] = (2, 3)) -> NDArray[np.int64]:
    """Draw the vertex names of order "random": a uniformly random permutation of 2**scale vertices.

    Vertices are ranked by the raw 64-bit outputs of PCG64 seeded with `seeds`. Raw outputs and stable sorting are
    the same in all versions of NumPy, which ``Generator.permutation`` does not promise.

    Returns
    -------
    ndarray of int64, shape (2**scale,)
        Read-only.

    Raises
    ------
    ValueError
        If scale is not from 1 to 28: the table would not fit in memory.

    Examples
    --------
    >>> sorted(permutation(2).tolist())
    [0, 1, 2, 3]
    """
    scale = check_integer("scale with order 'random'", scale, 1, MAX_RANDOM_SCALE)
    keys = np.random.PCG64(np.random.SeedSequence(seeds)).random_raw(1 << scale)
    names = np.argsort(keys, kind="stable").astype(np.int64)
    names.flags.writeable = False  # it is shared by all callers
    return names


def check_seeds(seeds: Any) -> tuple[int, int]:
    """Return the two user seeds as a tuple of Python integers, or say what is wrong with them.

    Examples
    --------
    >>> check_seeds([2, 3])
    (2, 3)
    """
    try:
        u, v = (operator.index(s) for s in seeds)
    except (TypeError, ValueError):
        u, v = -1, -1
    if not (0 <= u < 2**64 and 0 <= v < 2**64):
        raise ValueError(f"seeds is {seeds!r}; it must be two integers from 0 to 2**64 - 1")
    return u, v


def check_integer(name: str, value: Any, low: int, high: int) -> int:
    """Return an integer as Python's, which does not overflow; raise a ValueError that names it and the range.

    Examples
    --------
    >>> check_integer("scale", np.int8(6), 1, 47)
    6
    >>> check_integer("scale", 0, 1, 47)
    Traceback (most recent call last):
    ...
    ValueError: scale is 0; it must be an integer from 1 to 47
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= int(value) <= high:
        raise ValueError(f"{name} is {value!r}; it must be an integer from {low} to {high}")
    return int(value)


def check_choice(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Raise a ValueError that lists what is allowed unless `value` is one of it.

    Examples
    --------
    >>> check_choice("order", "sorted", ORDERS)
    Traceback (most recent call last):
    ...
    ValueError: order is 'sorted'; allowed are 'scrambled', 'recursive', 'random'
    """
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; allowed are {', '.join(map(repr, allowed))}")
