"""What leaves this worker, of late: how large frames are, and whether they find the link busy."""

from __future__ import annotations

from asafess.wire.backlog import Backlog

#: frames that count
FRAMES = 8
#: bytes of Dask's sample of a frame
SAMPLE = 50_000
#: bytes that a frame is taken to have of which only Dask's sample was seen, before any was seen whole
TYPICAL = 1 << 20


class Traffic:
    """Frames on their way to the link. Any thread may use one; a number that gets lost among threads does no harm.

    Parameters
    ----------
    backlog : Backlog, optional
        Left out, the link is never busy.

    Examples
    --------
    >>> traffic = Traffic()
    >>> traffic.seen(8e6)
    >>> traffic.passed(SAMPLE, link=1e8)
    >>> traffic.typical, traffic.busy
    (8000000.0, 0.0)
    """

    def __init__(self, backlog: Backlog | None = None) -> None:
        self._backlog = backlog
        self._typical = 0.0
        #: share of the frames that found the link busy
        self.busy = 0.0

    @property
    def can_be_busy(self) -> bool:
        """Whether it is known at all if the link is busy."""
        return self._backlog is not None

    @property
    def typical(self) -> float:
        """Bytes of a frame, of those that were seen whole."""
        return self._typical or TYPICAL

    def seen(self, nbytes: float) -> None:
        """Take note of a frame that was seen whole."""
        self._typical += (nbytes - self._typical) / (FRAMES if self._typical else 1)

    def is_busy(self, link: float) -> bool:
        """Say whether a frame finds the link, of so many bytes per second, busy with others."""
        if self._backlog is None:
            return False
        busy = self._backlog.busy(link)
        self.busy += (busy - self.busy) / FRAMES
        return busy

    def left(self, nbytes: float, link: float) -> None:
        """Take note of bytes that leave."""
        if self._backlog is not None:
            self._backlog.add(nbytes, link)

    def passed(self, nbytes: int, link: float) -> None:
        """Take note of a frame that leaves as it is, and of which Dask has shown a sample of so many bytes, or all."""
        self.is_busy(link)
        self.left(self.typical if nbytes == SAMPLE else nbytes, link)
