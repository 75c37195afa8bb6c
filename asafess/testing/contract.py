"""Saying what the contract wants: one sentence, raised as an `AssertionError`, so that a test fails with it."""

from __future__ import annotations

from typing import Any

from asafess.cluster.guard import guarded, merge, numbers, text
from asafess.optimizations.base import Optimization


def want(holds: bool, sentence: str) -> None:
    """Raise where something does not hold.

    Raises
    ------
    AssertionError
        With the sentence.

    Examples
    --------
    >>> want(1 + 1 == 2, "one and one must be two")
    """
    if not holds:
        raise AssertionError(sentence)


def called(optimization: Optimization, hook: str, *args: Any) -> Any:
    """Return what a hook returns.

    Raises
    ------
    AssertionError
        The hook raised, whatever it was; the message names hook and arguments.

    Examples
    --------
    >>> from asafess.optimizations.null import Null
    >>> called(Null(), "counters")
    {}
    """
    try:
        return guarded(getattr(optimization, hook), *args)
    except Exception as error:
        shown = ", ".join(repr(one) for one in args if isinstance(one, str | list | tuple))
        raise AssertionError(
            f"{optimization.name}.{hook}({shown}) must not raise, but it did: {text(error)}"
        ) from error


def want_numbers(source: str, found: Any) -> dict[str, float]:
    """Want finite numbers by name, as they can be sent, and return them.

    Examples
    --------
    >>> want_numbers("codec.counters()", {"panels": 3})
    {'panels': 3.0}
    """
    checked: dict[str, float] = {}
    try:
        merge(checked, numbers(found), source)
    except Exception as error:
        raise AssertionError(f"{source} must map names to finite numbers, but is {found!r}: {text(error)}") from error
    return checked
