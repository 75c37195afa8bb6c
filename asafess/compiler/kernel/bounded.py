"""Bounds what reading a kernel may take, by counted steps: nothing is decided by time.

Sums with conditions that cut each other can take SymPy minutes, and there is nothing to tell beforehand. A step is a
call or a return of any function; they are counted with `sys.setprofile`, which is a thread's own.

A call that is out of steps is left by an exception, once: Python takes a profile function away that has raised. So it
is raised only where it gets through. Python swallows what is raised while it closes a generator that is no longer
needed (`any` and `all` leave one behind each time they are short) or looks after its memory (Hypothesis and Dask have
hooks there).
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from asafess.compiler.kernel.values import NotCountedError

#: steps for one kernel, a few seconds; those that people write take from a quarter of a million to a million
STEPS = 5_000_000

#: packages that pass exceptions on; others, with hooks and callbacks among them, are left after they are done
_PASSING = {"asafess", "sympy"}
#: what fills tables that last, of facts about symbols, of names and of modules: left when they are filled
_FILLING = {"sympy.core.facts", "sympy.utilities.lambdify", "importlib._bootstrap"}

_counting = threading.local()


class TooManyStepsError(NotCountedError):
    """A call was left because it took too many steps."""


class _OutOfSteps(BaseException):
    """Raised in the midst of anything; no `Exception`, or SymPy would catch it and go another way."""


def bounded(name: str, call: Callable[..., Any], *args: Any, steps: int = STEPS) -> Any:
    """Return ``call(*args)``.

    Parameters
    ----------
    name : str
        Of the kernel, for the message.
    call : callable
        It may be left at any point of its own package's code, of SymPy's or of ours.
    *args
        What it is called with.
    steps : int
        Calls and returns of functions that it may take. Inside of another bounded call, that one's count.

    Raises
    ------
    TooManyStepsError
        When it takes more.

    Notes
    -----
    A profile function that is set is called as well. Nothing is counted under one that is not written in Python, as
    `cProfile` before Python 3.12: it could not be put back.

    Examples
    --------
    >>> bounded("f", sum, [1, 2])
    3
    """
    before, around = sys.getprofile(), getattr(_counting, "current", None)
    if before is not None and (not callable(before) or (around is not None and before is around[0])):
        return call(*args)
    left = steps
    passing = _PASSING | {_package(getattr(call, "__module__", None))}

    def step(frame: FrameType, event: Any, arg: Any) -> None:
        nonlocal left
        left -= 1
        if before is not None:
            before(frame, event, arg)
        if left < 0 and _gets_through(frame, passing):
            raise _OutOfSteps

    _counting.current = step, before
    sys.setprofile(step)
    try:
        try:
            result = call(*args)
        finally:
            sys.setprofile(before)
            _counting.current = around
    except _OutOfSteps:
        pass
    else:
        if left >= 0:
            return result
    raise TooManyStepsError(f"{name}: adding up its loops takes more than {steps:,} steps")


def _package(module: str | None) -> str:
    return (module or "").partition(".")[0]


def _gets_through(frame: FrameType, passing: set[str]) -> bool:
    """Say whether an exception that is raised here gets to the caller, and leaves nothing half filled."""
    code = frame.f_code
    if code is bounded.__code__ or code.co_flags & inspect.CO_GENERATOR:
        return False
    if _package(frame.f_globals.get("__name__")) not in passing:
        return False
    above: FrameType | None = frame
    while above is not None:
        if above.f_globals.get("__name__") in _FILLING:
            return False
        above = above.f_back
    return True


@contextmanager
def uncounted() -> Iterator[None]:
    """Count no steps: what must not be left halfway, as Numba while it fills its registries."""
    current = getattr(_counting, "current", None)
    if current is None or sys.getprofile() is not current[0]:
        yield
        return
    step, before = current
    sys.setprofile(before)
    try:
        yield
    finally:
        sys.setprofile(step)
