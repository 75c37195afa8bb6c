"""What bounds a task: the axis on which it takes longest, at given rates."""

from __future__ import annotations

import math
from collections.abc import Mapping

from asafess.core.mode import Rates, computing

#: what a task may be bound by; *nothing* loads no axis, *unknown* has a type whose loads follow from an unknown size
BOUNDS = ("compute", "memory", "communication", "nothing", "unknown", "untyped")

#: of no machine in particular: a core of 10 Gflop/s, in loops 2.5, and 5 GB/s, a link of 10 Gbit/s; where none were
#: measured or given
NOMINAL = Rates(flop=1e10, memory=5e9, link=1.25e9, extra={"loops": 2.5e9})
#: threads of a worker, which share its link; of no machine in particular
NOMINAL_THREADS = 4


def bound(load: Mapping[str, float], rates: Rates = NOMINAL, threads: int = NOMINAL_THREADS) -> str:
    """Return what bounds tasks with such loads on a worker whose threads all run one.

    Parameters
    ----------
    load : mapping
        Axis → load of one task. Axes of a user's own have no rate, so they bound nothing.
    rates : Rates
        flop/s and bytes touched per second of a thread, wire bytes per second of a worker.
    threads : int
        Threads of a worker.

    Returns
    -------
    str
        "compute", "memory", "communication", or "nothing" when there is no load on any of the three.

    Examples
    --------
    >>> bound({"compute": 1e9, "memory": 1e6, "communication": 1e6})
    'compute'
    >>> bound({"compute": 1e6, "memory": 1e6, "communication": 1e6})
    'communication'
    """
    seconds = {
        "compute": computing({**load, "memory": 0.0}, rates) / threads,
        "memory": load.get("memory", 0.0) / rates.memory / threads,
        "communication": load.get("communication", 0.0) / rates.link,
    }
    longest = max(seconds, key=lambda axis: seconds[axis])
    return longest if seconds[longest] > 0 else "nothing"


def rates_from(given: Mapping[str, float | None]) -> tuple[Rates, dict[str, str]]:
    """Return the rates to use, and where each of them is from.

    Parameters
    ----------
    given : mapping
        `flop`, `memory`, `link` and `loops`, as ``asafess.status(client)["rates"]`` has them; what is missing or None
        is taken from the configuration (`asafess.rates`), else it is nominal.

    Raises
    ------
    ValueError
        A rate that is no number above 0.
    """
    import dask.config

    configured = dask.config.get("asafess.rates", None)
    configured = configured if isinstance(configured, Mapping) else {}
    found: dict[str, float] = {}
    origin: dict[str, str] = {}
    nominal = {"flop": NOMINAL.flop, "memory": NOMINAL.memory, "link": NOMINAL.link, **NOMINAL.extra}
    for name, rate in nominal.items():
        found[name], origin[name] = rate, "nominal"
        for values, where in ((given, "given"), (configured, "configured")):
            value = values.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                raise ValueError(f"the rate {name!r} ({where}) must be a finite number above 0, not {value!r}")
            found[name], origin[name] = float(value), where
            break
    return Rates(found.pop("flop"), found.pop("memory"), found.pop("link"), found), origin
