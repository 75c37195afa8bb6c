"""The controller: samples in, instructions out.

It holds everything there is to know between two samples: the window, the policy and the state of each optimization,
who is in charge of it, the epoch. It has no clock and sends nothing: a sample brings its time, an instruction says
what the shell is to do. Rules:

1. The vector is averaged, then divided, then compared.
2. A sample that can't be used changes nothing and is counted by reason.
3. Each policy says what it wants; conflicts, budgets and the limit of switches say what of it is done.
4. What a person has pinned is not overruled; what is in shadow is decided and logged, and acts on nothing.
5. A state is published whole, with a higher epoch, only when it differs from the last one.
6. After a fault everything is off and stays off.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from statistics import median

from asafess.core.arbiter import Arbiter
from asafess.core.assessment import NOTHING, Assessment
from asafess.core.declaration import RESERVED, Declaration
from asafess.core.instruction import Ignored, Instruction, Publish, Shadowed
from asafess.core.mode import Rates, Sample, Vector, Window, mode_vector, problem, total_load
from asafess.core.moment import Moment
from asafess.core.policies import make
from asafess.core.policy import Decision
from asafess.core.seat import AUTO, SHADOW, Seat
from asafess.core.settling import settle
from asafess.core.state import Epoch, OptimizationState, Switch
from asafess.core.switch_limit import SwitchLimit

#: times that it took to reach the workers that are remembered
LATENCIES = 15


class Controller:
    """Turns samples into states of optimizations.

    Parameters
    ----------
    declarations : iterable of Declaration
        One for each optimization; where two can't both have their way and gain the same, the earlier one has it.
    name : str
        Identifies this controller in epochs; a worker takes any state from a controller it did not know.
    window : float
        Seconds over which loads are averaged, and how far ahead a graph that arrives is counted.
    tick : float
        Seconds between two samples. A switch costs at least that: a change of mode is seen up to a tick late.
    policy : str
        One of `asafess.core.policies.POLICIES`.
    excess : float
        See `asafess.core.work_function.WorkFunction`.
    budgets : mapping
        Name → amount that all optimizations that are on may demand together.
    switches_per_minute : int, optional
        Shared limit of what policies switch; what a person pins is neither held back nor counted.

    Examples
    --------
    >>> from asafess.core.domain import Domain, band
    >>> from asafess.core.mode import Rates, Scheduled
    >>> on_off = lambda rates: Domain(("off", "on"), [band(0.5, 1.0)])
    >>> controller = Controller([Declaration("codec", ("off", "on"), on_off)], name="example")
    >>> moving = (Scheduled("move", 3, {"compute": 1e6, "communication": 1e8}),)
    >>> [publish] = controller.observe(Sample(0.0, moving, threads=4, workers=4, rates=Rates(1e9, 1e9, 1e8)))
    >>> publish.state.states
    {'codec': 'on'}
    >>> publish.switches[0].cause
    'ratio 0.001 is below 0.5'
    """

    def __init__(
        self,
        declarations: Iterable[Declaration],
        *,
        name: str,
        window: float = 1.0,
        tick: float = 0.05,
        policy: str = "work_function",
        excess: float = 0.05,
        budgets: Mapping[str, float] | None = None,
        switches_per_minute: int | None = None,
    ) -> None:
        self._seats = {one.name: Seat(one, make(policy, one.dwell, excess), window) for one in declarations}
        self._window = Window(window)
        self._tick = tick
        self._name = name
        self._arbiter = Arbiter(budgets or {})
        self._limit = SwitchLimit(switches_per_minute)
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self._counter = 0
        #: nobody but the policies has said anything since the last settlement
        self._settled = False
        self._last_time: float | None = None
        #: the windowed mode vector after the last sample that was used
        self.vector: Vector = {}
        #: the ratio of the last sample by itself
        self.ratio = 0.0
        #: the last sample that was used, and what was decided
        self.moment: Moment | None = None
        #: samples by what became of them, switches, faults
        self.counters: Counter[str] = Counter()
        #: optimization → who was in charge of it at the last sample, where a person has changed that since
        self.handed_over: dict[str, str] = {}
        #: false after a fault
        self.running = True

    @property
    def state(self) -> OptimizationState:
        """The states of all optimizations now."""
        return OptimizationState(Epoch(self._name, self._counter), self._states())

    @property
    def controls(self) -> dict[str, str]:
        """Who is in charge of each optimization: *auto*, *shadow*, or the state that it is pinned to."""
        return {name: seat.control for name, seat in self._seats.items()}

    @property
    def shadows(self) -> dict[str, str]:
        """The states that optimizations in shadow would be in."""
        return {name: seat.shadow for name, seat in self._seats.items() if seat.control == SHADOW}

    @property
    def idle(self) -> bool:
        """The last sample had nothing of a known type: nothing is decided, states stay as they are."""
        return self._last_time is None

    def switch_seconds(self, name: str) -> float:
        """Return what a switch of an optimization costs, in seconds.

        What it declares, and the time that a state takes to reach the workers; at least a tick.
        """
        reach = median(self._latencies) if self._latencies else 0.0
        return max(self._tick, self._seats[name].declaration.switch_seconds + reach)

    def reached(self, seconds: float) -> None:
        """Take note that a published state was acted on after so many seconds."""
        # the cost of a switch only rises, and a worker that was frozen for a minute says nothing of the next switch
        self._latencies.append(min(seconds, self._window.seconds))

    # ---- samples

    def start(self, time: float, rates: Rates) -> list[Instruction]:
        """Enter the states that the rates imply, with what is known so far: a predicate may hold of what is not.

        Raw transfers, once begun, can't be recalled, so waiting in *off* for the first sample can cost more than
        being wrong for its length.
        """
        if not self.running:
            return []
        self.handed_over.clear()
        assessments = {name: seat.assessor.at_start(self.vector, rates) for name, seat in self._seats.items()}
        wishes = {}
        for name, seat in self._seats.items():
            state = assessments[name].domain[seat.deciding]
            wishes[name] = Decision(state, f"start: {assessments[name].explain(seat.deciding)}")
        instructions = self._settle(time, 0.0, wishes, assessments)[0]
        for seat in self._seats.values():
            seat.policy.reset()  # a guess begins no dwell
        return instructions

    def observe(self, sample: Sample) -> list[Instruction]:
        """Take a sample and return what is to be done."""
        if not self.running:
            return self._ignore("stopped")
        reason = problem(sample)
        if reason:
            return self._ignore("invalid", reason)
        load = total_load(sample.scheduled)
        if not any(load.values()):
            # what was charged ahead, if anything is left of it, was for what is over now
            elapsed = self._elapsed(sample.time)
            self._last_time = None
            for seat in self._seats.values():
                seat.assessor.pause(elapsed)
            return self._ignore("empty")
        if sample.fresh:
            self._window.clear()
        self.ratio = mode_vector(load, sample).get("ratio", 0.0)
        self.vector = mode_vector(self._window.add(sample.time, load), sample)
        if sample.rates is None:
            return self._ignore("no rates")
        elapsed = self._elapsed(sample.time)
        assessments = {
            name: seat.assessor.assess(sample, self.vector, seat.state, elapsed, self.switch_seconds(name))
            for name, seat in self._seats.items()
        }
        return self.decide(sample.time, assessments, elapsed)

    def decide(self, time: float, assessments: Mapping[str, Assessment], elapsed: float = 0.0) -> list[Instruction]:
        """Decide from assessments alone, which a trace holds too.

        Parameters
        ----------
        time : float
        assessments : mapping
            Of each optimization.
        elapsed : float
            Seconds that the sample stands for.
        """
        self.counters["used"] += 1
        self.handed_over.clear()
        wishes = {
            name: seat.policy.decide(time, seat.deciding, assessments[name]) for name, seat in self._seats.items()
        }
        before = self._states()
        instructions, held_back = self._settle(time, elapsed, wishes, assessments)
        wanted = {name: decision.held_back or decision.state for name, decision in wishes.items()}
        self.moment = Moment(time, elapsed, self.vector, assessments, before, wanted, self._states(), held_back)
        return instructions

    def _elapsed(self, time: float) -> float:
        """Return the seconds that a sample stands for: those since the last one, but of a pause only a tick."""
        last, self._last_time = self._last_time, time
        return self._tick if last is None else min(max(time - last, 0.0), self._window.seconds)

    # ---- what of the wishes is done

    def _settle(
        self,
        time: float,
        seconds: float,
        wishes: Mapping[str, Decision],
        assessments: Mapping[str, Assessment],
    ) -> tuple[list[Instruction], dict[str, str]]:
        held_back = {name: "dwell" for name, wish in wishes.items() if wish.held_back is not None}
        shadowed, wanted = [], {}
        for name, seat in self._seats.items():
            wish = wishes[name]
            if seat.control != SHADOW:
                wanted[name] = seat.control if seat.pinned else wish.state
            elif wish.state != seat.shadow:
                shadowed.append(Switch(time, name, seat.shadow, wish.state, f"shadow: {wish.cause}"))
                seat.shadow = wish.state
                seat.policy.entered(time, wish.state)
        if self._settled and all(self._seats[name].state == state for name, state in wanted.items()):
            # so it is at nearly every sample, and what was settled goes together
            self._arbiter.forget()
            self.counters["held_back"] += bool(held_back)
            return [Shadowed(tuple(shadowed))] if shadowed else [], held_back
        bids = [self._seats[name].bid(state, assessments[name]) for name, state in wanted.items()]
        settled, self._settled = settle(self._arbiter, self._limit, time, seconds, bids), True
        held_back.update(settled.held_back)
        self.counters["held_back"] += bool(held_back)
        causes = {name: held_back[name] if name in settled.held_back else wish.cause for name, wish in wishes.items()}
        for bid in bids:
            if not bid.pinned and settled.states[bid.name] != bid.present:
                self._limit.note(time)
        instructions = self._publish(time, settled.states, causes)
        return ([Shadowed(tuple(shadowed))] if shadowed else []) + instructions, held_back

    # ---- the person in charge

    def control(self, time: float, name: str, control: str) -> list[Instruction]:
        """Say who is in charge of one optimization, at once.

        Parameters
        ----------
        time : float
        name : str
            The optimization.
        control : str
            *auto*: its policy. *shadow*: nobody; it is decided and logged, and stays off. One of its states: a
            person, who wants it to be in this one.

        Raises
        ------
        ValueError
            An unknown optimization or state.
        """
        if name not in self._seats:
            installed = ", ".join(self._seats) or "none"
            raise ValueError(f"unknown optimization {name!r}; installed: {installed}; install others by name")
        seat = self._seats[name]
        if control not in (*RESERVED, *seat.declaration.states):
            raise ValueError(
                f"unknown state {control!r} of optimization {name!r}; allowed: {', '.join(seat.declaration.states)}, "
                f"or {AUTO} (its policy decides) or {SHADOW} (it decides, but acts on nothing)"
            )
        was, seat.control, self._settled = seat.control, control, False
        if control == was or not self.running:
            return []
        self.handed_over[name] = was
        if control == SHADOW:
            seat.shadow = seat.state
            return self._publish(time, {name: seat.first}, {name: "in shadow from now on"})
        if seat.pinned:
            return self._make_room(time, name)
        return []

    def _make_room(self, time: float, name: str) -> list[Instruction]:
        """Enter the state that an optimization is pinned to; what no longer goes with it goes at once."""
        known = self.moment.assessments if self.moment is not None else {}
        bids = [
            seat.bid(seat.control if seat.pinned else seat.state, known.get(one, NOTHING))
            for one, seat in self._seats.items()
            if seat.control != SHADOW
        ]
        settled = self._arbiter.settle(0.0, bids)
        return self._publish(time, settled.states, {**settled.held_back, name: "pinned"})

    def reset(self, time: float) -> list[Instruction]:
        """Forget the window and go back to the first states; pins and shadows stay. A cold start."""
        self._window.clear()
        self.vector = {}
        self.moment = self._last_time = None
        self.handed_over.clear()
        return self._back_to_start(time, "reset")

    def stop(self, time: float, cause: str) -> list[Instruction]:
        """Turn everything off, pins or not, for good."""
        for seat in self._seats.values():
            seat.control = AUTO
        self.running = False
        return self._back_to_start(time, cause)

    def _back_to_start(self, time: float, cause: str) -> list[Instruction]:
        states = {name: seat.control if seat.pinned else seat.first for name, seat in self._seats.items()}
        instructions = self._publish(time, states, dict.fromkeys(states, cause))
        self._settled = False
        for seat in self._seats.values():
            seat.back_to_start()
        return instructions

    # ---- what is published

    def _states(self) -> dict[str, str]:
        return {name: seat.state for name, seat in self._seats.items()}

    def _publish(self, time: float, states: Mapping[str, str], causes: Mapping[str, str]) -> list[Instruction]:
        """Enter states; what is new is published as a whole."""
        switches = []
        for name, state in states.items():
            seat = self._seats[name]
            if state != seat.state:
                switches.append(Switch(time, name, seat.state, state, causes[name]))
                seat.state = state
                seat.policy.entered(time, state)
        if not switches:
            return []
        self._counter += 1
        self.counters["switches"] += len(switches)
        return [Publish(self.state, tuple(switches))]

    def _ignore(self, counter: str, reason: str = "") -> list[Instruction]:
        self.counters[counter] += 1
        return [Ignored(reason or counter)]
