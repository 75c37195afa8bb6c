"""A limit on switches per minute that all optimizations share."""

from __future__ import annotations

import math
from collections import deque

#: more than that per minute limits nothing; each may have to be remembered
LARGEST_LIMIT = 1_000_000


class SwitchLimit:
    """Counts switches over a sliding window of 60 s.

    A switch that the limit would not allow may be noted all the same (a person pinned a state, or something had to
    make room): it counts like any other.

    Parameters
    ----------
    per_minute : int or None
        Switches that any 60 s may hold, both ends included, from 1 to `LARGEST_LIMIT`. None: no limit.

    Raises
    ------
    ValueError
        A limit that is no whole number of that range; a time that is not finite.

    Examples
    --------
    >>> limit = SwitchLimit(2)
    >>> limit.note(0.0), limit.note(1.0)
    (None, None)
    >>> limit.allows(59.0), limit.allows(60.5)
    (False, True)
    >>> limit.left(60.5)
    1
    """

    SECONDS = 60.0

    def __init__(self, per_minute: int | None) -> None:
        if per_minute is not None and (
            not isinstance(per_minute, int) or isinstance(per_minute, bool) or not 1 <= per_minute <= LARGEST_LIMIT
        ):
            raise ValueError(
                f"switches per minute must be a whole number from 1 to {LARGEST_LIMIT}, or None for no limit, "
                f"not {per_minute!r}; "
                "to keep an optimization from switching, pin it"
            )
        self.per_minute = per_minute
        # the last `per_minute` switches are all it takes: one more is one too many while the first is in the window
        self._times: deque[float] = deque(maxlen=per_minute or 0)

    def allows(self, time: float) -> bool:
        """Say whether one more switch at `time`, in seconds, keeps every 60 s within the limit."""
        return self.left(time) >= 1

    def left(self, time: float) -> float:
        """Return how many more switches at `time`, in seconds, keep every 60 s within the limit; inf for no limit."""
        time = self._forward(time)
        if self.per_minute is None:
            return math.inf
        return self.per_minute - sum(time - before <= self.SECONDS for before in self._times)

    def note(self, time: float) -> None:
        """Remember that a switch was made at `time`, in seconds."""
        self._times.append(self._forward(time))

    def _forward(self, time: float) -> float:
        if not math.isfinite(time):
            raise ValueError(f"the time of a switch must be a finite number of seconds, not {time!r}")
        # a clock that jumps back stands still until it has caught up
        return max(time, self._times[-1]) if self._times else time
