"""The codec: bytes in, bytes out, in the encoding that is worthwhile for them on this link.

The state decides only how new frames are written, never how frames are read, so it may change at any moment. What is
returned for a frame is either the frame itself, which Dask sends as it is, or a frame with a header. We may lose speed
here, never results: whatever goes wrong, the frame leaves as it is.

How Dask calls it (`distributed.protocol.compression.maybe_compress`): for each frame of 10 kB to 2 GiB first with a
*sample* of it, one to five pieces of 10 kB from anywhere, aligned to nothing, behind each other; only if 70 % of it or
less is left, with the frame. What is no longer than a sample can't be told from one, so it is encoded as if it were a
frame; by bytes, if need be, because the words of a sample lie anywhere.

Thread rules: `set_state` and the like replace one tuple; any thread may call anything.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from asafess.wire import figures, libraries, mask, sample
from asafess.wire.backlog import Backlog
from asafess.wire.cores import Cores
from asafess.wire.counters import Counters
from asafess.wire.figures import DEFAULTS, LINK, MASKS, MOST_KEPT, Figures
from asafess.wire.forecast import STATES, Active, amounts, choice
from asafess.wire.header import CorruptedFrameError, Header
from asafess.wire.recall import Recall
from asafess.wire.traffic import SAMPLE, Traffic

logger = logging.getLogger(__name__)

#: after so many samples in a row that no library made smaller, only those are compressed that are looked at anyway
HOPELESS = 8
#: one frame in so many is looked at to say what the data is like, in every state; and one after so many seconds in
#: which none was: of large ones there are few
EVERY, LOOK_AGAIN = 16, 0.1


class Codec:
    """Encodes frames that leave and decodes frames that come.

    Parameters
    ----------
    backlog : Backlog, optional
        What the link is busy with; left out, it waits for each frame.
    cores : Cores, optional
        Those that are idle; left out, there is always one.
    clock : callable
        The time in seconds.

    Examples
    --------
    >>> codec = Codec()
    >>> codec.prepare()
    >>> frame = bytes(100_000)
    >>> codec.compress(frame) is frame  # off
    True
    >>> codec.set_state("mask")
    >>> sent = codec.compress(frame)
    >>> len(sent), codec.decompress(sent) == frame
    (264, True)
    """

    def __init__(
        self,
        backlog: Backlog | None = None,
        cores: Cores | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = threading.Lock()
        self._counters = Counters()
        self._traffic, self._clock = Traffic(backlog, cores), clock
        self._prepared = False
        self._seen = itertools.count()
        #: whether a library was better than the masks for the last frame for which both were asked
        self._library_wins = True
        #: samples since the last one that a library made smaller
        self._in_vain = 0
        self._looked = clock()
        self._of_thread = threading.local()
        self._recall = Recall()
        installed = {name: one for name, one in DEFAULTS.items() if name in MASKS or name in libraries.LIBRARIES}
        self._set("off", LINK, installed)

    # ---- what is known and wanted

    @property
    def state(self) -> str:
        """In which new frames are written."""
        return self._active.state

    @property
    def library(self) -> str:
        """The library that is best for a text on this link."""
        return self._active.libraries[0]

    @property
    def known(self) -> tuple[dict[str, Figures], float, tuple[str, ...]]:
        """What each encoding costs here, the link in bytes per second, and the libraries worth a look, best first."""
        active = self._active
        return active.figures, active.link, active.libraries

    def _set(self, state: str, link: float, known: dict[str, Figures]) -> None:
        can_hide = self._traffic.can_hide
        best = figures.best_libraries(known, link, can_hide)
        active = Active(state, link, known, best, False)
        pays = choice({best[0]: known[best[0]].text}, active, "general", can_hide) is not None
        self._active = active._replace(library_pays=pays)

    def set_state(self, state: str) -> None:
        """Set how frames leave from now on.

        Parameters
        ----------
        state : str
            *off*: as they are. *mask*: without their zero words, where that pays. *general*: the same, or compressed
            with a library.

        Raises
        ------
        ValueError
            For an unknown state; the present one stays.
        """
        if state not in STATES:
            raise ValueError(f"state is {state!r}; allowed are {', '.join(STATES)}")
        with self._lock:
            self._set(state, self._active.link, self._active.figures)

    def set_link(self, rate: float) -> None:
        """Set the bytes per second of the link that frames leave on.

        Raises
        ------
        ValueError
            It is not above 0; what was known stays.
        """
        if not rate > 0:
            raise ValueError(f"the link's rate must be above 0 bytes per second, not {rate!r}")
        with self._lock:
            self._set(self._active.state, rate, self._active.figures)

    def prepare(self) -> None:
        """Compile the kernels; until that is done, all frames leave as they are."""
        mask.prepare()
        self._prepared = True

    def measure(self) -> dict[str, Figures]:
        """Measure what each encoding costs in this process, use it, and return it."""
        measured = figures.measure()
        with self._lock:
            self._set(self._active.state, self._active.link, measured)
        return measured

    def counters(self) -> dict[str, float]:
        """Return what went through since the start; `counters.COUNTERS` says what each means."""
        return self._counters.read()

    @property
    def prepared(self) -> bool:
        """Whether the kernels are compiled."""
        return self._prepared

    # ---- frames

    def compress(self, data: Any) -> Any:
        """Return a frame as it is to leave; itself where nothing is to be gained.

        Parameters
        ----------
        data : buffer
            Contiguous; writable or not.

        Returns
        -------
        buffer
        """
        active = self._active
        try:
            small = memoryview(data).nbytes <= SAMPLE
            if small:
                due = self._of_thread.due = self._is_due()
            else:
                due = getattr(self._of_thread, "due", True)
            if not self._prepared or (active.state == "off" and not due):
                if small:
                    self._traffic.passed(memoryview(data).nbytes, active.link)
                return data
            frame = np.frombuffer(data, np.uint8) if memoryview(data).nbytes else np.empty(0, np.uint8)
            if small:
                encoded = self._sample(frame, active, due)
                if encoded is None:
                    self._traffic.passed(frame.size, active.link)
            else:
                encoded = self._frame(frame, active, due, self._traffic.hides(active.link))
                self._traffic.left(frame.size, active.link)
        except Exception:
            self._counters.add(wire_faults=1)
            # One line for the first; the counter knows the rest.
            if self._counters.read()["wire_faults"] == 1:
                logger.warning("asafess.wire.fault state=%s frame leaves as it is", active.state, exc_info=True)
            return data
        return data if encoded is None else encoded

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
        self._counters.add(**amounts(seen, nbytes, looked_at, active, self._traffic.hidden_share))

    def decompress(self, frame: Any) -> Any:
        """Return a frame as it was, in any state.

        Parameters
        ----------
        frame : buffer
            What `compress` has returned, with a header.

        Returns
        -------
        buffer
            Writable.

        Raises
        ------
        CorruptedFrameError
            It is none, or it is damaged.
        ValueError
            It was encoded with a library that is not installed here.
        """
        start = time.perf_counter()
        try:
            header = Header.read(frame)
            data = (mask if header.encoding in mask.ENCODINGS else libraries).decode(header, frame)
        except CorruptedFrameError:
            self._counters.add(wire_corrupted_frames=1)
            raise
        seconds = time.perf_counter() - start
        self._counters.add(wire_decoded_frames=1, wire_decoded_bytes=len(data), wire_decode_seconds=seconds)
        return data


def _encode(data: np.ndarray, name: str | None) -> Any:
    """Return an encoded frame; None for no encoding, and where Dask would not take it."""
    if name is None:
        return None
    most = int(MOST_KEPT * data.size)
    return mask.encode(data, MASKS[name], most) if name in MASKS else libraries.encode(data, name, most)
