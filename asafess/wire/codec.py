"""The codec: bytes in, bytes out, in the encoding that is worthwhile for them on this link.

The state decides only how new frames are written, never how frames are read, so it may change at any moment. What is
returned for a frame is either the frame itself, which Dask sends as it is, or a frame with a header. We may lose speed
here, never results: whatever goes wrong, the frame leaves as it is.

Thread rules: `set_state` and the like replace one tuple; any thread may call anything.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from asafess.wire import figures, libraries, mask, sockets
from asafess.wire.backlog import Backlog
from asafess.wire.cores import Cores
from asafess.wire.counters import Counters
from asafess.wire.encoder import Encoder
from asafess.wire.figures import DEFAULTS, LINK, MASKS, Figures
from asafess.wire.forecast import STATES, Active, choice
from asafess.wire.header import CorruptedFrameError, Header
from asafess.wire.traffic import Traffic

logger = logging.getLogger(__name__)


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
        self._traffic = Traffic(backlog, cores)
        self._encoder = Encoder(self._traffic, self._counters, clock)
        self._prepared = False
        installed = {name: one for name, one in DEFAULTS.items() if name in MASKS or name in libraries.LIBRARIES}
        self._set(Active("off", LINK, installed, (), False))

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

    def _set(self, active: Active) -> None:
        """Let frames leave in this way, with the libraries that follow from it."""
        can_hide, known = self._traffic.can_hide, active.figures
        best = figures.best_libraries(known, active.link, can_hide)
        active = active._replace(libraries=best)
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
            self._set(self._active._replace(state=state))

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
            self._set(self._active._replace(link=rate))

    def prepare(self) -> None:
        """Compile the kernels; until that is done, all frames leave as they are."""
        mask.prepare()
        self._prepared = True

    def measure(self) -> dict[str, Figures]:
        """Measure what each encoding, and moving bytes, costs in this process, use it, and return the former."""
        measured = figures.measure()
        copying = sockets.measure() if self._traffic.can_hide else None  # else nobody asks for it
        with self._lock:
            self._set(self._active._replace(figures=measured, copying=copying or self._active.copying))
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
            encoded = self._encoder.encode(data, active, self._prepared)
        except Exception:
            self._counters.add(wire_faults=1)
            # One line for the first; the counter knows the rest.
            if self._counters.read()["wire_faults"] == 1:
                logger.warning("asafess.wire.fault state=%s frame leaves as it is", active.state, exc_info=True)
            return data
        return data if encoded is None else encoded

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
