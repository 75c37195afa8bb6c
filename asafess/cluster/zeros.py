"""The zeros of the data that tasks move, from the running totals that workers report."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping


class Zeros:
    """Share of zero words in recently sampled data.

    It is a property of the data: workers sample the same share of it in every state. Where nothing was
    sampled lately, what was last known stays.

    Parameters
    ----------
    window : float
        Seconds over which samples count.

    Examples
    --------
    >>> zeros = Zeros(1.0)
    >>> zeros.share is None
    True
    >>> zeros.report(0.0, "worker", {"sampled_words": 100, "sampled_zeros": 80})
    >>> zeros.report(0.5, "worker", {"sampled_words": 200, "sampled_zeros": 80})
    >>> zeros.share
    0.4
    """

    def __init__(self, window: float) -> None:
        self._window = window
        self._totals: dict[str, tuple[float, float]] = {}
        self._recent: deque[tuple[float, float, float]] = deque()
        #: share of zero words, 0 to 1; None while nothing is known
        self.share: float | None = None

    def clear(self) -> None:
        """Know nothing from now on; what the workers have counted so far is not counted again."""
        self._recent.clear()
        self.share = None

    def begin(self, worker: str, counters: Mapping[str, float]) -> None:
        """Count of a worker only what comes on top of these totals."""
        self._totals[worker] = _words(counters)

    def lost(self, worker: str) -> None:
        """Forget a worker that is gone."""
        self._totals.pop(worker, None)

    def report(self, time: float, worker: str, counters: Mapping[str, float]) -> None:
        """Take a worker's running totals."""
        words, zeros = _words(counters)
        words_before, zeros_before = self._totals.get(worker, (0.0, 0.0))
        if words <= words_before:
            return  # nothing new, or a message that was overtaken
        self._totals[worker] = (words, zeros)
        self._recent.append((time, words - words_before, max(zeros - zeros_before, 0.0)))
        while self._recent[0][0] < time - self._window:
            self._recent.popleft()
        self.share = min(1.0, sum(part[2] for part in self._recent) / sum(part[1] for part in self._recent))


def _words(counters: Mapping[str, float]) -> tuple[float, float]:
    # of panels before they are recoded, where those are looked at; otherwise of whatever leaves a worker
    prefix = "" if "sampled_words" in counters else "wire_"
    return float(counters.get(f"{prefix}sampled_words", 0)), float(counters.get(f"{prefix}sampled_zeros", 0))
