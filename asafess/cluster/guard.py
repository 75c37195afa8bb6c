"""Calling code that is not ours: whatever it raises arrives as an `Exception`.

Extension modules raise what is no `Exception` (PyO3's panics, `SystemExit` of an embedded program). In Dask's
event loops that would close a worker, or the connection of a client, which `except Exception` can't prevent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

#: characters of a message that are kept
LONGEST = 2000


def guarded(call: Callable[..., Any], *args: Any) -> Any:
    """Return ``call(*args)``.

    Raises
    ------
    Exception
        What it raised; a `RuntimeError` in place of what is no `Exception`.

    Examples
    --------
    >>> guarded(len, "abc")
    3
    """
    try:
        return call(*args)
    except Exception:
        raise
    except BaseException as error:
        raise RuntimeError(f"{type(error).__name__} was raised: {error}") from error


def text(error: object) -> str:
    """Return what can be sent of an error: valid UTF-8 of bounded length, whatever its ``__str__`` does."""
    try:
        found = str(error)
    except Exception:
        found = "(it can't be shown)"
    return f"{type(error).__name__}: {found}"[:LONGEST].encode("utf-8", "replace").decode()


def numbers(counters: Mapping[Any, Any]) -> dict[str, float]:
    """Return counters as they can be sent; what is no number raises.

    Examples
    --------
    >>> numbers({"panels": 2**80})
    {'panels': 1.2089258196146292e+24}
    """
    return {str(name).encode("utf-8", "replace").decode(): float(value) for name, value in counters.items()}


def merge(all_of_them: dict[str, float], found: Mapping[str, float], source: str) -> None:
    """Add the numbers of one optimization to those of the others.

    Raises
    ------
    ValueError
        A number is not finite, or its name is another one's.

    Examples
    --------
    >>> merge({"sent_bytes": 1.0}, {"sent_bytes": 2.0}, "codec.counters()")
    Traceback (most recent call last):
    ...
    ValueError: codec.counters() has 'sent_bytes', which another optimization has too: begin it with a name of your own
    """
    for name, value in found.items():
        if not math.isfinite(value):
            raise ValueError(f"{source} says that {name} is {value}; it must be a finite number")
        if name in all_of_them:
            raise ValueError(
                f"{source} has {name!r}, which another optimization has too: begin it with a name of your own"
            )
        all_of_them[name] = value
