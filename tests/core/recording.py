"""A recorded run without a cluster: a controller and the lines that the scheduler's plugin writes about it."""

import json

from strategies import RATES

from asafess.core.controller import Controller
from asafess.core.declaration import Declaration
from asafess.core.domain import Domain, Hysteresis, axis
from asafess.core.instruction import Publish, Shadowed
from asafess.core.mode import Sample, Scheduled
from asafess.core.trace import Event, event_line, header_line, moment_line, switch_line

SETTINGS = {
    "tick": 0.05,
    "window": 0.2,
    "policy": "work_function",
    "excess": 0.05,
    "budgets": {},
    "switches_per_minute": None,
}


class Recording:
    """Does what `asafess.cluster.scheduler_plugin` does, and keeps the lines."""

    def __init__(self, declarations, control=(), **settings):
        settings = {**SETTINGS, **settings}
        self.controller = Controller(declarations, name="recorded", **settings)
        for name, state in dict(control).items():
            self.controller.control(0.0, name, state)
        self._header = header_line(settings, declarations, 1000.0, 1.7e9)
        self.lines = []
        self.open(1000.0)

    def __repr__(self):
        return "\n".join(self.lines)

    def open(self, time):
        """Begin a trace; one that was open is over."""
        self.lines = [json.dumps(self._header)]
        self._event(time, "control", self.controller.controls)
        self._event(time, "state", {**self.controller.state.states, **self.controller.shadows})

    def start(self, time, rates=RATES):
        self._rates = rates
        self._act(self.controller.start(time, rates))
        self._event(time, "state", {**self.controller.state.states, **self.controller.shadows})

    def observe(self, sample):
        used = self.controller.counters["used"]
        self._act(self.controller.observe(sample))
        if self.controller.counters["used"] > used:
            self.lines.append(json.dumps(moment_line(self.controller.moment, sample, {"wire_bytes": 1.0})))
        if not sample.scheduled:
            self._event(sample.time, "empty", {})

    def control(self, time, name, control):
        self._act(self.controller.control(time, name, control))
        self._event(time, "control", {name: control})

    def reset(self, time):
        self._act(self.controller.reset(time))
        self._event(time, "reset", {})
        self.start(time + 1e-6, self._rates)

    def _act(self, instructions):
        for one in instructions:
            if isinstance(one, Publish | Shadowed):
                self.lines += [json.dumps(switch_line(switch)) for switch in one.switches]

    def _event(self, time, kind, of):
        self.lines.append(json.dumps(event_line(Event(time, kind, of))))


def costs(sample):
    """Seconds of the scheduled load: compressing takes time by itself, and pays where much is to be moved."""
    if sample.zeros is None:
        return None
    load = sample.scheduled[0].load
    compute, move = load.get("compute", 0.0) / RATES.flop, load.get("communication", 0.0) / RATES.link
    return {"off": compute + move, "on": 2 * compute + 0.3 * move}


def step(alpha, beta, rates):
    """A band that takes what it does not know to be worth it where the link is slow."""
    return Hysteresis(axis("ratio", if_unknown=rates.link < RATES.link) < alpha, axis("ratio") > beta)


def codec(name="codec", **more):
    more.setdefault("costs", costs)
    return Declaration(name, ("off", "on"), lambda rates: Domain(("off", "on"), [step(0.5, 1.0, rates)]), **more)


def tiles(**more):
    def three(sample):
        two = costs(sample)
        return None if two is None else {"off": two["off"], "light": 0.5 * (two["off"] + two["on"]), "full": two["on"]}

    states = ("off", "light", "full")
    steps = lambda rates: [step(1.0, 2.0, rates), step(0.25, 0.5, rates)]  # noqa: E731
    return Declaration("tiles", states, lambda rates: Domain(states, steps(rates)), costs=three, **more)


def at(time, ratio, zeros=0.5, fresh=False):
    """A sample whose ratio is `ratio`."""
    load = {"compute": ratio * RATES.flop, "communication": RATES.link}
    return Sample(time, (Scheduled("t", 1, load),), 1, 1, RATES, zeros, fresh)


def phases(*ratios, ticks=20, **settings):
    """Return the lines of a run of `codec` through phases of these ratios."""
    run = Recording([codec()], **settings)
    run.start(1000.01)
    times = (1000.05 + 0.05 * k for k in range(ticks * len(ratios)))
    for ratio in ratios:
        for _ in range(ticks):
            run.observe(at(next(times), ratio))
    return run.lines
