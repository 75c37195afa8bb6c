"""Programs by which optimizations are measured: one file per optimization, each with a `CASE`.

A case belongs to the measurement by lying in this room. `python -m bench.optimizations` runs them.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .case import Case


def cases() -> dict[str, Case]:
    """Return the cases of this room by name, the one that needs several optimizations last.

    >>> "queuing" in cases()
    True
    """
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    made: list[Case] = [module.CASE for module in modules if hasattr(module, "CASE")]
    return {case.name: case for case in sorted(made, key=lambda case: (len(case.optimizations), case.name))}
