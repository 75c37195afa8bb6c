"""Task types: what a kind of task asks of the machine.

A task type is a set of loads over named axes. Three axes are standard; a program adds its own with
`define_axis`. This file says what a type is and what a task of it loads; finding the type of a task is the
business of `asafess.compiler`, adding up the tasks that of `asafess.core.mode`.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: axis → unit. The standard axes; `define_axis` adds to it.
AXES: dict[str, str] = {
    "compute": "flop",
    # of them those for which an operand is loaded: few programs do them as fast as a product of matrices, which is done
    # in registers
    "loops": "flop in loops",
    "memory": "bytes touched",
    "communication": "logical bytes fetched",
}


def define_axis(name: str, unit: str) -> None:
    """Add an axis of one's own to the standard ones.

    Parameters
    ----------
    name : str
        A Python identifier that is not yet an axis (or is one with the same unit).
    unit : str
        What one unit of load is, for logs and plots.

    Raises
    ------
    ValueError
        When `name` is no identifier, or is an axis with another unit.

    Examples
    --------
    >>> define_axis("watts", "W")
    >>> declare(loads={"watts": 3}).loads
    {'watts': 3.0}
    """
    if not name.isidentifier():
        raise ValueError(f"axis {name!r} must be a Python identifier")
    if AXES.get(name, unit) != unit:
        raise ValueError(f"axis {name!r} is measured in {AXES[name]!r} already, not in {unit!r}; choose another name")
    AXES[name] = unit


#: no task loads an axis with more: sums of such loads stay finite
LARGEST = 1e100
#: axes of one type
MOST_AXES = 64


def _shown(value: object) -> str:
    """Return what can be shown of any value, however it represents itself."""
    try:
        return reprlib.repr(value)
    except Exception:
        return f"a {type(value).__name__} that can't be shown"


def _checked(what: str, loads: Any, axes: Mapping[str, str] | None = None) -> dict[str, float]:
    """Return loads as floats; `axes` are the known ones, None lets any identifier be one."""
    if not isinstance(loads, Mapping):
        raise TypeError(f"{what} must map axes to numbers, not {_shown(loads)}")
    if len(loads) > MOST_AXES:
        raise ValueError(f"{what} has {len(loads)} axes; allowed are at most {MOST_AXES}")
    checked = {}
    for axis, load in loads.items():
        if not isinstance(axis, str) or not (axis.isidentifier() if axes is None else axis in axes):
            known = "" if axes is None else f"; known: {', '.join(sorted(axes))} (add one with asafess.define_axis)"
            raise ValueError(f"unknown axis {_shown(axis)} in {what}{known}")
        if isinstance(load, bool) or not isinstance(load, int | float):
            raise TypeError(f"{what}[{axis!r}] must be a number, not {_shown(load)}")
        if not 0 <= load <= LARGEST:
            raise ValueError(
                f"{what}[{axis!r}] must be finite and not negative (at most {LARGEST:g}), not {_shown(load)}"
            )
        checked[axis] = float(load)
    return checked


@dataclass(frozen=True, slots=True)
class TaskType:
    """What a kind of task asks of the machine.

    Make one with `declare`, which checks what it is given.
    """

    #: shown in logs; tasks of equal names are counted together
    name: str
    #: load of one task by axis, whatever its input
    loads: Mapping[str, float] = field(default_factory=dict)
    #: load of one task by axis for each logical byte of its input
    per_byte: Mapping[str, float] = field(default_factory=dict)

    def load(self, input_bytes: float, missing_bytes: float) -> dict[str, float]:
        """Return the load of one task by axis.

        Parameters
        ----------
        input_bytes : float
            Logical bytes of all inputs of the task.
        missing_bytes : float
            Those of them that were not on the worker when the task was assigned. They are the load on
            `communication` unless the type declares one.

        Examples
        --------
        >>> declare(intensity=0.25, name="matvec").load(input_bytes=800.0, missing_bytes=800.0)
        {'communication': 800.0, 'compute': 200.0, 'memory': 800.0}
        """
        load = {"communication": float(missing_bytes)}
        for axis, factor in self.per_byte.items():
            load[axis] = factor * input_bytes
        for axis, amount in self.loads.items():
            load[axis] = amount + (load[axis] if axis in self.per_byte else 0.0)
        return load

    def to_dict(self) -> dict[str, Any]:
        """Return the type as plain data, as it travels in a Dask annotation."""
        return {"name": self.name, "loads": dict(self.loads), "per_byte": dict(self.per_byte)}


def declare(
    *,
    name: str = "task",
    intensity: float | None = None,
    loads: Mapping[str, float] | None = None,
    per_byte: Mapping[str, float] | None = None,
) -> TaskType:
    """Check and make a `TaskType`.

    Parameters
    ----------
    name : str
        Shown in logs.
    intensity : float, optional
        Arithmetic intensity in flop per byte of input; short for ``per_byte={"compute": intensity, "memory": 1}``.
    loads : mapping, optional
        Load of one task by axis.
    per_byte : mapping, optional
        Load by axis for each logical byte of input.

    Raises
    ------
    ValueError
        Unknown axis, a negative or non-finite load, or nothing declared at all.
    TypeError
        A load that is no number.

    Examples
    --------
    >>> declare(name="matvec", intensity=0.25).per_byte
    {'compute': 0.25, 'memory': 1.0}
    >>> declare(loads={"flops": 1})
    Traceback (most recent call last):
    ...
    ValueError: unknown axis 'flops' in loads; known: communication, compute, loops, memory...
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of a task type must be a str, not {_shown(name)}")
    checked_loads = _checked("loads", loads or {}, AXES)
    checked_per_byte = _checked("per_byte", per_byte or {}, AXES)
    if intensity is not None:
        if "compute" in checked_per_byte or "compute" in checked_loads:
            raise ValueError("give either intensity or a load on the axis 'compute', not both")
        checked_per_byte["compute"] = _checked("intensity", {"compute": intensity}, AXES)["compute"]
        if "memory" not in checked_loads:
            checked_per_byte.setdefault("memory", 1.0)
    if not checked_loads and not checked_per_byte:
        raise ValueError("a task type must declare something: intensity, loads or per_byte")
    return TaskType(name, checked_loads, checked_per_byte)


def from_dict(plain: Any) -> TaskType:
    """Read what `TaskType.to_dict` wrote, on a machine where its own axes need not be defined.

    Raises
    ------
    TypeError, ValueError
        When it is no such dictionary.
    """
    if not isinstance(plain, Mapping):
        raise TypeError(f"a task type annotation must be a mapping, not {_shown(plain)}")
    unknown = set(plain) - {"name", "loads", "per_byte"}
    if unknown:
        raise ValueError(f"unknown entries {_shown(unknown)} in a task type; allowed: loads, name, per_byte")
    name = plain.get("name", "task")
    if not isinstance(name, str):
        raise TypeError(f"the name of a task type must be a str, not {_shown(name)}")
    loads, per_byte = _checked("loads", plain.get("loads") or {}), _checked("per_byte", plain.get("per_byte") or {})
    if not loads and not per_byte:
        raise ValueError("a task type must declare loads or per_byte")
    return TaskType(name, loads, per_byte)
