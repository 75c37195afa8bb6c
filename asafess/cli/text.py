"""Numbers with units, as the commands print them."""

from __future__ import annotations

import math

from asafess.compiler.explain.table import with_unit

_UNITS = {"flop": "flop/s", "loops": "flop/s", "sparse_product": "entries/s", "round_trips": "/s"}


def rate(name: str, value: float) -> str:
    """Return a rate with its unit: bytes per second, unless it is known to be something else.

    Examples
    --------
    >>> rate("flop", 2e10), rate("link", 125), rate("round_trips", 172)
    ('20 Gflop/s', '125 B/s', '172 /s')
    """
    return with_unit(value, _UNITS.get(name, "B/s"))


def number(value: float | None) -> str:
    """Return a number with three digits, or that it is not known.

    Examples
    --------
    >>> number(0.12345), number(None), number(float("inf"))
    ('0.123', 'not known', 'infinite')
    """
    if value is None:
        return "not known"
    return "infinite" if value == math.inf else f"{value:.3g}"
