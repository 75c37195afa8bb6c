"""What `bench.compiler` is asked about: a kernel for Numba, or a program for Dask. Neither carries an annotation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: takes a function of one kernel's signature, and returns how far its results are from their closed formula
Check = Callable[[Callable[..., Any]], float]


def square(n: int) -> float:
    """Return n²."""
    return float(n) ** 2


def cube(n: int) -> float:
    """Return n³."""
    return float(n) ** 3


@dataclass(frozen=True)
class Kernel:
    """A plain function that Numba compiles, with example arguments."""

    name: str
    function: Callable[..., Any]
    #: size → fresh arguments
    make: Callable[[int], tuple[Any, ...]]
    #: sizes that are counted
    sizes: tuple[int, ...]
    #: whether all loop bounds are affine in sizes and outer indices, and nothing that is counted depends on data
    affine: bool
    #: a size whose data fits into a core's caches, and one whose data does not (or the kernel's customary one)
    small: int
    large: int
    #: size → work, in any unit: time ÷ work is compared between sizes
    work: Callable[[int], float] = float
    #: None: it is only compared with the uncompiled function
    check: Check | None = None
    #: one of the Parallel Research Kernels
    prk: bool = False


@dataclass(frozen=True)
class Program:
    """A Dask program: collections that exist, and what is made of them."""

    name: str
    #: edge of a chunk (rows of a partition) → the input collections, lazy; they are computed before anything is timed
    inputs: Callable[[int], tuple[Any, ...]]
    #: inputs → the collection that is timed
    build: Callable[..., Any]
    #: chunk edge on the cluster, one with which a task's data fits into a core's caches, and one with hardly any work
    large: int
    small: int
    tiny: int = 8
    #: chunk edge at which it is counted: the instrumented loops of a kernel are slow; None: `small`
    counted: int | None = None
    prk: bool = False
    #: whether it is measured on the cluster's plain links, and not on the slow ones
    fast: bool = False
    #: what has to be installed
    needs: tuple[str, ...] = ()
    #: (inputs, result) in memory → how far the result is from what it must be
    check: Callable[[tuple[Any, ...], Any], float] | None = None
