"""How a frame leaves: looked at first, in the encoding that is worthwhile for it on this link, or as it is.

How Dask calls it (`distributed.protocol.compression.maybe_compress`): for each frame of 10 kB to 2 GiB first with a
*sample* of it, one to five pieces of 10 kB from anywhere, aligned to nothing, behind each other; only if 70 % of it or
less is left, with the frame. What is no longer than a sample can't be told from one, so it is encoded as if it were a
frame; by bytes, if need be, because the words of a sample lie anywhere.

Any thread may call anything; what has to be known of a sample when its frame comes is kept by thread.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from asafess.wire import figures, libraries, mask, sample
from asafess.wire.counters import Counters
from asafess.wire.figures import LINK, MASKS, MOST_KEPT
from asafess.wire.forecast import Active, amounts, choice
from asafess.wire.recall import Recall
from asafess.wire.traffic import SAMPLE, Traffic

#: after so many samples in a row that no library made smaller, only those are compressed that are looked at anyway
HOPELESS = 8
#: one frame in so many is looked at to say what the data is like, in every state; and one after so many seconds in
#: which none was: of large ones there are few
EVERY, LOOK_AGAIN = 16, 0.1


class Encoder:
    """Encodes frames that leave.

    Parameters
    ----------
    traffic : Traffic
        What leaves beside a frame.
    counters : Counters
        Of what was looked at, and of what left.
    clock : callable
        The time in seconds.

    Examples
    --------
    >>> from asafess.wire.figures import DEFAULTS
    >>> mask.prepare()
    >>> encoder = Encoder(Traffic(), Counters())
    >>> active = Active("mask", 1.25e8, DEFAULTS, ("zlib",), False)
    >>> len(encoder.encode(bytes(100_000), active, prepared=True))
    264
    >>> encoder.encode(bytes(range(1, 251)) * 400, active, prepared=True) is None
    True
    """

    def __init__(self, traffic: Traffic, counters: Counters, clock: Callable[[], float] = time.monotonic) -> None:
        self._traffic, self._counters, self._clock = traffic, counters, clock
        self._seen = itertools.count()
        #: whether a library was better than the masks for the last frame for which both were asked
        self._library_wins = True
        #: samples since the last one that a library made smaller
        self._in_vain = 0
        self._looked = clock()
        self._of_thread = threading.local()
        self._recall = Recall()

    def encode(self, data: Any, active: Active, prepared: bool) -> Any:
        """Return a frame, or Dask's sample of one, encoded; None where it leaves as it is.

        Parameters
        ----------
        data : buffer
            Contiguous; writable or not.
        active : Active
            How frames leave at present.
        prepared : bool
            Whether the kernels are compiled; until then all leave as they are.

        Returns
        -------
        buffer or None
        """
        nbytes = memoryview(data).nbytes
        small = nbytes <= SAMPLE
        if small:
            due = self._of_thread.due = self._is_due()
        else:
            due = getattr(self._of_thread, "due", True)
        encoded = None
        if prepared and (due or active.state != "off"):
            frame = np.frombuffer(data, np.uint8) if nbytes else np.empty(0, np.uint8)
            if not small:
                encoded = self._frame(frame, active, due, self._traffic.hides(active.link))
                self._traffic.left(nbytes, active.link)
                return encoded
            encoded = self._sample(frame, active, due)
        if small and encoded is None:
            self._traffic.passed(nbytes, active.link)
        return encoded

    def _is_due(self) -> bool:
        """Say whether to look at what the next frame is like."""
        now = self._clock()
        due = next(self._seen) % EVERY == 0 or now - self._looked >= LOOK_AGAIN
        if due:
            self._looked = now
        return due

    def _sample(self, data: np.ndarray, active: Active, due: bool) -> Any:
        """Encode Dask's sample of a frame, or a small frame."""
        self._of_thread.shares = {}
        encoded = None if due else _encode(data, self._recall.name)
        self._recall.took_sample = encoded is not None
        if encoded is not None:
            return encoded
        seen = sample.look(data)
        # whether it pays is asked of the whole frame: here a link is slow, so that less is better
        name = figures.choose(seen.kept, active.figures, min(active.link, LINK))
        encoded = _encode(data, name)
        general = active.state == "general"
        if encoded is None and ((general and self._in_vain < HOPELESS) or (due and (general or active.library_pays))):
            encoded = _encode(data, active.libraries[0])
            self._in_vain = 0 if encoded is not None else self._in_vain + 1
            if encoded is not None:
                self._of_thread.shares = {active.libraries[0]: len(encoded) / data.size}
        if encoded is None:
            if due:
                self._note(sample.Look(seen.words, seen.zeros, {}), self._traffic.typical, 0, active)
            if active.state != "off":
                self._counters.add(wire_raw_frames=1)
        return encoded

    def _frame(self, data: np.ndarray, active: Active, due: bool, hidden: bool) -> Any:
        """Encode a frame in what the state allows, if that pays, hidden behind other messages or not."""
        start = time.perf_counter()
        if self._recall.took_sample:
            encoded = self._again(data, active, hidden, start)
            if encoded is not None:
                return encoded
        general = active.state == "general"
        # what a library has made of Dask's sample is what it makes of the frame
        shares: dict[str, float] = getattr(self._of_thread, "shares", {})
        asks = (due or (self._library_wins and not shares)) if general else (due and active.library_pays)
        part = sample.pieces(data)
        seen = sample.look(part, active.libraries[:1] if asks else (), data.size)
        if due:
            self._traffic.seen(data.size)
            self._note(seen, data.size, part.size, active)
        if active.state == "off":
            return None
        kept = shares | seen.kept
        name = choice(kept, active, active.state, hidden)
        if asks and general:
            self._library_wins = name not in MASKS
        encoded = _encode(data, name)
        if name is None or encoded is None:
            self._recall.forget()
            self._counters.add(wire_raw_frames=1)
            return None
        self._recall.keep(name if name in MASKS else None, len(encoded), data.size)
        self._count(data, encoded, name, start, active)
        return encoded

    def _again(self, data: np.ndarray, active: Active, hidden: bool, start: float) -> Any:
        """Encode a frame as the last one, if that still pays and leaves as little."""
        recall = self._recall
        name = recall.name
        if name is None or choice({name: recall.kept}, active, active.state, hidden) is None:
            return None
        encoded = _encode(data, name)
        if encoded is None or not recall.fits(len(encoded), data.size):
            return None
        self._count(data, encoded, name, start, active)
        return encoded

    def _count(self, data: np.ndarray, encoded: Any, name: str, start: float, active: Active) -> None:
        """Count a frame that leaves encoded."""
        self._counters.add(
            wire_encoded_frames=1,
            wire_logical_bytes=data.size,
            wire_sent_bytes=len(encoded),
            wire_encode_seconds=time.perf_counter() - start,
            wire_predicted_seconds=data.size * active.figures[name].seconds(len(encoded) / data.size),
        )

    def _note(self, seen: sample.Look, nbytes: float, looked_at: int, active: Active) -> None:
        """Note what the data is like, and what each state would make of it."""
        shares = self._traffic.hidden_share, self._traffic.crowded_share
        self._counters.add(**amounts(seen, nbytes, looked_at, active, *shares))


def _encode(data: np.ndarray, name: str | None) -> Any:
    """Return an encoded frame; None for no encoding, and where Dask would not take it."""
    if name is None:
        return None
    most = int(MOST_KEPT * data.size)
    return mask.encode(data, MASKS[name], most) if name in MASKS else libraries.encode(data, name, most)
