"""The controller: samples in, instructions out.

It holds everything there is to know between two samples: the window, the state of each optimization, the
epoch. It has no clock and sends nothing: a sample brings its time, an instruction says what the shell is to
do. Rules:

1. The vector is averaged, then divided, then compared.
2. A sample that can't be used changes nothing and is counted by reason.
3. A state is published whole, with a higher epoch, only when it differs from the last one.
4. After a fault everything is off and stays off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from asafess.core.mode import Rates, Sample, Vector, Window, mode_vector, problem, total_load
from asafess.core.policy import Decider, Policy
from asafess.core.state import Epoch, OptimizationState, Switch


@dataclass(frozen=True, slots=True)
class Publish:
    """Send this state to all workers."""

    state: OptimizationState
    switches: tuple[Switch, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A sample that changed nothing, and why."""

    reason: str


Instruction = Publish | Ignored


class Controller:
    """Turns samples into states of optimizations.

    Parameters
    ----------
    policies : iterable of Policy
        One for each optimization, in the order in which they are decided.
    name : str
        Identifies this controller in epochs; a worker takes any state from a controller it did not know.
    window : float
        Seconds over which loads are averaged.

    Examples
    --------
    >>> from asafess.core.domain import Domain, band
    >>> from asafess.core.mode import Rates, Scheduled
    >>> on_off = lambda rates: Domain(("off", "on"), [band(0.5, 1.0)])
    >>> controller = Controller([Policy("codec", ("off", "on"), on_off)], name="example")
    >>> moving = (Scheduled("move", 3, {"compute": 1e6, "communication": 1e8}),)
    >>> [publish] = controller.observe(Sample(0.0, moving, threads=4, workers=4, rates=Rates(1e9, 1e9, 1e8)))
    >>> publish.state.states
    {'codec': 'on'}
    >>> publish.switches[0].cause
    'ratio 0.001 (< 0.5)'
    """

    def __init__(self, policies: Iterable[Policy], *, name: str, window: float = 1.0) -> None:
        self._deciders = {policy.name: Decider(policy) for policy in policies}
        self._window = Window(window)
        self._name = name
        self._counter = 0
        #: the windowed mode vector after the last sample that was used
        self.vector: Vector = {}
        #: samples by what became of them, switches, faults
        self.counters: Counter[str] = Counter()
        #: false after a fault
        self.running = True

    @property
    def state(self) -> OptimizationState:
        """The states of all optimizations now."""
        states = {name: decider.state for name, decider in self._deciders.items()}
        return OptimizationState(Epoch(self._name, self._counter), states)

    @property
    def pinned(self) -> dict[str, str]:
        """The states that a person has set, by optimization."""
        return {name: decider.pinned for name, decider in self._deciders.items() if decider.pinned is not None}

    def start(self, time: float, rates: Rates) -> list[Instruction]:
        """Enter the states that the rates imply, with what is known so far: a predicate may hold of what is not.

        Raw transfers, once begun, can't be recalled, so waiting in *off* for the first sample can cost more than
        being wrong for its length.
        """
        switches = []
        if self.running:
            for name, decider in self._deciders.items():
                decision = decider.decide(time, self.vector, rates)
                if decision.state != decider.state:
                    switches.append(Switch(time, name, decider.state, decision.state, f"start: {decision.cause}"))
                    decider.state = decision.state
        return self._publish(switches)

    def observe(self, sample: Sample) -> list[Instruction]:
        """Take a sample and return what is to be done."""
        if not self.running:
            return self._ignore("stopped")
        reason = problem(sample)
        if reason:
            return self._ignore("invalid", reason)
        load = total_load(sample.scheduled)
        if not any(load.values()):
            return self._ignore("empty")
        if sample.fresh:
            self._window.clear()
        self.vector = mode_vector(self._window.add(sample.time, load), sample)
        if sample.rates is None:
            return self._ignore("no rates")
        self.counters["used"] += 1
        switches = []
        for name, decider in self._deciders.items():
            decision = decider.decide(sample.time, self.vector, sample.rates)
            self.counters["held_back"] += decision.held_back is not None
            if decision.state != decider.state:
                switches.append(Switch(sample.time, name, decider.state, decision.state, decision.cause))
                decider.enter(sample.time, decision.state)
        return self._publish(switches)

    def pin(self, time: float, name: str, state: str | None) -> list[Instruction]:
        """Set the state of one optimization by hand, at once; None gives it back to its policy.

        Raises
        ------
        ValueError
            An unknown optimization or state.
        """
        if name not in self._deciders:
            raise ValueError(f"unknown optimization {name!r}; installed: {', '.join(self._deciders) or 'none'}")
        decider = self._deciders[name]
        decider.pin(state)
        if state is None or state == decider.state or not self.running:
            return []
        switch = Switch(time, name, decider.state, state, "pinned")
        decider.enter(time, state)
        return self._publish([switch])

    def reset(self, time: float) -> list[Instruction]:
        """Forget the window and go back to the first states; pins stay. A cold start."""
        self._window.clear()
        self.vector = {}
        return self._back_to_start(time, "reset")

    def stop(self, time: float, cause: str) -> list[Instruction]:
        """Turn everything off, pins or not, for good."""
        for decider in self._deciders.values():
            decider.pin(None)
        self.running = False
        return self._back_to_start(time, cause)

    def _back_to_start(self, time: float, cause: str) -> list[Instruction]:
        switches = []
        for name, decider in self._deciders.items():
            before = decider.state
            decider.reset()
            if decider.state != before:
                switches.append(Switch(time, name, before, decider.state, cause))
        return self._publish(switches)

    def _publish(self, switches: list[Switch]) -> list[Instruction]:
        if not switches:
            return []
        self._counter += 1
        self.counters["switches"] += len(switches)
        return [Publish(self.state, tuple(switches))]

    def _ignore(self, counter: str, reason: str = "") -> list[Instruction]:
        self.counters[counter] += 1
        return [Ignored(reason or counter)]
