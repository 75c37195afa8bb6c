"""What follows from a measured cluster: thresholds, and values for the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from asafess.cluster.calibrate import Measured
from asafess.core.mode import Rates
from asafess.optimizations.tile_compression import TileCompression

#: significant digits that are kept of a measurement
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Calibration:
    """What follows from what was measured."""

    #: medians, by name; `link` may be missing
    rates: Mapping[str, float]
    #: of tile compression, exactly as they are in force with `values` in the configuration; None without a link
    thresholds: Mapping[str, float] | None
    #: for the configuration, under ``asafess``
    values: Mapping[str, Any]


def calibration(
    measured: Measured, light: Callable[[Mapping[str, float], str], float], link: float | None = None
) -> Calibration:
    """Return what follows from what was measured: medians, thresholds, and values for the configuration.

    The thresholds are those of a configuration that has these values, to the last bit: measurements are rounded before
    anything follows from them.

    Parameters
    ----------
    measured : Measured
    light : callable
        (rates, data type) → break-even density of the state *light*.
    link : float, optional
        Bytes per second, where no link could be measured; it is not among the values then.

    Returns
    -------
    Calibration
    """
    medians = {name: rounded(middle) for name, (_, middle, _) in measured.spread().items()}
    densities = {
        name: {"light": rounded(light({key: median(one[key] for one in found) for key in found[0]}, name))}
        for name, found in measured.codecs.items()
        if found
    }
    compression: dict[str, Any] = {"break-even": densities}
    values = {"rates": {name.replace("_", "-"): rate for name, rate in medians.items()}}
    known = medians if link is None else {"link": link, **medians}
    thresholds = None
    if "link" in known:
        extra = {name: rate for name, rate in known.items() if name not in ("flop", "memory", "link")}
        rates = Rates(known["flop"], known["memory"], known["link"], extra)
        derived = TileCompression().thresholds(rates)
        alpha, beta = rounded(derived["alpha"]), rounded(derived["beta"])
        # a share above 1 can't be written; left out, it follows from the rates again
        zeros = rounded(derived["zeros_on"]) if derived["zeros_on"] <= 1 else None
        compression = {"alpha": alpha, "beta": beta, "zeros": zeros, **compression}
        thresholds = TileCompression(alpha, beta, zeros).thresholds(rates)
    return Calibration(known, thresholds, {**values, "tile-compression": compression})


def rounded(value: float) -> float:
    """Return a measurement without the digits that mean nothing.

    Examples
    --------
    >>> rounded(123456789.0), rounded(0.0123456)
    (123500000.0, 0.01235)
    """
    return float(f"{value:.{DIGITS}g}")
