"""Mode and states over time, from what `asafess.status` says, as `bench.plots` draws them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def events(status: Mapping[str, Any], optimization: str = "tile_compression") -> list[dict[str, Any]]:
    """Return one event for each sample that was used.

    Parameters
    ----------
    status : mapping
        From `asafess.status`.
    optimization : str
        Whose states.

    Returns
    -------
    list of dict
        ``t`` in seconds since the first sample, ``ratio``, ``zeros``, ``state``, ``alpha`` and ``beta`` (None where
        the optimization has none), and the ``cause`` of a switch.

    Examples
    --------
    >>> events({"story": [{"time": 5.0, "ratio": 0.1, "zeros": None, "states": {"null": "on"}}], "thresholds": {},
    ...         "switches": [{"time": 5.0, "optimization": "null", "cause": "ratio 0.1 (< 1)"}]}, "null")
    [{'t': 0.0, 'ratio': 0.1, 'zeros': None, 'state': 'on', 'alpha': None, 'beta': None, 'cause': 'ratio 0.1 (< 1)'}]
    """
    story = status["story"]
    band = status["thresholds"].get(optimization, {})
    causes = {one["time"]: one["cause"] for one in status["switches"] if one["optimization"] == optimization}
    return [
        {
            "t": sample["time"] - story[0]["time"],
            "ratio": sample["ratio"],
            "zeros": sample["zeros"],
            "state": sample["states"][optimization],
            "alpha": band.get("alpha"),
            "beta": band.get("beta"),
            "cause": causes.get(sample["time"]),
        }
        for sample in story
    ]
