"""What a case declares: by which programs, on which clusters, some optimizations are measured. And its arms.

Arms: *off*, which is stock Dask, without `asafess`; every other fixed state, pinned (of several optimizations: every
combination); *adaptive*; and *null*, `asafess` with nothing but the optimization that does nothing. States are those
that the optimizations declare; their first one is, by the contract, that of a process without `asafess`, so *off* is a
fixed state as well. So is stock Dask, *configured* in another way, where Dask has a setting for the same purpose.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import product
from typing import Any, Protocol

from distributed import Client

from asafess.optimizations.registry import BUILT_IN, make

from .graph import Marks, Part, graph_of

#: seconds; those of few workers come twice in a second
HEARTBEAT = 0.6
OFF, ADAPTIVE, NULL = "off", "adaptive", "null"


class Workload(Protocol):
    """A program on a running cluster."""

    def prepare(self) -> object:
        """Do what is not timed, before each run: Dask must know what a task takes and makes, data must be there."""

    def run(self) -> tuple[Any, Mapping[str, float]]:
        """Run; return a value that must be the same in every arm, and seconds by kind of phase."""


@dataclass(frozen=True)
class Wanted:
    """A cluster of real processes."""

    workers: int = 2
    threads: int = 1
    #: "loopback", or the rate of shaped links, such as "100mbit"
    link: str = "loopback"
    #: limit of each worker
    memory: str = "2GB"
    #: bytes per second that each worker's own disk reads and writes, such as "100MB"; None: the disk as it is
    disk: str | None = None
    #: settings of Dask in all processes: (name, value)
    config: tuple[tuple[str, Any], ...] = ()

    def environment(self) -> dict[str, str]:
        """Return the settings as environment variables.

        >>> Wanted(config=(("distributed.worker.memory.spill", False),)).environment()
        {'DASK_DISTRIBUTED__WORKER__MEMORY__SPILL': 'False'}
        """
        return {f"DASK_{name.replace('.', '__').replace('-', '_').upper()}": str(value) for name, value in self.config}

    def named(self) -> str:
        """Return what tells its links and disks from others.

        >>> Wanted().named(), Wanted(disk="100MB").named()
        ('loopback', 'loopback, disk 100MB')
        """
        return self.link if self.disk is None else f"{self.link}, disk {self.disk}"


@dataclass(frozen=True)
class Program:
    """One program: a phase, over and over, or several of them."""

    name: str
    on: Wanted
    #: (client, addresses of the workers) → the program there
    make: Callable[[Client, Sequence[str]], Workload]
    #: whether its phases want different states
    mixed: bool = False


@dataclass(frozen=True)
class Case:
    """The programs of one optimization, or of several."""

    name: str
    #: names in the registry
    optimizations: tuple[str, ...]
    #: (whether everything is to be small) → the programs
    programs: Callable[[bool], Sequence[Program]]
    #: of `asafess.install`, where they differ from its defaults
    settings: Mapping[str, Any] = field(default_factory=dict)
    #: further arms, of stock Dask: name → configuration of the workers, which new connections between them follow
    configured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: packages without which there is nothing to measure
    needs: tuple[str, ...] = ()
    #: states of each optimization that take part, from the first on; None: all
    most_states: int | None = None
    #: whether there is a *null* arm
    null: bool = True
    #: whether the programs are one set, over which each fixed state is compared with adaptive as well
    one_set: bool = False
    #: relative error by which results of two arms may differ, where an optimization is lossy
    error: float = 0.0

    def missing(self) -> str | None:
        """Return why this can't be measured here; None where it can.

        >>> Case("x", ("null", "no_such"), lambda small: []).missing()
        'no_such is not in the registry of optimizations'
        """
        if unknown := [name for name in self.optimizations if name not in BUILT_IN]:
            return f"{', '.join(unknown)} {'is' if len(unknown) == 1 else 'are'} not in the registry of optimizations"
        if absent := [name for name in self.needs if find_spec(name) is None]:
            return f"not installed: {', '.join(absent)}"
        return None

    def states(self) -> dict[str, tuple[str, ...]]:
        """Return the states that take part, by optimization."""
        return {one.name: one.states[: self.most_states] for one in make(self.optimizations)}

    def left_out(self) -> dict[str, tuple[str, ...]]:
        """Return the states that do not take part, by optimization."""
        if self.most_states is None:
            return {}
        return {one.name: rest for one in make(self.optimizations) if (rest := one.states[self.most_states :])}

    def fixed(self) -> dict[str, dict[str, str]]:
        """Return the fixed arms: name → state by optimization; *off* first, those of stock Dask without any last.

        >>> Case("x", ("queuing", "null"), lambda small: []).fixed()["queuing=open null=on"]
        {'queuing': 'open', 'null': 'on'}
        """
        states = self.states()
        combinations = [dict(zip(states, one, strict=True)) for one in product(*states.values())]
        named = {" ".join(f"{name}={state}" for name, state in one.items()): one for one in combinations[1:]}
        return {OFF: combinations[0], **named, **{name: {} for name in self.configured}}


class Phased:
    """A program of phases in one graph; before each run, a small one of the same phases.

    Parameters
    ----------
    parts, warm : sequence of (str, Part)
        The phases by kind, and those of the small one.
    """

    def __init__(
        self,
        client: Client,
        workers: Sequence[str],
        parts: Sequence[tuple[str, Part]],
        warm: Sequence[tuple[str, Part]],
    ) -> None:
        self.client, self.workers, self.parts, self.warm = client, workers, parts, warm
        self._graph = graph_of(parts, workers)

    def prepare(self) -> None:
        """Run the small program, and build the other."""
        small = graph_of(self.warm, self.workers)
        self.client.get(small.layers(), small.end)
        # in every arm: what it was is known to Dask, and to us, when all workers have sent their next heartbeat
        time.sleep(HEARTBEAT)
        self._graph = graph_of(self.parts, self.workers)

    def marks(self) -> tuple[Marks, dict[str, float]]:
        """Run the program; return the marks of its barriers, and seconds by kind."""
        marks: Marks = self.client.get(self._graph.layers(), self._graph.end)
        return marks, self._graph.seconds(marks)

    def run(self) -> tuple[Any, Mapping[str, float]]:
        """Run the program."""
        marks, seconds = self.marks()
        return [value for _, value in marks], seconds


def phased(
    name: str,
    on: Wanted,
    parts: Sequence[tuple[str, Part]],
    warm: Sequence[tuple[str, Part]],
) -> Program:
    """Return a program of phases; it is mixed where they are of more than one kind."""
    several = len({kind for kind, _ in parts}) > 1
    return Program(name, on, lambda client, workers: Phased(client, workers, parts, warm), several)


def phases_and_both(on: Wanted, parts: Mapping[str, Part], warm: Mapping[str, Part], times: int) -> list[Program]:
    """Return a program for each kind of phase, `times` times over, and one of all kinds in turns."""
    alone = [phased(kind, on, [(kind, part)] * times, [(kind, warm[kind])]) for kind, part in parts.items()]
    return [*alone, phased("both", on, list(parts.items()) * times, list(warm.items()))]
