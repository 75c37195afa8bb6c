"""Whether the link is still busy with other messages when one is encoded: then encoding does not make it later.

Encoding a message alone makes it later by the time that takes. Where several are on their way, as in a shuffle, the
link has to do meanwhile, and what counts is which of link and codec is slower. When a connection is written to, Dask
does not say. So what leaves is put into a bucket with a hole: frames go in as they were before they were encoded, and
the link takes them at its rate, or a little faster. Who waits for a message to arrive before the next one finds the
bucket empty, unless encoding has made it arrive earlier than it would have as it was; and a link that is busy does not
stop being it because frames are encoded.
Sockets can't be asked: messages that queue are all serialized before the first of them is written.

All frames of a message are encoded before the first of them leaves, so those of the present message don't count. Dask
serializes a large message in a thread, in a context of its own (`contextvars`), so there a context stands for a
message; a small one in the task that sends it, and a task waits for an answer before it sends the next.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar

#: the link may be so many times as fast as measured
FASTER = 1.25
#: thread and task in which a message is encoded, and what stands for it
_message: ContextVar[tuple[int, int, object] | None] = ContextVar("asafess_message", default=None)


class Backlog:
    """Bytes of other messages that the link has not taken yet. Any thread may use one.

    Parameters
    ----------
    clock : callable
        The time in seconds.

    Examples
    --------
    >>> from contextvars import copy_context
    >>> now = [0.0]
    >>> backlog = Backlog(lambda: now[0])
    >>> copy_context().run(backlog.add, 1e6, 1e8)  # takes 10 ms, or 8 if the link is faster
    >>> backlog.busy(1e8)
    True
    >>> now[0] = 0.009
    >>> backlog.busy(1e8)
    False
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        #: of other messages, at a time; and of the present one, whose frames are still being encoded
        self._bytes, self._time = 0.0, clock()
        self._own = 0.0
        self._message: object = None

    def busy(self, link: float) -> bool:
        """Say whether a link of so many bytes per second is busy with what left before this message."""
        with self._lock:
            self._turn(link)
            return self._bytes > 0

    def add(self, nbytes: float, link: float) -> None:
        """Let bytes of this message leave."""
        with self._lock:
            self._turn(link)
            self._own += nbytes

    def _turn(self, link: float) -> None:
        """Let the link take what it has had the time for; a message that has ended has left since its last turn."""
        message = _present()
        if message is not self._message:
            self._bytes += self._own
            self._own, self._message = 0.0, message
        now = self._clock()
        self._bytes = max(self._bytes - (now - self._time) * FASTER * link, 0.0)
        self._time = now


def _present() -> object:
    """Return what stands for the message that is being encoded here."""
    try:
        task = id(asyncio.current_task())
    except RuntimeError:  # no event loop in this thread
        task = 0
    found, thread = _message.get(), threading.get_ident()
    # a task, or what is run in a thread, inherits the context of another
    if found is None or found[:2] != (thread, task):
        found = thread, task, object()
        _message.set(found)
    return found[2]
