"""Optimizations that break the contract, each in one way."""

import asyncio
import gc
import itertools
import os
import threading
import warnings

import dask
import numpy as np

from asafess import Domain, Hysteresis, Optimization, axis, band
from asafess.core.domain import Predicate


class Unit(Optimization):
    """Keeps the contract: sets a variable, and what it was is known to the process."""

    name = "unit"
    found: tuple = ()

    def domain(self, rates):
        return Domain(self.states, [band(0.5, 1.0)])

    def read(self):
        return os.environ.get("UNIT")

    def write(self, value):
        if value is None:
            os.environ.pop("UNIT", None)
        else:
            os.environ["UNIT"] = value

    def enter(self, state):
        if not Unit.found:
            Unit.found = (self.read(),)
        self.write(state)

    def leave(self):
        if Unit.found:
            self.write(Unit.found[0])
            Unit.found = ()


# ---- declaration


class Nameless(Unit):
    name = ""


class Reserved(Unit):
    states = ("off", "auto")


class Unpicklable(Unit):
    def __init__(self):
        self.lock = threading.Lock()


class Changeling(Unit):
    def __init__(self):
        self.dwell = 1.0

    def __reduce__(self):
        return Unit, ()


# ---- the deciding half


class NoDomain(Optimization):
    name = "no_domain"


class NoneDomain(Unit):
    def domain(self, rates):
        return None


class OtherStates(Unit):
    def domain(self, rates):
        return Domain(("off", "on", "more"), [band(0.5, 1.0)] * 2)


class _Partial(Predicate):
    def __call__(self, vector):
        return vector["objects"] > 1


class Partial(Unit):
    """Does not expect that something is not known."""

    def domain(self, rates):
        return Domain(self.states, [Hysteresis(_Partial(), ~_Partial())])


class _Dividing(Predicate):
    def __call__(self, vector):
        return 1 / vector.get("objects", 1.0) < 1


class DividesByZero(Unit):
    """Raises at one value of an axis of its own."""

    def domain(self, rates):
        return Domain(self.states, [Hysteresis(_Dividing(), ~_Dividing())])


class _Moody(Predicate):
    calls = itertools.count()

    def __call__(self, vector):
        return next(self.calls) > 500


class Moody(Unit):
    def domain(self, rates):
        return Domain(self.states, [Hysteresis(_Moody(), axis("ratio") > 1)])


class Thresholds(Unit):
    def thresholds(self, rates):
        return {"alpha": float("nan")}


class Costs(Unit):
    """Predicts what it is told to."""

    def __init__(self, costs):
        self.answer = costs

    def costs(self, sample):
        return self.answer


class MoodyCosts(Unit):
    calls = itertools.count()

    def costs(self, sample):
        return {"off": 1.0, "on": float(next(self.calls))}


class Measured(Unit):
    def measured(self, sample, state, recent, since_switch):
        return {"speed": float("inf")}


class NeedsPackage(Unit):
    def domain(self, rates):
        import sympy

        return Domain(self.states, [band(0.0, float(sympy.Integer(1)))])


# ---- the acting half


class Raising(Unit):
    def __init__(self, hook):
        self.hook = hook

    def _raise(self, hook):
        if hook == self.hook:
            raise SystemExit(f"no {hook}")

    def prepare(self, dtypes):
        self._raise("prepare")

    def rates(self):
        self._raise("rates")
        return {}

    def enter(self, state):
        self._raise("enter")

    def leave(self):
        self._raise("leave")

    def counters(self):
        self._raise("counters")
        return {}


class LeavesAnyway(Unit):
    """Puts back what it has not found."""

    def leave(self):
        self.write("off")


class KeepsVariable(Unit):
    def leave(self):
        """Put nothing back."""


class PerObject(Unit):
    """Remembers in the object what it found, so a second worker of the process finds what the first one set."""

    def __init__(self):
        self.mine = ()

    def enter(self, state):
        self.mine = self.mine or (self.read(),)
        self.write(state)

    def leave(self):
        if self.mine:
            self.write(self.mine[0])
            self.mine = ()


class FindsItself(Unit):
    """Takes for found what it has set itself, when a state is entered twice."""

    def enter(self, state):
        Unit.found = (self.read(),)
        self.write(state)


class RemembersLate(Unit):
    """Sets first, and remembers then: what is raised in between is not put back."""

    def enter(self, state):
        before = self.read()
        self.write(state)
        if not Unit.found:
            Unit.found = (before,)


class KeepsConfig(Unit):
    def enter(self, state):
        dask.config.set({"distributed.comm.compression": "zlib"})


class KeepsCollector(Unit):
    def enter(self, state):
        gc.disable()


