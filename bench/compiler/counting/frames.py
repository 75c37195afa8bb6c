"""What tasks on pandas objects read and write, as far as it can be seen from outside.

The inside can't be instrumented: pandas is compiled, and keeps its arrays to itself. So of such a task the columns that
come out and were not there before count as written, and if there are any, the columns that went in as read, once. What
is only passed on or selected costs nothing. Operations are not counted, nor is what a task stores in between.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .counter import Counter


def count_frames(counter: Counter, inputs: Any, result: Any) -> bool:
    """Count what a task did to pandas objects; return whether there were any."""
    given, made = _frames(inputs), _frames(result)
    if not given:
        return False
    before = [column for frame in given for column in _columns(frame)]
    new = [
        column
        for frame in made
        for column in _columns(frame)
        if not any(np.may_share_memory(column, other) for other in before)
    ]
    counter.written += sum(column.nbytes for column in new)
    if new or not made:
        counter.read += sum(column.nbytes for column in before)
    return True


def _frames(thing: Any) -> list[Any]:
    """Return the pandas objects in tuples, lists and dictionaries."""
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return []
    if isinstance(thing, pandas.DataFrame | pandas.Series):
        return [thing]
    if isinstance(thing, dict):
        thing = list(thing.values())
    if isinstance(thing, tuple | list):
        return [frame for each in thing for frame in _frames(each)]
    return []


def _columns(frame: Any) -> list[np.ndarray]:
    series = [frame.iloc[:, k] for k in range(frame.shape[1])] if frame.ndim == 2 else [frame]
    return [one.to_numpy() for one in series]
