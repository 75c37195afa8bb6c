"""The runtime mode: what the tasks that are scheduled right now ask of the machine, added up.

A `Sample` is what the scheduler saw at one moment. `total_load` adds up its types; `Window` averages the
totals over time; `mode_vector` divides. In this order: averages of ratios would be ruled by moments in
which there is little to move. Nothing here reads a clock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

#: a load or a mode vector: axis → amount
Vector = Mapping[str, float]


#: the load of all tasks of a type on an axis is less than this, so that sums over types stay finite
LARGEST_SUM = 1e200


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The scheduled tasks of one task type (on one worker, where asked for)."""

    #: name of the task type
    type: str
    #: tasks in Dask's state *processing*
    count: int
    #: load of all these tasks together, by axis
    load: Vector
    #: tasks that wait in the scheduler's queue: look-ahead, not part of the mode
    queued: int = 0
    #: address of the worker; empty for all workers together
    worker: str = ""


@dataclass(frozen=True, slots=True)
class Rates:
    """What the cluster's machines can do, measured."""

    #: flop per second and thread
    flop: float
    #: bytes touched per second and thread
    memory: float
    #: wire bytes per second and worker
    link: float
    #: rates that single optimizations need, by name
    extra: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the scheduler saw at one moment."""

    #: seconds on any clock that does not run backwards
    time: float
    #: one entry for each type (and worker); their order means nothing
    scheduled: tuple[Scheduled, ...]
    #: threads of all workers together
    threads: int
    #: workers
    workers: int
    #: None until they have been measured
    rates: Rates | None
    #: share of zero words in the data that scheduled tasks move, 0 to 1; None while nothing is known
    zeros: float | None = None
    #: true when nothing was scheduled before this sample's graph arrived: what was averaged before is over
    fresh: bool = False
    #: what was measured lately of data and workers, by name; no part of the mode, because it may depend on the state
    measured: Mapping[str, float] = field(default_factory=dict)
    #: seconds that what is scheduled takes at least, as far as tasks of its kind have been measured
    seconds: float = 0.0


def problem(sample: Sample) -> str | None:
    """Return why a sample can't be used, or None.

    Examples
    --------
    >>> problem(Sample(0.0, (Scheduled("t", 1, {"compute": math.nan}),), 1, 1, None))
    "load on compute of type 't' is nan"
    """
    if not math.isfinite(sample.time):
        return f"time is {sample.time}"
    if sample.threads < 1 or sample.workers < 1:
        return f"{sample.workers} workers with {sample.threads} threads"
    if sample.zeros is not None and not 0 <= sample.zeros <= 1:
        return f"zeros is {sample.zeros}"
    for entry in sample.scheduled:
        if entry.count < 0 or entry.queued < 0:
            return f"type {entry.type!r} has {entry.count} tasks scheduled and {entry.queued} queued"
        for axis, load in entry.load.items():
            if not 0 <= load <= LARGEST_SUM:
                return f"load on {axis} of type {entry.type!r} is {load}"
    if sample.rates is not None:
        rates = {"flop": sample.rates.flop, "memory": sample.rates.memory, "link": sample.rates.link}
        for name, rate in {**rates, **sample.rates.extra}.items():
            if not 0 < rate < math.inf:
                return f"rate {name} is {rate}"
    if not 0 <= sample.seconds < math.inf:
        return f"seconds is {sample.seconds}"
    for name, value in sample.measured.items():
        if not math.isfinite(value):
            return f"{name} was measured as {value}"
    return None


def total_load(scheduled: Iterable[Scheduled]) -> dict[str, float]:
    """Add up the loads of scheduled tasks by axis; the order of the entries does not matter to the last bit.

    Examples
    --------
    >>> total_load([Scheduled("a", 2, {"compute": 1.0}), Scheduled("b", 1, {"compute": 2.0, "memory": 5.0})])
    {'compute': 3.0, 'memory': 5.0}
    """
    parts: dict[str, list[float]] = {}
    for entry in scheduled:
        if entry.count:
            for axis, load in entry.load.items():
                parts.setdefault(axis, []).append(load)
    # fsum rounds once, so that the sum is the same in any order
    return {axis: math.fsum(parts[axis]) for axis in sorted(parts)}


class Window:
    """The average of load vectors over the last seconds, by the trapezoidal rule.

    Between two moments the load is taken to change evenly. So a graph that is over before the second tick still
    counts with what it loaded when it arrived, and not only with the last small task that the tick found.

    Parameters
    ----------
    seconds : float
        Length of the window.

    Examples
    --------
    >>> window = Window(1.0)
    >>> window.add(0.0, {"compute": 4.0})
    {'compute': 4.0}
    >>> window.add(0.5, {"compute": 8.0})
    {'compute': 6.0}
    >>> window.add(1.0, {"compute": 8.0})
    {'compute': 7.0}
    """

    def __init__(self, seconds: float) -> None:
        if not 0 < seconds < math.inf:
            raise ValueError(f"window must be a positive number of seconds, not {seconds!r}")
        self.seconds = seconds
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._times: deque[float] = deque()
        self._last: Vector = {}
        # axis → the areas between neighbouring times, so that a tick computes one of them and adds up the others
        self._areas: dict[str, deque[float]] = {}

    def add(self, time: float, vector: Vector) -> dict[str, float]:
        """Add a vector seen at `time`, in seconds, and return the average."""
        times = self._times
        if times:
            # a clock that stands still or jumps back gives no weight
            time = max(time, times[-1])
            half, last = (time - times[-1]) / 2, self._last
            for axis in vector.keys() - self._areas.keys():
                self._areas[axis] = deque([0.0] * (len(times) - 1))
            for axis, areas in self._areas.items():
                areas.append(half * (last.get(axis, 0.0) + vector.get(axis, 0.0)))
        else:
            self._areas = {axis: deque() for axis in vector}
        times.append(time)
        self._last = vector
        while times[0] < time - self.seconds:
            times.popleft()
            for areas in self._areas.values():
                areas.popleft()
        return self.average()

    def average(self) -> dict[str, float]:
        """Return the average; of a single moment, that moment."""
        if not self._times:
            return {}
        total = self._times[-1] - self._times[0]
        if not total:
            return dict(self._last)
        sums = {axis: math.fsum(self._areas[axis]) for axis in sorted(self._areas)}
        # what no vector of the window has is not known, rather than 0
        return {axis: area / total for axis, area in sums.items() if area or axis in self._last}


def computing(load: Vector, rates: Rates) -> float:
    """Return the seconds that one thread computes: as many as the slowest of its parts takes.

    The parts are all floating-point operations at the rate of a matrix product, those of them that are done in loops
    at the rate of such (``rates.extra["loops"]``, where it is known), and the bytes touched. (The roofline model with
    a ceiling in the core: Williams, Waterman, Patterson, CACM 52(4), 2009.)

    Examples
    --------
    >>> rates = Rates(flop=8e9, memory=4e9, link=1e8, extra={"loops": 1e9})
    >>> computing({"compute": 8e9}, rates), computing({"compute": 8e9, "loops": 2e9, "memory": 2e9}, rates)
    (1.0, 2.0)
    """
    seconds = max(load.get("compute", 0.0) / rates.flop, load.get("memory", 0.0) / rates.memory)
    if "loops" in load and "loops" in rates.extra:
        seconds = max(seconds, load["loops"] / rates.extra["loops"])
    return seconds


def mode_vector(load: Vector, sample: Sample) -> dict[str, float]:
    """Return the mode vector: the averaged loads, their ratio, and the zeros of the data where known.

    The ratio is computation to communication:
    the seconds of `computing` per thread ÷ (logical bytes ÷ link rate) per worker.
    It is infinite when nothing is to be moved, and absent when there is neither of the two or no rates.

    Examples
    --------
    >>> rates = Rates(flop=1e9, memory=1e9, link=1e8)
    >>> sample = Sample(0.0, (), threads=4, workers=4, rates=rates, zeros=0.5)
    >>> mode_vector({"compute": 1e9, "memory": 2e9, "communication": 1e9}, sample)["ratio"]
    0.2
    """
    vector = dict(load)
    if sample.zeros is not None:
        vector["zeros"] = sample.zeros
    if sample.rates is not None:
        compute = computing(load, sample.rates)
        move = load.get("communication", 0.0) / sample.rates.link
        if move > 0:
            vector["ratio"] = (compute / sample.threads) / (move / sample.workers)
        elif compute > 0:
            vector["ratio"] = math.inf
    return vector


def least_seconds(load: Vector, rates: Rates, threads: int, workers: int) -> float:
    """Return how long a load takes if nothing waits for anything: the longer of computing and moving.

    Parameters
    ----------
    load : mapping
        By axis.
    rates : Rates
    threads, workers : int
        That share it.

    Examples
    --------
    >>> least_seconds({"compute": 4e9, "communication": 1e8}, Rates(flop=1e9, memory=1e9, link=1e8), 4, 2)
    1.0
    """
    return max(computing(load, rates) / threads, load.get("communication", 0.0) / rates.link / workers)
