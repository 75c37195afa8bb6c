"""Settings: Dask's configuration, overridden by what a call gives, checked once, pickled to where they are needed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask.config
import yaml
from dask.utils import parse_timedelta

from asafess.compiler.resolve import PrefixTable
from asafess.optimizations.base import Optimization
from asafess.optimizations.registry import BUILT_IN, make

_DEFAULTS = Path(__file__).parent.parent / "asafess.yaml"
DEFAULTS: dict[str, Any] = yaml.safe_load(_DEFAULTS.read_text())
dask.config.update_defaults(DEFAULTS)

#: rates that can be given in the configuration
RATES = ("flop", "memory", "link")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an installation is told. See ``asafess.yaml`` for the meaning of the keys."""

    optimizations: tuple[Optimization, ...]
    #: seconds
    tick: float
    #: seconds
    window: float
    #: seconds
    report_interval: float
    dtypes: tuple[str, ...]
    #: task types by prefix
    types: dict[str, dict[str, Any]]
    #: rates that need not be measured
    rates: dict[str, float]


def settings(optimizations: Iterable[str | Optimization] | None = None, **given: Any) -> Settings:
    """Return the settings: the configuration, and over it what is given.

    Parameters
    ----------
    optimizations : iterable of str or Optimization, optional
        Instead of those of the configuration.
    **given
        Other keys of ``asafess.yaml``, with underscores: `tick`, `window`, `report_interval`, `dtypes`,
        `types`, `rates`.

    Raises
    ------
    ValueError, TypeError
        An unknown key, or a value that is not allowed; the message says which and what is.

    Examples
    --------
    >>> settings(tick="20ms").tick
    0.02
    >>> settings(tik="20ms")
    Traceback (most recent call last):
    ...
    ValueError: unknown setting 'tik'; allowed: dtypes, rates, report_interval, tick, types, window
    """
    # the defaults once more: `dask.config.refresh` drops what was added after Dask was imported
    configured = dask.config.merge(DEFAULTS["asafess"], dask.config.get("asafess", {}))
    values = {key.replace("-", "_"): value for key, value in configured.items()}
    arguments = {
        name: {key.replace("-", "_"): value for key, value in (values.pop(name, None) or {}).items()}
        for name in BUILT_IN
    }
    names = values.pop("optimizations")
    for key, value in given.items():
        if key not in values:
            raise ValueError(f"unknown setting {key!r}; allowed: {', '.join(sorted(values))}")
        values[key] = value
    unknown = set(values) - set(Settings.__slots__)
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)} under asafess in the configuration; see asafess.yaml")
    types = dict(values["types"] or {})
    PrefixTable(types)  # say now what is wrong with it
    return Settings(
        optimizations=make(names if optimizations is None else optimizations, arguments),
        tick=_seconds("tick", values["tick"]),
        window=_seconds("window", values["window"]),
        report_interval=_seconds("report_interval", values["report_interval"]),
        dtypes=tuple(_dtype(name) for name in values["dtypes"]),
        types=types,
        rates=_rates(values["rates"] or {}),
    )


def _seconds(key: str, value: Any) -> float:
    try:
        seconds = float(parse_timedelta(value, default="s"))
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"asafess.{key} must be a time such as 50ms, not {value!r}") from None
    if not 0.001 <= seconds < math.inf:
        raise ValueError(f"asafess.{key} must be at least 1ms, not {value!r}")
    return seconds


def _dtype(name: Any) -> str:
    import numpy as np

    try:
        return np.dtype(name).name
    except TypeError:
        raise ValueError(f"asafess.dtypes must name NumPy data types such as float64, not {name!r}") from None


def _rates(given: dict[str, Any]) -> dict[str, float]:
    rates = {name: rate for name, rate in given.items() if rate is not None}
    for name, rate in rates.items():
        if name not in RATES:
            raise ValueError(f"unknown rate {name!r}; allowed: {', '.join(RATES)}")
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < math.inf:
            raise ValueError(f"asafess.rates.{name} must be a positive number, not {rate!r}")
    return {name: float(rate) for name, rate in rates.items()}
