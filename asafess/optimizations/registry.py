"""Optimizations by name, as the configuration and `asafess.install` give them: built-in ones and other packages'."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from asafess.optimizations import entry_points
from asafess.optimizations.arguments import check_names
from asafess.optimizations.base import Optimization
from asafess.optimizations.null import Null
from asafess.optimizations.queuing import Queuing
from asafess.optimizations.reduced_precision import ReducedPrecision
from asafess.optimizations.spill_compression import SpillCompression
from asafess.optimizations.thread_width import ThreadWidth
from asafess.optimizations.tile_compression import TileCompression
from asafess.optimizations.wire_compression import WireCompression
from asafess.optimizations.work_stealing import WorkStealing

#: name → class
BUILT_IN: dict[str, Callable[..., Optimization]] = {
    Null.name: Null,
    Queuing.name: Queuing,
    ReducedPrecision.name: ReducedPrecision,
    SpillCompression.name: SpillCompression,
    ThreadWidth.name: ThreadWidth,
    TileCompression.name: TileCompression,
    WireCompression.name: WireCompression,
    WorkStealing.name: WorkStealing,
}


def make(
    wanted: Iterable[str | Optimization], settings: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[Optimization, ...]:
    """Return optimizations from names or objects.

    Parameters
    ----------
    wanted : iterable of str or Optimization
        Names are made with their settings, objects are taken as they are. A name that is not built in is looked up
        among what installed packages offer.
    settings : mapping, optional
        Name → arguments.

    Raises
    ------
    ValueError
        An unknown name, a name given twice, an argument out of its range.
    TypeError
        Neither a name nor an optimization, or an unknown argument.
    ImportError
        A package offers this name (see `asafess.optimizations.entry_points`), but can't be imported.

    Examples
    --------
    >>> [optimization.name for optimization in make(["tile_compression", Null()])]
    ['tile_compression', 'null']
    >>> make(["tile_compresion"])
    Traceback (most recent call last):
    ...
    ValueError: unknown optimization 'tile_compresion'; allowed: null, queuing, reduced_precision, ...
    """
    if isinstance(wanted, str | Optimization):
        raise TypeError(f"optimizations must be a list of names or objects, not {wanted!r}; write [{wanted!r}]")
    if isinstance(wanted, Mapping) and any(isinstance(one, Mapping) for one in wanted.values()):
        raise TypeError(
            f"optimizations must be a list of names or objects, not {wanted!r}; their settings are configuration, such "
            "as dask.config.set({'asafess.null': {'alpha': 0.5}}), or arguments of an object: [Null(alpha=0.5)]"
        )
    made: dict[str, Optimization] = {}
    for one in wanted:
        optimization = _make(one, settings or {}) if isinstance(one, str) else one
        if not isinstance(optimization, Optimization):
            raise TypeError(f"an optimization is a name or an object of asafess.Optimization, not {one!r}")
        if not optimization.name or optimization.name in made:
            raise ValueError(f"each optimization needs a name of its own, not {optimization.name!r} twice or none")
        optimization.declaration()  # say now what is wrong with it
        made[optimization.name] = optimization
    return tuple(made.values())


def _make(name: str, settings: Mapping[str, Mapping[str, Any]]) -> Optimization:
    arguments = settings.get(name, {})
    if name in BUILT_IN:
        check_names(name, BUILT_IN[name], arguments)
        return BUILT_IN[name](**arguments)
    offered = entry_points.offered()
    if name not in offered:
        raise ValueError(
            f"unknown optimization {name!r}; allowed: {', '.join(sorted({*BUILT_IN, *offered}))}, "
            "or an object of asafess.Optimization"
        )
    return entry_points.make(name, offered[name], arguments)
