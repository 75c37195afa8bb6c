"""Break-even densities of tile compression, as they are configured: checked once, the same on every machine.

Not covered: measuring them (`asafess.tiles.break_even`), and which ones a process uses (`asafess.tiles.densities`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

#: Where they are in the configuration.
KEY = "asafess.tile-compression.break-even"


class Densities(NamedTuple):
    """Shares of non-zero words of a tile, 0 to 1; None: not known."""

    #: Below it the product with the sparse form is faster.
    light: float | None = None
    #: Below it the sparse form has fewer bytes.
    full: float | None = None


def checked(break_even: Any) -> dict[str, Densities]:
    """Return the densities by data type.

    Parameters
    ----------
    break_even : mapping or None
        Name of a data type → mapping with `light`, `full` or both; what is None or left out is not known.

    Raises
    ------
    ValueError
        For another shape, an unknown form, or a density that is no number from 0 to 1.

    Examples
    --------
    >>> checked({"float64": {"light": 0.25}})
    {'float64': Densities(light=0.25, full=None)}
    >>> checked({"float64": {"light": 25}})
    Traceback (most recent call last):
    ...
    ValueError: asafess.tile-compression.break-even.float64.light is 25; it must be a density from 0 to 1, or null...
    """
    if break_even is None:
        return {}
    if not isinstance(break_even, Mapping):
        raise ValueError(f"{KEY} is {break_even!r}; it must map data types, as in {{float64: {{light: 0.25}}}}")
    return {str(dtype): _one(f"{KEY}.{dtype}", given) for dtype, given in break_even.items()}


def _one(key: str, given: Any) -> Densities:
    if given is None:
        return Densities()
    if isinstance(given, Densities):
        given = given._asdict()
    if not isinstance(given, Mapping) or set(given) - set(Densities._fields):
        raise ValueError(f"{key} is {given!r}; allowed are light and full, as in {{light: 0.25, full: 0.7}}")
    for form, density in given.items():
        number = isinstance(density, int | float) and not isinstance(density, bool)
        if density is not None and not (number and 0 <= density <= 1):
            raise ValueError(f"{key}.{form} is {density!r}; it must be a density from 0 to 1, or null for measured")
    return Densities(**given)
