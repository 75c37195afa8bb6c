"""The table of rules: name of a function → what it does to abstract values.

A rule is called as the function itself would be, after the interpreter and the function's name. It says
what the operation costs (`on.part`), returns the abstract result, and raises `Unknown` where it can't say.
The rules are in the files beside this one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: the room of Dask's array expressions
EXPRESSIONS = "dask.array._array_expr."

Rule = Callable[..., Any]

#: "module.name" → rule
RULES: dict[str, Rule] = {}
#: name of a method of arrays → rule; most are NumPy functions of the same name
METHODS: dict[str, Rule] = {}


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule for functions.

    Parameters
    ----------
    *names : str
        Module and name of the functions, as in ``numpy.linalg.qr``.
    """

    def register(function: Rule) -> Rule:
        for name in names:
            RULES[name] = function
        return function

    return register


def method(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule for methods of arrays that are no NumPy functions of the same name."""

    def register(function: Rule) -> Rule:
        for name in names:
            METHODS[name] = function
        return function

    return register


def name_of(function: Any) -> str:
    """Return module and name of a function, by which rules know it; any NumPy ufunc is ``numpy.…``.

    Examples
    --------
    >>> import operator, numpy
    >>> name_of(operator.add), name_of(numpy.linalg.qr), name_of(numpy.exp)
    ('operator.add', 'numpy.linalg.qr', 'numpy.exp')
    """
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    if not isinstance(name, str):
        return type(function).__name__
    if is_ufunc(function):
        return f"numpy.{function.__name__}"
    module = getattr(function, "__module__", None)
    if module is None:
        # a method of a built-in type, or one bound to an instance
        owner = getattr(function, "__self__", None)
        module = "builtins" if owner is None else type(owner).__module__
    if module == "_operator":
        module = "operator"
    elif module.startswith(EXPRESSIONS):  # array expressions carry copies of the chunk functions
        module = f"dask.array.{module.removeprefix(EXPRESSIONS).removeprefix('_')}"
    return f"{module}.{name}"


def is_ufunc(function: Any) -> bool:
    """Say whether a function is a NumPy ufunc, without importing NumPy."""
    return type(function).__name__ == "ufunc" and hasattr(function, "resolve_dtypes")