class KeepsErrors(Unit):
    def enter(self, state):
        np.seterr(over="raise")


class KeepsFilter(Unit):
    def enter(self, state):
        warnings.simplefilter("ignore", ResourceWarning)


class KeepsThreads(Unit):
    def enter(self, state):
        from threadpoolctl import threadpool_limits

        threadpool_limits(1 if state == "on" else None)


class KeepsCodec(Unit):
    def enter(self, state):
        from distributed.protocol.compression import Compression, compressions

        compressions["zlib"] = Compression("zlib", bytes, bytes)


class KeepsSerializer(Unit):
    def enter(self, state):
        from distributed.protocol.serialize import dask_serialize

        dask_serialize.register(bytes, lambda value: ({}, [value]))


class AddsCodec(Unit):
    """Keeps the contract: what it has compressed may still be on its way when it leaves."""

    name = "adds_codec"

    def enter(self, state):
        from distributed.protocol.compression import Compression, compressions

        compressions.setdefault("mine", Compression("mine", bytes, bytes))

    def leave(self):
        """Leave the codec for those who still get what was compressed."""


#: what a library has as its setting
SETTING = {"form": "float"}


class KeepsSetting(Unit):
    def enter(self, state):
        SETTING["form"] = "fixed"


class Rates(Unit):
    def __init__(self, rates):
        self.answer = rates

    def rates(self):
        return self.answer


class Counters(Unit):
    """Counts in what it is told to, one after the other."""

    def __init__(self, *counters):
        self.answers = itertools.chain(counters, itertools.repeat(counters[-1]))

    def counters(self):
        return next(self.answers)


# ---- the half in the scheduler


class InScheduler(Optimization):
    """Keeps the contract with what it does to the scheduler."""

    name = "in_scheduler"
    domain = Unit.domain

    def enter_scheduler(self, scheduler, state):
        if not hasattr(self, "found"):
            self.found = self.read(scheduler)
        self.write(scheduler, state)

    def leave_scheduler(self, scheduler):
        if hasattr(self, "found"):
            self.put_back(scheduler, self.found)
            del self.found

    def read(self, scheduler):
        return scheduler.WORKER_SATURATION

    def write(self, scheduler, state):
        scheduler.WORKER_SATURATION = 5.0

    def put_back(self, scheduler, found):
        scheduler.WORKER_SATURATION = found


class KeepsSaturation(InScheduler):
    def put_back(self, scheduler, found):
        """Put nothing back."""


class KeepsMethod(KeepsSaturation):
    def write(self, scheduler, state):
        scheduler.check_idle_saturated = lambda ws, occ=-1.0: None


class KeepsHandler(KeepsSaturation):
    def write(self, scheduler, state):
        scheduler.stream_handlers["mine"] = print


class KeepsCallback(KeepsSaturation):
    def write(self, scheduler, state):
        scheduler.periodic_callbacks["worker-ttl"].stop()


class LeavesLater(InScheduler):
    """Keeps the contract, in a coroutine."""

    def put_back(self, scheduler, found):
        async def later():
            await asyncio.sleep(0)
            scheduler.WORKER_SATURATION = found

        self.task = asyncio.ensure_future(later())


class SchedulerLoad(InScheduler):
    def __init__(self, load, changes=False):
        self.load, self.changes = load, changes

    def scheduler_load(self, scheduler, groups):
        if self.changes:
            scheduler.WORKER_SATURATION = 3.0
        return self.load


class LateLoad(InScheduler):
    """Raises when it is asked of tasks."""

    def scheduler_load(self, scheduler, groups):
        return {"waiting": 1.0 / (len(groups) == 0)}


# ---- running


def looks_at_the_unit(client):
    """Stand for a kernel that gives something else in one state."""
    return client.gather([client.submit(lambda: os.environ.get("UNIT") == "on", pure=False)])


def changes_in_the_middle(client):
    """Say whether a chain of tasks has seen one state only."""

    def seen(before):
        return {*before, os.environ.get("UNIT") or "off"}

    last = client.submit(seen, (), pure=False)
    for _ in range(60):
        last = client.submit(seen, last, pure=False)
    return len(last.result()) == 1


class OnWorkers(Unit):
    """Does something else in a worker than in the test's own thread."""

    def __init__(self, hook):
        self.hook, self.main = hook, threading.main_thread().ident

    def elsewhere(self, hook):
        return hook == self.hook and threading.get_ident() != self.main

    def prepare(self, dtypes):
        if self.elsewhere("prepare"):
            raise OSError("no such unit on workers")

    def enter(self, state):
        if self.elsewhere("enter"):
            raise OSError("no such unit on workers")
        super().enter(state)

    def leave(self):
        if not self.elsewhere("leave"):
            super().leave()
