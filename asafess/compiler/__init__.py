"""Finds the task type of a function, an annotation or a task.

`cost` (and with it Numba and SymPy) is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asafess.compiler.cost import cost as cost


def __getattr__(name: str) -> Any:
    if name == "cost":
        return import_module("asafess.compiler.cost")
    raise AttributeError(f"module 'asafess.compiler' has no attribute {name!r}")
