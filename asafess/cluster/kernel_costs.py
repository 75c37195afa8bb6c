"""Types of tasks that call a Numba kernel: a worker reads the kernel once per signature, the scheduler remembers.

The scheduler never imports Numba for it and waits for nothing: until the answer is there, a group is measured or has
no type.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from asafess.core.found_type import COMPILER, FoundType
from asafess.core.task_type import LARGEST, TaskType

#: what a worker counts of a task
COUNTS = ("flop", "bytes", "input_bytes")
#: graphs with which a kernel is asked about, and tasks of each: some are never run, or end on a worker that is lost
MOST_ASKED, KEYS = 3, 4
#: signatures that are remembered
MOST_SIGNATURES = 1024
#: the counts are exact for the task that was looked at; others of its kind are taken to be in proportion
CONFIDENCE = 0.9


class KernelCosts:
    """What is known of kernels, and whom to ask for the rest."""

    def __init__(self) -> None:
        #: signature → what a worker has counted; None: it can't be
        self._known: dict[tuple[str, ...], dict[str, float] | None] = {}
        self._asked: dict[tuple[str, ...], int] = {}
        #: (keys, signature) to be asked
        self._questions: list[tuple[list[Any], tuple[str, ...]]] = []

    def take(self) -> list[tuple[list[Any], tuple[str, ...]]]:
        """Return what is to be asked, once."""
        questions, self._questions = self._questions, []
        return questions

    def find(self, signature: tuple[str, ...], name: str) -> FoundType | None:
        """Return the type of tasks of a signature, None while nobody has counted it."""
        counts = self._known.get(signature)
        if counts is None:
            return None
        loads = {"compute": counts["flop"], "memory": counts["bytes"]}
        nbytes = counts["input_bytes"]
        why = f"kernel {', '.join(signature)}: {counts['flop']:.4g} flop, {counts['bytes']:.4g} bytes touched"
        if nbytes:
            type_ = TaskType(name, per_byte={axis: load / nbytes for axis, load in loads.items()})
        else:
            type_ = TaskType(name, loads)
        return FoundType(type_, COMPILER, CONFIDENCE, why)

    def ask(self, keys: Iterable[Any], signature: tuple[str, ...]) -> None:
        """Note that whichever worker runs one of these tasks may count what it costs."""
        times = self._asked.get(signature, 0)
        if times < MOST_ASKED and signature not in self._known and len(self._asked) < MOST_SIGNATURES:
            self._asked[signature] = times + 1
            self._questions.append((list(islice(keys, KEYS)), signature))

    def answered(self, signature: Iterable[str], counts: dict[str, float] | None) -> bool:
        """Take a worker's answer; say whether it is news."""
        key = tuple(signature)
        if self._known.get(key) is not None:
            return False
        if counts is not None and not all(0 <= counts[name] < LARGEST for name in COUNTS):
            counts = None  # a kernel whose loops have run away
        self._known[key] = counts
        return counts is not None
