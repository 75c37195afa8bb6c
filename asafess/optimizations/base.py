"""What an optimization is: a deciding half and an acting half.

The deciding half (`name`, `states`, `domain`, `costs`, `measured` and the attributes) runs in the scheduler and
imports only `core`. The acting half (`prepare`, `set_link`, `enter`, `leave`, `rates`, `counters`) runs in the
workers; what it needs it imports inside its methods. What acts on the scheduler itself has its acting half there
(`set_rates`, `enter_scheduler`, `leave_scheduler`, `scheduler_load`). Optimizations do not import each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from asafess.core.declaration import Declaration
from asafess.core.domain import Domain
from asafess.core.mode import Rates, Sample

if TYPE_CHECKING:
    from distributed.scheduler import Scheduler, TaskGroup


class Optimization:
    """Something that pays in one part of mode space and costs in another.

    Subclass it in a module that scheduler and workers can import; instances are pickled to them. (In a script or
    notebook, what `enter` sets in a global is not what tasks see: each is pickled with globals of its own.)

    Examples
    --------
    >>> from asafess.core.domain import band
    >>> class Codec(Optimization):
    ...     name = "codec"
    ...
    ...     def domain(self, rates):
    ...         return Domain(self.states, [band(0.5, 1.0)])
    ...
    ...     def enter(self, state):
    ...         print("codec is", state)
    >>> Codec().declaration().states
    ('off', 'on')
    """

    #: identifies the optimization in configuration, messages and logs
    name: str = ""
    #: ordered from off upwards; the first is that of a process without asafess
    states: tuple[str, ...] = ("off", "on")
    #: seconds that the alpha/beta policy keeps a state at least
    dwell: float = 0.1
    #: seconds that a switch costs, besides the time that it takes to reach the workers
    switch_seconds: float = 0.0
    #: names of optimizations that must not be on together with this one; it is enough that one of the two says so
    conflicts: tuple[str, ...] = ()
    #: state → budget → amount that it takes while in that state; budgets are set in the configuration
    demands: Mapping[str, Mapping[str, float]] = {}
    #: whether `Rates.extra` is to have ``round_trips``: messages to a worker and back per second, one after the other
    round_trips_wanted: bool = False

    def domain(self, rates: Rates) -> Domain:
        """Return the efficiency domain on a cluster with these rates. Runs in the scheduler."""
        raise TypeError(f"{type(self).__name__} must define domain(rates)")

    def costs(self, sample: Sample) -> Mapping[str, float] | None:
        """Predict how long the scheduled tasks take in each state. Runs in the scheduler.

        They should be real seconds, with what all states have in common: a graph that arrives is charged for the time
        that it is predicted to take, up to the window; after that only their ratios count. None: not known, then the
        domain decides alone, without a bound.
        """
        return None

    def measured(
        self, sample: Sample, state: str, recent: Mapping[str, float], since_switch: Mapping[str, float]
    ) -> Mapping[str, float]:
        """Return what `costs` wants to know as ``sample.measured``. Runs in the scheduler.

        Parameters
        ----------
        sample : Sample
            The present one; its `measured` is what was returned for the last one.
        state : str
            In which the optimization is.
        recent : mapping
            By how much the workers' counters have grown in the last seconds, all workers together, in any state.
        since_switch : mapping
            The same since the last switch; with `moving_seconds`, in which tasks fetched data, times workers.
        """
        return {}

    def thresholds(self, rates: Rates) -> Mapping[str, float]:
        """Return the numbers that the domain compares with, for people. Runs in the scheduler."""
        return {}

    def prepare(self, dtypes: Sequence[str]) -> None:
        """Import and compile what `enter` needs. Runs in a thread of each worker, before it takes any state."""

    def rates(self) -> Mapping[str, float]:
        """Measure what `domain` wants to know of the machine. Runs in a thread of each worker, once."""
        return {}

    def set_link(self, rate: float) -> None:
        """Take note of the cluster's link rate, wire bytes per second and worker. Runs in the worker's event loop.

        Called when the rates are known, before the `enter` that follows from them.
        """

    def enter(self, state: str) -> None:
        """Take a state. Runs in the worker's event loop: must be quick. Entering the same one twice is allowed."""

    def leave(self) -> None:
        """Put back what was found before the first `enter`, also when `enter` has raised, or was never called.

        Workers of one process have an object each, and only the last one that goes is left: what was found belongs to
        the process. (One that goes before enters the state that the others are in, where those are of another cluster.)
        `asafess.testing.check_optimization` checks that, and the rest of the contract.
        """

    def counters(self) -> Mapping[str, float]:
        """Return running totals for reports; ``sampled_words`` and ``sampled_zeros`` make up the mode's zeros."""
        return {}

    def set_rates(self, rates: Rates) -> None:
        """Take note of the cluster's rates. Runs in the scheduler when they are known, before `domain`."""

    def enter_scheduler(self, scheduler: Scheduler, state: str) -> None:
        """Take a state in the scheduler. Runs in its event loop: must be quick. Entering twice is allowed."""

    def leave_scheduler(self, scheduler: Scheduler) -> None:
        """Put back what was found before the first `enter_scheduler`."""

    def scheduler_load(self, scheduler: Scheduler, groups: Mapping[TaskGroup, int]) -> Mapping[str, float]:
        """Return loads on axes of this optimization alone: of tasks that are to be assigned, or how all are spread.

        They are part of the mode. Runs in the scheduler, on the tick while tasks that have a type are scheduled, when
        a graph arrives, and when a phase begins, in the middle of Dask's transitions: must be quick.

        Parameters
        ----------
        scheduler : distributed.Scheduler
            Not to be changed.
        groups : mapping
            Task group → how many of its tasks are queued, arrive with a graph, or are those of the phase that comes;
            empty on a tick at which there are none.
        """
        return {}

    def declaration(self) -> Declaration:
        """Return the deciding half as the controller wants it."""
        return Declaration(
            self.name,
            self.states,
            self.domain,
            self.dwell,
            self.costs,
            self.switch_seconds,
            self.conflicts,
            self.demands,
        )
