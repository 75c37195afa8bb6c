"""Settings: Dask's configuration, overridden by what a call gives, checked once, pickled to where they are needed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dask.config
import yaml
from dask.utils import parse_bytes, parse_timedelta

from asafess.compiler.resolve import PrefixTable
from asafess.core.controller import Controller
from asafess.optimizations.base import Optimization
from asafess.optimizations.registry import BUILT_IN, make

_DEFAULTS = Path(__file__).parent.parent / "asafess.yaml"
DEFAULTS: dict[str, Any] = yaml.safe_load(_DEFAULTS.read_text())
dask.config.update_defaults(DEFAULTS)

#: optimization → the rates that it measures for itself, where it is a built-in one
OWN_RATES = {"tile_compression": ("scan", "copy", "sample", "dense_product", "sparse_product")}
#: rates that can be given in the configuration
RATES = ("flop", "memory", "link", *(name for own in OWN_RATES.values() for name in own))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that an installation is told. See ``asafess.yaml`` for the meaning of the keys."""

    optimizations: tuple[Optimization, ...]
    #: seconds
    tick: float
    #: seconds
    window: float
    #: of the controller: `tick`, `window`, `policy`, `excess`, `budgets`, `switches_per_minute`
    deciding: dict[str, Any]
    #: who is in charge of an optimization, where it is not its policy
    control: dict[str, str]
    #: seconds
    report_interval: float
    dtypes: tuple[str, ...]
    #: task types by prefix
    types: dict[str, dict[str, Any]]
    #: rates that need not be measured
    rates: dict[str, float]
    #: path of a trace on the scheduler's machine
    trace: str | None
    #: bytes
    trace_size: float

    @property
    def all_rates_given(self) -> bool:
        """Whether nothing is left that the optimizations would have to measure."""
        wanted = {"flop", "memory", "link"}
        for one in self.optimizations:
            if getattr(one.rates, "__func__", None) is Optimization.rates:
                continue  # it measures nothing
            if type(one) is not BUILT_IN.get(one.name):
                return False  # what a user's optimization measures is not known here
            wanted.update(OWN_RATES[one.name])
        return wanted <= self.rates.keys()


def settings(optimizations: Iterable[str | Optimization] | None = None, **given: Any) -> Settings:
    """Return the settings: the configuration, and over it what is given.

    Parameters
    ----------
    optimizations : iterable of str or Optimization, optional
        Instead of those of the configuration.
    **given
        Other keys of ``asafess.yaml``, with underscores, such as `window` or `switches_per_minute`.

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
    ValueError: unknown setting 'tik'; allowed: band_excess, budgets, control, dtypes, policy, rates, ...
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
    unknown = set(values) - {key.replace("-", "_") for key in DEFAULTS["asafess"]}
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)} under asafess in the configuration; see asafess.yaml")
    types = dict(values["types"] or {})
    PrefixTable(types)  # say now what is wrong with it
    tick, window = _seconds("tick", values["tick"]), _seconds("window", values["window"])
    made = Settings(
        optimizations=make(names if optimizations is None else optimizations, arguments),
        tick=tick,
        window=window,
        deciding={
            "tick": tick,
            "window": window,
            "policy": values["policy"],
            "excess": values["band_excess"],
            "budgets": dict(values["budgets"] or {}),
            "switches_per_minute": values["switches_per_minute"],
        },
        control=_control(values["control"] or {}),
        report_interval=_seconds("report_interval", values["report_interval"]),
        dtypes=tuple(_dtype(name) for name in values["dtypes"]),
        types=types,
        rates=_rates(values["rates"] or {}),
        trace=None if values["trace"] is None else str(values["trace"]),
        trace_size=_size("trace_size", values["trace_size"]),
    )
    # say now, not in the scheduler, what the controller refuses
    trial = Controller((one.declaration() for one in made.optimizations), name="trial", **made.deciding)
    control = {}
    for key, wanted in made.control.items():
        name = key if key in trial.controls else key.replace("-", "_")
        if name in trial.controls:
            trial.control(0.0, name, wanted)
            control[name] = wanted
        elif name not in BUILT_IN:
            raise ValueError(f"asafess.control names {key!r}, which is no optimization: {', '.join(trial.controls)}")
    return replace(made, control=control)


def _control(given: dict[str, Any]) -> dict[str, str]:
    # YAML reads the words on and off as booleans
    words = {True: "on", False: "off"}
    return {str(name): words[one] if isinstance(one, bool) else str(one) for name, one in given.items()}


def _size(key: str, value: Any) -> float:
    try:
        nbytes = float(parse_bytes(value))
    except (TypeError, ValueError):
        raise ValueError(f"asafess.{key} must be a size such as 64MiB, not {value!r}") from None
    if not 10_000 <= nbytes < math.inf:
        raise ValueError(f"asafess.{key} must be at least 10kB, not {value!r}")
    return nbytes


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
    rates = {str(name).replace("-", "_"): rate for name, rate in given.items() if rate is not None}
    for name, rate in rates.items():
        if name not in RATES:
            raise ValueError(f"unknown rate {name!r}; allowed: {', '.join(RATES)}")
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < math.inf:
            raise ValueError(f"asafess.rates.{name} must be a positive number, not {rate!r}")
    return {name: float(rate) for name, rate in rates.items()}
