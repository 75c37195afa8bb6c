"""A scheduler-driven adaptive framework for Dask.

The names below are loaded when they are first used, so that importing `asafess` (as Dask's scheduler does
when it unpickles an annotated function) loads neither Numba nor SciPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asafess.cluster.install import install as install
    from asafess.cluster.install import uninstall as uninstall
    from asafess.cluster.remote import NotInstalledError as NotInstalledError
    from asafess.cluster.steer import auto as auto
    from asafess.cluster.steer import pin as pin
    from asafess.cluster.steer import reset as reset
    from asafess.cluster.steer import shadow as shadow
    from asafess.cluster.steer import status as status
    from asafess.cluster.steer import trace as trace
    from asafess.cluster.steer import wait as wait
    from asafess.compiler.decorator import task as task
    from asafess.compiler.decorator import task_type as task_type
    from asafess.compiler.explain.explain import explain as explain
    from asafess.core.domain import Domain as Domain
    from asafess.core.domain import Hysteresis as Hysteresis
    from asafess.core.domain import axis as axis
    from asafess.core.domain import band as band
    from asafess.core.task_type import define_axis as define_axis
    from asafess.optimizations.base import Optimization as Optimization
    from asafess.tiles.panel import TiledMatrix as TiledMatrix

__version__ = "0.1.0"

# public name → the module that defines it
_HOME = {
    "Domain": "asafess.core.domain",
    "Hysteresis": "asafess.core.domain",
    "NotInstalledError": "asafess.cluster.remote",
    "Optimization": "asafess.optimizations.base",
    "TiledMatrix": "asafess.tiles.panel",
    "auto": "asafess.cluster.steer",
    "axis": "asafess.core.domain",
    "band": "asafess.core.domain",
    "define_axis": "asafess.core.task_type",
    "explain": "asafess.compiler.explain.explain",
    "install": "asafess.cluster.install",
    "pin": "asafess.cluster.steer",
    "reset": "asafess.cluster.steer",
    "shadow": "asafess.cluster.steer",
    "status": "asafess.cluster.steer",
    "trace": "asafess.cluster.steer",
    "uninstall": "asafess.cluster.install",
    "wait": "asafess.cluster.steer",
    "task": "asafess.compiler.decorator",
    "task_type": "asafess.compiler.decorator",
}

__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'asafess' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
