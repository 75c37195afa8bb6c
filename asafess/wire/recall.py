"""The mask that the last frames left with, so that not each of many alike has to be looked at first.

Messages of a shuffle bring hundreds of small frames of one kind, and to look at one takes longer than to encode it. So
the mask of the last one is tried: on Dask's sample, and then on the frame. What does not come out as small as that one
is looked at, and so is one frame in so many in any case.
"""

from __future__ import annotations

import threading

#: an encoded frame may have so many times the share of its bytes that was kept of the last one
LARGER = 1.25


class Recall(threading.local):
    """Of one thread: what frames left as.

    Examples
    --------
    >>> recall = Recall()
    >>> recall.keep("mask8", 100, 1000)
    >>> recall.name, recall.fits(120, 1000), recall.fits(130, 1000)
    ('mask8', True, False)
    """

    def __init__(self) -> None:
        #: encoding of the last frame that was looked at; None where it left as it was, or through a library
        self.name: str | None = None
        #: share of its bytes that was left
        self.kept = 1.0
        #: Dask's sample of the frame that comes next was taken by it
        self.took_sample = False

    def keep(self, name: str | None, left: int, size: int) -> None:
        """Remember a frame of so many bytes of which so many were left."""
        self.name, self.kept = name, left / size

    def forget(self) -> None:
        """Let the next frames be looked at."""
        self.name = None

    def fits(self, left: int, size: int) -> bool:
        """Say whether a frame is as small as the last one was."""
        return left <= LARGER * self.kept * size
