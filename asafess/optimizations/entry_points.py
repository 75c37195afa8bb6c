"""Optimizations of other packages, which name them under the entry point group ``asafess.optimizations``.

Metadata is read only when somebody names an optimization that is not built in, and a package is imported only when its
own is named. So a broken package harms nobody who does not ask for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import Distribution, EntryPoint, distributions
from typing import Any

from asafess.optimizations.arguments import check_names
from asafess.optimizations.base import Optimization

logger = logging.getLogger("asafess.optimizations")

GROUP = "asafess.optimizations"

#: name → where it comes from, by distribution
Offered = Mapping[str, Mapping[str, EntryPoint]]


def offered() -> Offered:
    """Return the optimizations that installed packages offer: name → distribution → entry point. Imports none of them.

    Examples
    --------
    >>> "tile_compression" in offered()  # the built-in ones are no entry points
    False
    """
    found: dict[str, dict[str, EntryPoint]] = {}
    for label, point in _points():
        by_package = found.setdefault(point.name, {})
        # a package that is on the path twice, as an editable one may be, is one package
        if all(point.value != other.value for other in by_package.values()):
            by_package[label] = point
    return found


def _points() -> Iterator[tuple[str, EntryPoint]]:
    for distribution in distributions():
        try:
            points = list(distribution.entry_points.select(group=GROUP))
        except Exception as error:  # what is wrong with the metadata of any package is no reason to fail
            logger.warning("asafess can't read the entry points of %s: %s", _label(distribution), error)
            continue
        for point in points:
            yield _label(distribution), point


def _label(distribution: Distribution) -> str:
    """Return name and version of a distribution, whatever is missing of its metadata."""
    try:
        metadata = distribution.metadata
        return f"{metadata['Name'] or 'a package without a name'} {metadata['Version'] or ''}".strip()
    except Exception:
        return "a package without metadata"


def make(name: str, by_package: Mapping[str, EntryPoint], arguments: Mapping[str, Any]) -> Optimization:
    """Import the optimization that a package offers, and make one.

    Parameters
    ----------
    name : str
        The entry point's.
    by_package : mapping
        Of `offered`: distribution → entry point.
    arguments : mapping
        For its class.

    Raises
    ------
    ValueError
        Two packages offer this name, or what is made has another one.
    ImportError
        It can't be imported; the message names the package.
    TypeError
        It is no class (or function) that makes an `asafess.Optimization`, or takes no such arguments.
    """
    if len(by_package) > 1:
        raise ValueError(
            f"optimization {name!r} is offered by {' and by '.join(sorted(by_package))}: uninstall all but one, or "
            "give an object of asafess.Optimization"
        )
    [(package, point)] = by_package.items()
    here = f"optimization {name!r} of {package} ({point.value})"
    try:
        factory: Callable[..., Any] = point.load()
    except Exception as error:
        raise ImportError(f"{here} can't be loaded: {type(error).__name__}: {error}") from error
    if callable(factory):
        check_names(name, factory, arguments)
    made = factory(**arguments) if callable(factory) else factory
    if not isinstance(made, Optimization) or not callable(factory):
        raise TypeError(
            f"{here} must name a subclass of asafess.Optimization, or a function that returns an object of one, "
            f"not {factory!r}"
        )
    if made.name != name:
        raise ValueError(f"{here} calls itself {made.name!r}: its `name` and its entry point must be the same")
    return made
