"""Numbers with units, as the commands print them."""

from __future__ import annotations

import math

_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_UNITS = {"flop": "flop/s", "sparse_product": "entries/s"}


def amount(value: float) -> str:
    """Return a number with three digits and a decimal prefix.

    Examples
    --------
    >>> amount(1.2345e10), amount(250.0)
    ('12.3 G', '250 ')
    """
    for factor, prefix in _PREFIXES:
        if value >= factor and value < math.inf:
            return f"{value / factor:.3g} {prefix}"
    return f"{value:.3g} "


def rate(name: str, value: float) -> str:
    """Return a rate with its unit: bytes per second, unless it is known to be something else.

    Examples
    --------
    >>> rate("flop", 2e10), rate("link", 1.25e8)
    ('20 Gflop/s', '125 MB/s')
    """
    return amount(value) + _UNITS.get(name, "B/s")


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
