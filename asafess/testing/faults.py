"""Faults inside `enter`: an exception before any one of its lines."""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import Any

from asafess.optimizations.base import Optimization


class PurposeError(RuntimeError):
    """What is raised inside `enter`."""


def enter_until(optimization: Optimization, state: str, lines: int) -> bool:
    """Enter a state, and raise inside before the line after the first so many; return whether it came so far.

    Only lines of the file that defines the hook count, each once; so what is raised can't hit the end of a ``with``
    block, where Python itself would not release what the block holds.

    Parameters
    ----------
    optimization : Optimization
    state : str
    lines : int
        That are run.

    Examples
    --------
    >>> from asafess.optimizations.base import Optimization
    >>> class Two(Optimization):
    ...     def enter(self, state):
    ...         self.first = state
    ...         self.second = state
    >>> two = Two()
    >>> enter_until(two, "on", 1), vars(two)
    (True, {'first': 'on'})
    >>> enter_until(two, "on", 2)
    False
    """
    code = getattr(type(optimization).enter, "__code__", None)
    if not isinstance(code, CodeType):
        return False
    seen: set[tuple[CodeType, int]] = set()
    raised = False

    def line(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal raised
        if event == "line" and (frame.f_code, frame.f_lineno) not in seen:
            if len(seen) == lines:
                raised = True
                raise PurposeError(f"raised on purpose before line {frame.f_lineno} of {frame.f_code.co_filename}")
            seen.add((frame.f_code, frame.f_lineno))
        return line

    def begin(frame: FrameType, event: str, argument: Any) -> Any:
        return line if frame.f_code.co_filename == code.co_filename else None

    before = sys.gettrace()  # of a debugger, or of what measures coverage
    sys.settrace(begin)
    try:
        optimization.enter(state)
    except Exception:
        if not raised:
            raise
    finally:
        sys.settrace(before)
    return raised
