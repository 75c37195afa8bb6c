"""What leaves this worker, of late: how large frames are, what encoding them is hidden behind, and idle cores."""

from __future__ import annotations

import math

from asafess.wire.backlog import Backlog
from asafess.wire.cores import Cores

#: frames that count
FRAMES = 8
#: bytes of Dask's sample of a frame, at most, and of one of its pieces
SAMPLE, PIECE = 50_000, 10_000
#: bytes that a frame is taken to have of which only Dask's sample was seen, before any was seen whole
TYPICAL = 1 << 20


class Traffic:
    """Frames on their way to the link. Any thread may use one; a number that gets lost among threads does no harm.

    Parameters
    ----------
    backlog : Backlog, optional
        Left out, encoding is never hidden.
    cores : Cores, optional
        Left out, there is always one that is idle.

    Examples
    --------
    >>> traffic = Traffic()
    >>> traffic.seen(8e6)
    >>> traffic.passed(SAMPLE, link=1e8)
    >>> traffic.typical, traffic.hidden_share
    (8000000.0, 0.0)
    """

    def __init__(self, backlog: Backlog | None = None, cores: Cores | None = None) -> None:
        self._backlog, self._cores = backlog, cores
        self._typical = 0.0
        #: share of the frames of which encoding is hidden, and of those that found no idle core
        self.hidden_share = self.crowded_share = 0.0

    @property
    def can_hide(self) -> bool:
        """Whether it is ever said that encoding is hidden."""
        return self._backlog is not None

    @property
    def typical(self) -> float:
        """Bytes of a frame, of those that were seen whole."""
        return self._typical or TYPICAL

    def seen(self, nbytes: float) -> None:
        """Take note of a frame that was seen whole."""
        self._typical += (nbytes - self._typical) / (FRAMES if self._typical else 1)

    def hides(self, link: float) -> bool:
        """Say whether a frame finds the link, of so many bytes per second, busy with others, and a core idle."""
        if self._backlog is None:
            return False
        idle = math.inf if self._cores is None else self._cores.idle()
        hidden = self._backlog.busy(link) and idle >= 1
        self.hidden_share += (hidden - self.hidden_share) / FRAMES
        self.crowded_share += ((idle < 1) - self.crowded_share) / FRAMES
        return hidden

    def left(self, nbytes: float, link: float) -> None:
        """Take note of bytes that leave, as they were before they were encoded."""
        if self._backlog is not None:
            self._backlog.add(nbytes, link)

    def passed(self, nbytes: int, link: float) -> None:
        """Take note of a frame that leaves as it is, and of which Dask has shown a sample of so many bytes, or all."""
        self.hides(link)
        # pieces rarely overlap, and frames that are so small are rarely whole pieces
        self.left(nbytes if nbytes % PIECE else self.typical, link)
