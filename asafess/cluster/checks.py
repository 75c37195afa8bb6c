"""What single settings may be. Errors name the key, the value, and what is allowed."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from dask.utils import parse_bytes, parse_timedelta

from asafess.core.found_type import INFERRED
from asafess.core.policies import POLICIES
from asafess.core.switch_limit import SwitchLimit
from asafess.core.work_function import LARGEST_EXCESS

#: what a machine may do per second; beyond that, predicted seconds would be no finite numbers any more
LEAST_RATE, LARGEST_RATE = 1e-6, 1e24
#: bytes that a trace may have; what is more is a mistake
LARGEST_TRACE = 1e18


def trace_path(what: str, given: Any) -> str | None:
    """Return the path of a trace as text; None for no trace.

    Raises
    ------
    ValueError
        It is neither text nor a path object, or it is empty.

    Examples
    --------
    >>> from pathlib import Path
    >>> trace_path("asafess.trace", Path("run.jsonl"))
    'run.jsonl'
    """
    path = os.fspath(given) if isinstance(given, os.PathLike) else given
    if path is None or (isinstance(path, str) and path):
        return path
    raise ValueError(f"{what} must be text such as '/tmp/run.jsonl', or None for no trace, not {given!r}")


def mapping(key: str, value: Any) -> dict[str, Any]:
    """Return a copy of a mapping, empty for None."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        name = key if key == "asafess" else f"asafess.{key.replace('_', '-')}"
        raise ValueError(f"{name} must be a mapping of names, such as {{}}, not {value!r}")
    return dict(value)


def _number(key: str, value: Any, least: float, allowed: str, most: float = math.inf) -> float:
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.inf
    if not least <= number <= most or number == math.inf:
        raise ValueError(f"asafess.{key} must be {allowed}, not {value!r}")
    return number


def boolean(key: str, value: Any) -> bool:
    """Return a setting that is true or false."""
    if not isinstance(value, bool):
        raise TypeError(f"asafess.{key} must be true or false, not {value!r}")
    return value


def infer(value: Any) -> tuple[str, ...]:
    """Return the sources of types that nobody has declared."""
    if not isinstance(value, list | tuple) or not set(map(str, value)) <= set(INFERRED):
        raise ValueError(f"asafess.infer must be a list of {' and '.join(INFERRED)}, not {value!r}")
    return tuple(dict.fromkeys(map(str, value)))


def policy(value: Any) -> str:
    """Return the name of a policy."""
    if not isinstance(value, str) or value not in POLICIES:
        raise ValueError(f"asafess.policy must be one of {', '.join(POLICIES)}, not {value!r}")
    return value


def excess(value: Any) -> float:
    """Return the relative excess of cost that a band may admit."""
    return _number("band-excess", value, 0, f"a number from 0 to {LARGEST_EXCESS:g}", LARGEST_EXCESS)


def budgets(given: dict[str, Any]) -> dict[str, float]:
    """Return amounts by budget."""
    allowed = "a finite number ≥ 0 (leave it out for no limit)"
    return {str(name): _number(f"budgets.{name}", amount, 0, allowed) for name, amount in given.items()}


def switch_limit(value: Any) -> int | None:
    """Return the limit of switches per minute; None for none."""
    try:
        return SwitchLimit(value).per_minute
    except ValueError as error:
        raise ValueError(f"asafess.switches-per-minute: {error}") from None


def control(given: dict[str, Any]) -> dict[str, str]:
    """Return who is in charge, by optimization."""
    # YAML reads the words on and off as booleans
    words = {True: "on", False: "off"}
    return {str(name): words[one] if isinstance(one, bool) else str(one) for name, one in given.items()}


def size(key: str, value: Any) -> float:
    """Return a number of bytes."""
    try:
        nbytes = float(parse_bytes(value))
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        raise ValueError(f"asafess.{key} must be a size such as 64MiB, not {value!r}") from None
    if not 10_000 <= nbytes <= LARGEST_TRACE:
        raise ValueError(f"asafess.{key} must be a size from 10kB to {LARGEST_TRACE:g} bytes, not {value!r}")
    return nbytes


def seconds(key: str, value: Any) -> float:
    """Return a number of seconds."""
    try:
        if isinstance(value, bool):
            raise TypeError("this is no time")
        length = float(parse_timedelta(value, default="s"))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise ValueError(f"asafess.{key} must be a time such as 50ms, not {value!r}") from None
    if not 0.001 <= length < math.inf:
        raise ValueError(f"asafess.{key} must be at least 1ms, not {value!r}")
    return length


def dtypes(names: Any) -> tuple[str, ...]:
    """Return the names of data types as NumPy has them."""
    if not isinstance(names, list | tuple):
        raise ValueError(f"asafess.dtypes must be a list of NumPy data types such as [float64], not {names!r}")
    return tuple(_dtype(name) for name in names)


def _dtype(name: Any) -> str:
    import numpy as np

    try:
        return np.dtype(name).name
    except TypeError:
        raise ValueError(f"asafess.dtypes must name NumPy data types such as float64, not {name!r}") from None


def rates(given: dict[str, Any], allowed: Sequence[str]) -> dict[str, float]:
    """Return the rates that are given, by name; those that are null are left out."""
    found = {str(name).replace("-", "_"): rate for name, rate in given.items() if rate is not None}
    for name in found:
        if name not in allowed:
            raise ValueError(f"unknown rate {name!r}; allowed: {', '.join(allowed)}")
    allowed_rate = f"a positive number from {LEAST_RATE:g} to {LARGEST_RATE:g} per second"
    return {
        name: _number(f"rates.{name}", rate, LEAST_RATE, allowed_rate, LARGEST_RATE) for name, rate in found.items()
    }
