"""Deciding a recorded run again: the same decisions from the same moments, or those of another policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from asafess.core.controller import Controller
from asafess.core.declaration import Declaration
from asafess.core.domain import Domain, Hysteresis, axis
from asafess.core.instruction import Instruction, Publish, Shadowed
from asafess.core.mode import Rates
from asafess.core.moment import Moment
from asafess.core.state import Switch
from asafess.core.switch_limit import SwitchLimit
from asafess.core.trace import Event, Trace

#: a start wants some rates; what they implied is in the trace
_ANY_RATES = Rates(1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Decided:
    """One moment of a recorded run, decided again."""

    moment: Moment
    #: optimization → what the policy wants
    wanted: Mapping[str, str]
    #: optimization → the state that the replay acts in from then on
    after: Mapping[str, str]

    @property
    def same(self) -> bool:
        """Say whether what was wanted and what was done are those of the recorded run."""
        return (dict(self.wanted), dict(self.after)) == (dict(self.moment.wanted), dict(self.moment.after))


@dataclass(frozen=True, slots=True)
class Replay:
    """A recorded run, decided again."""

    #: one for each moment
    decided: list[Decided]
    #: changes of state, also those that an optimization in shadow would have made
    switches: list[Switch]


def replay(trace: Trace, **settings: Any) -> Replay:
    """Decide each moment of a trace again.

    What a person did (pins, shadows, resets) and the starts from the rates are done again too, at the same times.
    A trace that begins in the middle of a run does not hold what its policies remembered of the time before: its first
    decisions may come out differently.

    Parameters
    ----------
    trace : Trace
    **settings
        Of `Controller`, in place of the recorded ones: `policy`, `excess`, `budgets`, `switches_per_minute`.

    Raises
    ------
    ValueError, TypeError
        An unknown policy, or another setting that the controller refuses.

    Examples
    --------
    >>> from asafess.core.assessment import Assessment
    >>> seen = Assessment({"off": "on", "on": "on"}, {"off": 0.05, "on": 0.01}, 0.05)
    >>> of = lambda state: {"codec": state}
    >>> moments = [Moment(0.05 * k, 0.05, {}, {"codec": seen}, of("off"), of("off"), of("off"), {}) for k in range(2)]
    >>> codec = Declaration("codec", ("off", "on"), lambda rates: Domain(("off",), []))
    >>> trace = Trace({"policy": "work_function"}, [codec], moments)
    >>> [one.same for one in replay(trace).decided]
    [True, True]
    >>> [(one.time, one.after) for one in replay(trace, policy="alpha_beta").switches]
    [(0.0, 'on')]
    """
    declarations = [replace(one, domain=_told(one)) for one in trace.declarations]
    controller = Controller(declarations, name="replay", **{**trace.settings, **settings})
    decided: list[Decided] = []
    switches: list[Switch] = []
    begun = False
    for entry in trace.entries:
        # what a trace finds at its beginning was done before it, long enough to count in no limit
        time = entry.time if begun else entry.time - 2 * SwitchLimit.SECONDS
        if isinstance(entry, Moment):
            if not begun:
                _enter(controller, time, trace, entry.before)
                begun = True
            made = _switches(controller.decide(entry.time, entry.assessments, entry.elapsed))
            assert controller.moment is not None
            decided.append(Decided(entry, controller.moment.wanted, controller.moment.after))
        else:
            made = _again(controller, time, trace, entry)
            if not begun:
                made, begun = [], entry.kind == "state"
        switches.extend(made)
    return Replay(decided, switches)


def _again(controller: Controller, time: float, trace: Trace, event: Event) -> list[Switch]:
    """Do again what no moment decided."""
    if event.kind == "control":
        return _switches(one for name, to in event.of.items() for one in controller.control(time, name, to))
    if event.kind == "reset":
        return _switches(controller.reset(time))
    if event.kind == "state":
        made = _switches(_enter(controller, time, trace, event.of))
        return [replace(one, cause="start, as recorded") for one in made]
    return []


def _told(declaration: Declaration) -> Any:
    """Return an efficiency domain that is told where to be: the number of the state, on the axis of its name."""
    number = axis(declaration.name)
    steps = [Hysteresis(number > low + 0.5, number < low + 0.5) for low in range(len(declaration.states) - 1)]
    return lambda rates: Domain(declaration.states, steps)


def _enter(controller: Controller, time: float, trace: Trace, states: Mapping[str, str]) -> list[Instruction]:
    """Start in these states. The controller's own start, so that limits and dwells see it."""
    numbers = {one.name: one.states.index(states[one.name]) for one in trace.declarations if one.name in states}
    controller.vector = numbers
    return controller.start(time, _ANY_RATES)


def _switches(instructions: Iterable[Instruction]) -> list[Switch]:
    return [one for made in instructions if isinstance(made, Publish | Shadowed) for one in made.switches]
