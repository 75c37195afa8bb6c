"""Settings: Dask's configuration, overridden by what a call gives, checked once, pickled to where they are needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dask.config
import yaml

from asafess.cluster import checks
from asafess.compiler.resolve import PrefixTable
from asafess.core.controller import Controller
from asafess.optimizations.base import Optimization
from asafess.optimizations.entry_points import offered
from asafess.optimizations.registry import BUILT_IN, make

_DEFAULTS = Path(__file__).parent.parent / "asafess.yaml"
DEFAULTS: dict[str, Any] = yaml.safe_load(_DEFAULTS.read_text())
#: the keys of the configuration, as names of arguments
_KEYS = {key.replace("-", "_") for key in DEFAULTS["asafess"]}


def _defaults_beside(held: Any) -> dict[str, Any]:
    """Return the defaults without those that would drop what is configured in place of a mapping.

    `dask.config.update_defaults` does that without a word; `settings` says what is wrong with it.
    """
    if held is not None and not isinstance(held, Mapping):
        return {}
    configured = {str(key).replace("_", "-"): value for key, value in (held or {}).items()}
    wrong = {
        key
        for key, value in DEFAULTS["asafess"].items()
        if isinstance(value, dict) and not isinstance(configured.get(key, {}), Mapping | None)
    }
    return {"asafess": {key: value for key, value in DEFAULTS["asafess"].items() if key not in wrong}}


dask.config.update_defaults(_defaults_beside(dask.config.get("asafess", {})))

#: optimization → the rates that it measures for itself, where it is a built-in one
OWN_RATES = {
    "queuing": ("round_trips", "kept_memory", "spill_disk"),
    "tile_compression": ("scan", "copy", "sample", "dense_product", "sparse_product"),
    "wire_compression": ("wire_scan", "wire_copy", "wire_general"),
    "reduced_precision": ("reduced",),
    "spill_compression": ("spill_disk", "spill_scan", "spill_copy", "spill_general"),
}
#: rates that can be given in the configuration
RATES = tuple(dict.fromkeys(("flop", "memory", "link", "loops", *(one for own in OWN_RATES.values() for one in own))))


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
    #: where types come from that nobody has declared
    infer: tuple[str, ...]
    #: rates that need not be measured
    rates: dict[str, float]
    #: whether the mode is that of the next phase when the last tasks of the present one run
    look_ahead: bool
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


def _of_packages(keys: Iterable[str]) -> set[str]:
    """Return those keys that hold arguments of an optimization which another package offers."""
    more = set(keys) - _KEYS
    return more & offered().keys() if more else set()  # metadata of all packages is read only where it may matter


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
    ValueError: unknown setting 'tik'; allowed: band_excess, budgets, control, dtypes, ...
    """
    # the defaults once more: `dask.config.refresh` drops what was added after Dask was imported
    held = checks.mapping("asafess", dask.config.get("asafess", {}))
    configured = dask.config.merge(DEFAULTS["asafess"], held)
    values = {str(key).replace("-", "_"): value for key, value in configured.items()}
    arguments = {
        name: {str(key).replace("-", "_"): value for key, value in checks.mapping(name, values.pop(name, None)).items()}
        for name in [*BUILT_IN, *_of_packages(values)]
    }
    names = values.pop("optimizations")
    if optimizations is None and not isinstance(names, list | tuple):
        raise ValueError(f"asafess.optimizations must be a list of names, not {names!r}")
    for key, value in given.items():
        if key not in values:
            raise ValueError(f"unknown setting {key!r}; allowed: {', '.join(sorted(values))}")
        values[key] = value
    unknown = set(values) - _KEYS
    if unknown:
        raise ValueError(f"unknown keys {sorted(unknown)} under asafess in the configuration; see asafess.yaml")
    types = checks.mapping("types", values["types"])
    PrefixTable(types)  # say now what is wrong with it
    tick, window = checks.seconds("tick", values["tick"]), checks.seconds("window", values["window"])
    made = Settings(
        optimizations=make(names if optimizations is None else optimizations, arguments),
        tick=tick,
        window=window,
        deciding={
            "tick": tick,
            "window": window,
            "policy": checks.policy(values["policy"]),
            "excess": checks.excess(values["band_excess"]),
            "budgets": checks.budgets(checks.mapping("budgets", values["budgets"])),
            "switches_per_minute": checks.switch_limit(values["switches_per_minute"]),
        },
        control=checks.control(checks.mapping("control", values["control"])),
        report_interval=checks.seconds("report-interval", values["report_interval"]),
        dtypes=checks.dtypes(values["dtypes"]),
        types=types,
        infer=checks.infer(values["infer"]),
        rates=checks.rates(checks.mapping("rates", values["rates"]), RATES),
        look_ahead=checks.boolean("look-ahead", values["look_ahead"]),
        trace=checks.trace_path("asafess.trace", values["trace"]),
        trace_size=checks.size("trace-size", values["trace_size"]),
    )
    # say now, not in the scheduler, what the controller refuses
    trial = Controller((one.declaration() for one in made.optimizations), name="trial", **made.deciding)
    control = {}
    for key, wanted in made.control.items():
        name = key if key in trial.controls else key.replace("-", "_")
        if name in trial.controls:
            try:
                trial.control(0.0, name, wanted)
            except ValueError as error:
                raise ValueError(f"asafess.control.{key}: {error}") from None
            control[name] = wanted
        elif name not in BUILT_IN and name not in offered():
            raise ValueError(f"asafess.control names {key!r}, which is no optimization: {', '.join(trial.controls)}")
    return replace(made, control=control)
