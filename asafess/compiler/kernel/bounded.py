"""Bounds what reading a kernel may take, by counted steps: the same kernel is always given up at the same place.

Sums with conditions that cut each other can take SymPy minutes, and there is nothing to tell beforehand. A step is a
call or a return of any function; they are counted with `sys.setprofile`, which is a thread's own.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asafess.compiler.kernel.values import NotCountedError

#: steps for one kernel, a few seconds; those that people write take from a quarter of a million to a million
STEPS = 5_000_000

_counting = threading.local()


class _OutOfSteps(BaseException):
    """Raised in the midst of anything; no `Exception`, or SymPy would catch it and go another way."""


def bounded(name: str, call: Callable[..., Any], *args: Any, steps: int = STEPS) -> Any:
    """Return ``call(*args)``.

    Parameters
    ----------
    name : str
        Of the kernel, for the message.
    call : callable
        It may be left at any point.
    *args
        What it is called with.
    steps : int
        Calls and returns of functions that it may take. Inside of another bounded call, that one's count.

    Raises
    ------
    NotCountedError
        When it takes more.

    Notes
    -----
    Nothing is counted where a profiler or a debugger has set its own function.

    Examples
    --------
    >>> bounded("f", sum, [1, 2])
    3
    """
    if sys.getprofile() is not None:
        return call(*args)
    left = steps

    def step(frame: Any, event: str, arg: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise _OutOfSteps

    _counting.step = step
    sys.setprofile(step)
    try:
        try:
            return call(*args)
        finally:
            sys.setprofile(None)
    except _OutOfSteps:
        raise NotCountedError(f"{name}: adding up its loops takes more than {steps:,} steps") from None
    finally:
        _counting.step = None


@contextmanager
def uncounted() -> Iterator[None]:
    """Count no steps: what must not be left halfway, as Numba while it fills its registries."""
    step = getattr(_counting, "step", None)
    if step is None:
        yield
        return
    sys.setprofile(None)
    try:
        yield
    finally:
        sys.setprofile(step)
