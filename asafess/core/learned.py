"""Task types from measured executions, and derived types against measured ones.

A measured type has a load on *compute* that, divided by the flop rate, is the seconds that a task computed: whatever
it does, that is how long it keeps a processor. What it waits is no load. A derived type whose prediction is far from
what was measured is corrected, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from asafess.core.fit import NEGLIGIBLE, Fit
from asafess.core.found_type import FoundType
from asafess.core.mode import Rates, computing
from asafess.core.task_type import TaskType

#: axes of what a task does with its thread
_COMPUTING = ("compute", "loops", "memory")
#: least confidence of what is told: two looks
SURE = 0.5
#: a derived type is contradicted when it is off by more than this, either way, with at least this confidence
FACTOR = 4.0
CERTAIN = 0.65


def measured_type(name: str, found: Fit, rates: Rates) -> FoundType:
    """Return the type of tasks that compute as long as was measured: compute ÷ flop rate are its seconds.

    Parameters
    ----------
    name : str
        Of the type.
    found : Fit
        By tasks or by bytes.
    rates : Rates
        The cluster's, which the load will be divided by.

    Examples
    --------
    >>> from asafess.core.fit import Observation, fit
    >>> seen = [Observation(4, 0.5), Observation(4, 0.6)]
    >>> found = measured_type("step", fit(seen), Rates(flop=1e9, memory=1e9, link=1e8))
    >>> found.type.loads, found.why
    ({'compute': 125000000.0}, '8 tasks computed 125 ms ± 8 %')
    """
    load = {"compute": found.rate * rates.flop}
    type_ = TaskType(name, per_byte=load) if found.by == "byte" else TaskType(name, load)
    return FoundType(type_, "measured", found.confidence, in_words(found))


def predicted_seconds(type_: TaskType, input_bytes: float | None, rates: Rates) -> float | None:
    """Return how long one task computes, by its type; None where that needs the bytes of its inputs.

    Examples
    --------
    >>> type_ = TaskType("sum", per_byte={"compute": 0.125, "memory": 1.0})
    >>> predicted_seconds(type_, 8e6, Rates(flop=1e9, memory=4e9, link=1e8))
    0.002
    """
    if input_bytes is None and (type_.per_byte.get("compute") or type_.per_byte.get("memory")):
        return None
    load = type_.load(input_bytes or 0.0, 0.0)
    return computing(load, rates)


def corrected(derived: FoundType, found: Fit | None, rates: Rates) -> FoundType | None:
    """Return a derived type as measurement corrects it; None where it does not contradict it.

    The type keeps its kind: computing and touching memory are scaled alike, until they take as long as was measured.
    Where it says that next to nothing is computed there is nothing to scale, and the tasks get a load instead. What
    a person has said is not corrected.

    Computing is counted in the thread of a task. Others may work for it, so a type that says too much is
    contradicted only by tasks that were over sooner, waiting included.

    Parameters
    ----------
    derived : FoundType
        Only one from the compiler is corrected.
    found : Fit, optional
        By predicted seconds, or by tasks where those were 0.
    rates : Rates

    Examples
    --------
    >>> from asafess.core.fit import Observation, fit
    >>> rates = Rates(flop=1e9, memory=1e9, link=1e8)
    >>> derived = FoundType(TaskType("dot", {"compute": 2e5}), "compiler", 0.9, "dot")
    >>> seen = [Observation(8, 0.064, predicted=0.0016)] * 4
    >>> again = corrected(derived, fit(seen, "derived"), rates)
    >>> again.type.loads, again.source, again.why
    ({'compute': 8000000.0}, 'measured', 'derived 0.20 ms, measured 8.0 ms: corrected (32 tasks computed 8.0 ms ± 0 %)')
    >>> corrected(derived, fit([Observation(8, 0.003, predicted=0.0016)] * 4, "derived"), rates) is None
    True
    """
    if derived.source != "compiler" or found is None or found.confidence < CERTAIN:
        return None
    total, measured = found.total, found.seconds
    said = (total.predicted or 0.0) / found.tasks
    most = measured if total.elapsed is None else max(total.elapsed / found.tasks, measured)
    too_little = measured + NEGLIGIBLE > FACTOR * (said + NEGLIGIBLE)
    too_much = said + NEGLIGIBLE > FACTOR * (most + NEGLIGIBLE)
    if not too_little and not too_much:
        return None
    type_ = derived.type
    if found.by == "derived" and said >= NEGLIGIBLE:
        loads, per_byte = (
            {axis: load * (found.rate if axis in _COMPUTING else 1.0) for axis, load in part.items()}
            for part in (type_.loads, type_.per_byte)
        )
    else:
        loads = {**_others(type_.loads), "compute": measured * rates.flop}
        per_byte = _others(type_.per_byte)
    why = f"derived {duration(said)}, measured {duration(measured)}: corrected ({in_words(found)})"
    return FoundType(replace(type_, loads=loads, per_byte=per_byte), "measured", found.confidence, why)


def in_words(found: Fit) -> str:
    """Return what was measured, for people.

    Examples
    --------
    >>> from asafess.core.fit import Observation, fit
    >>> in_words(fit([Observation(1, 0.5, 0.02, 8e6, 8e3)]))
    '1 task computed 500 ms (seen once), fetching 20 ms, 8 MB in, 8 kB out'
    """
    many, total = found.tasks, found.total
    spread = f"± {1 - found.agreement:.0%}".replace("%", " %") if found.looks > 1 else "(seen once)"
    text = f"{many} task{'s' * (many > 1)} computed {duration(found.seconds)} {spread}"
    if found.by == "byte":
        text += f", {duration(found.rate * 1e6)} per MB of input"
    if total.elapsed is not None and total.elapsed >= 2 * total.compute:
        text += f", waiting {duration((total.elapsed - total.compute) / many)}"
    if total.transfer:
        text += f", fetching {duration(total.transfer / many)}"
    if total.input_bytes:
        text += f", {_size(total.input_bytes / many)} in"
    return text + (f", {_size(total.output_bytes / many)} out" if total.output_bytes else "")


def duration(seconds: float) -> str:
    """Return a duration in words.

    Examples
    --------
    >>> [duration(seconds) for seconds in (0.0031, 12e-6, 42.0)]
    ['3.1 ms', '12 µs', '42 s']
    """
    unit, scale = ("s", 1.0) if seconds >= 1 else ("ms", 1e-3) if seconds >= NEGLIGIBLE else ("µs", 1e-6)
    value = seconds / scale
    return f"{value:.{0 if value >= 9.95 else 1 if value >= 0.995 else 2}f} {unit}"


def _size(nbytes: float) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if nbytes >= scale:
            return f"{nbytes / scale:.3g} {unit}"
    return f"{nbytes:.0f} B"


def _others(loads: Mapping[str, float]) -> dict[str, float]:
    return {axis: load for axis, load in loads.items() if axis not in _COMPUTING}
