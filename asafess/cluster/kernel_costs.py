"""Types of tasks that call Numba kernels: a worker counts such a task once per signature, the scheduler remembers.

A signature is the names of all functions that a task calls, and last with what it calls them. The scheduler never
imports Numba for it and waits for nothing: until the answer is there, a group is measured or has no type.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from asafess.core.found_type import COMPILER, FoundType
from asafess.core.task_type import LARGEST, TaskType

#: what a worker counts of a task
COUNTS = ("flop", "loops", "bytes", "input_bytes")
#: graphs with which a kernel is asked about, and tasks of each: some are never run, or end on a worker that is lost
MOST_ASKED, KEYS = 3, 4
#: names of functions that are remembered, and signatures of each: arguments may be others each time round
MOST_NAMES, MOST_SIGNATURES = 1024, 16
#: answers that tasks of these functions can't be counted, after which nobody asks again
MOST_FAILED = 3
#: the counts are exact for the task that was looked at; others of its group are taken to be in proportion
CONFIDENCE = 0.9
#: where the sizes of its inputs were not known, or it was another signature's: the same functions on other arguments
SCALED = 0.7


class KernelCosts:
    """What is known of kernels, and whom to ask for the rest."""

    def __init__(self) -> None:
        #: whether there is a worker that could answer
        self.answering = True
        #: signature → what a worker has counted; None: it can't be
        self._known: dict[tuple[str, ...], dict[str, float] | None] = {}
        #: names of functions → the signature that was counted last
        self._latest: dict[tuple[str, ...], tuple[str, ...]] = {}
        #: names of functions → arguments → how often a worker was asked
        self._asked: dict[tuple[str, ...], dict[str, int]] = {}
        #: names of functions → how often a worker has said that it can't count them
        self._failed: dict[tuple[str, ...], int] = {}
        #: (keys, signature) to be asked
        self._questions: list[tuple[list[Any], tuple[str, ...]]] = []

    def take(self) -> list[tuple[list[Any], tuple[str, ...]]]:
        """Return what is to be asked, once."""
        questions, self._questions = self._questions, []
        return questions

    def find(self, signature: tuple[str, ...], name: str) -> FoundType | None:
        """Return the type of tasks of a signature, None while nobody has counted it, nor one of the same functions.

        What can't be counted has none, whatever is known of others.
        """
        of = signature if signature in self._known else self._latest.get(signature[:-1], signature)
        counts = self._known.get(of)
        if counts is None:
            return None
        loads = {"compute": counts["flop"], "loops": counts["loops"], "memory": counts["bytes"]}
        nbytes = counts["input_bytes"]
        names, arguments = ", ".join(of[:-1]), of[-1]
        amounts = f"{counts['flop']:.4g} flop, {counts['bytes']:.4g} bytes touched"
        why = f"counted on a worker: {names} of {arguments}: {amounts}"
        if of != signature:
            why += ", taken to be in proportion to the bytes of input"
        if nbytes:
            type_ = TaskType(name, per_byte={axis: load / nbytes for axis, load in loads.items()})
        else:
            type_ = TaskType(name, loads)
        exact = of == signature and "?" not in signature[-1]
        return FoundType(type_, COMPILER, CONFIDENCE if exact else SCALED, why)

    def hopeless(self, names: tuple[str, ...]) -> bool:
        """Say whether tasks that call these functions could never be counted so far, and it was tried often enough."""
        return self._failed.get(names, 0) >= MOST_FAILED and names not in self._latest

    def counted(self, signature: tuple[str, ...]) -> bool:
        """Say whether a worker has counted tasks of this very signature, or has said that it can't."""
        return signature in self._known

    def wanted(self, signature: tuple[str, ...]) -> bool:
        """Say whether tasks of a signature should be counted: nobody has, and it was not tried often enough."""
        names = signature[:-1]
        if signature in self._known or not self.answering or self.hopeless(names):
            return False
        asked = self._asked.get(names, {})
        times = asked.get(signature[-1], 0)
        return (
            times < MOST_ASKED
            and (times > 0 or len(asked) < MOST_SIGNATURES)
            and (bool(asked) or len(self._asked) < MOST_NAMES)
        )

    def ask(self, keys: Iterable[Any], signature: tuple[str, ...]) -> None:
        """Note that whichever worker runs one of these tasks may count what it costs."""
        if self.wanted(signature):
            asked = self._asked.setdefault(signature[:-1], {})
            asked[signature[-1]] = asked.get(signature[-1], 0) + 1
            self._questions.append((list(islice(keys, KEYS)), signature))

    def answered(self, signature: Iterable[str], counts: dict[str, float] | None) -> bool:
        """Take a worker's answer; say whether it is news."""
        key = tuple(signature)
        if self._known.get(key) is not None:
            return False
        if counts is not None and not all(0 <= counts[name] < LARGEST for name in COUNTS):
            counts = None  # a kernel whose loops have run away
        self._known[key] = counts
        if counts is None:
            self._failed[key[:-1]] = self._failed.get(key[:-1], 0) + 1
        else:
            self._latest[key[:-1]] = key
        return counts is not None
