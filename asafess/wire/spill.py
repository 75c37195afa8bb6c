"""What Dask's workers spill to disk, through a codec of its own.

A worker's spill buffer serializes each value with a function (`distributed.spill.Slow.dump`) that knows the compression
that is configured (``distributed.worker.memory.spill-compression``; *auto* is lz4 where it is installed). `take` puts a
function around it:

- in the state *off* it calls what it has found, so files are those of stock Dask;
- in the others it serializes in the same way, and each frame is looked at once and written as that look says; see
  `asafess.wire.spill_frames`.

The header of each file says by what name its frames were compressed, and names of ours stay registered. So files are
read in any state, those from before `take` and after `leave` too, and the state may change at any moment.

Of one value in `EVERY` it is noted, in every state: what would each of them make of it? What the disk takes is asked of
Dask's meters at the same time. Where the worker has no spill buffer of Dask's (no memory limit, no spilling, or one of
the user's own) nothing is done.

Spilling runs in the worker's event loop. What is counted is the process's: its workers share the codec.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from asafess.wire import disk, libraries, spill_frames
from asafess.wire.codec import Codec
from asafess.wire.figures import LINK, MASKS
from asafess.wire.header import VERSION
from asafess.wire.spill_counters import FROM_CODEC, Totals
from asafess.wire.spill_frames import LARGEST, SMALLEST, Known

if TYPE_CHECKING:
    from distributed.spill import Slow, SpillBuffer

logger = logging.getLogger(__name__)

#: the codec's name in Dask, and in the header of files
NAME = "-".join(("asafess-spill", str(VERSION), *sorted(libraries.LIBRARIES)))
#: the name of what Dask's own library has written for us
OWN = "asafess-spill-own-{}"
#: one value in so many is noted
EVERY = 8

#: of this process; its link is the disk
codec = Codec()
_totals = Totals()
_pace = disk.Pace(LINK)


class _Dump:
    """Serializes a value as the state says."""

    def __init__(self, found: partial[Any]) -> None:
        from distributed.protocol.compression import Compression, compressions

        #: what the spill buffer had
        self.found = found
        #: the library that it uses
        self._own = compressions[found.keywords.get("compression")].name
        if self._own is not None:
            name = OWN.format(self._own)
            compressions.setdefault(name, Compression(name, compressions[self._own].compress, _timed(self._own)))
        self._seen = 0

    def __call__(self, value: object) -> Any:
        due = self._seen % EVERY == 0
        self._seen += 1
        if due:
            _follow_disk()
        state = codec.state
        if state != "off" and codec.prepared:
            try:
                return self._written(value, state, due)
            except Exception as error:
                written = self.found(value)  # which raises where the value is at fault
                _fault(state, error)
                return written
        elif due:
            self._look(value)
        return self.found(value)

    def _written(self, value: object, state: str, due: bool) -> list[Any]:
        """Serialize as `distributed.protocol.serialize.serialize_bytelist` does, each frame encoded by itself."""
        import msgpack
        from distributed.metrics import context_meter
        from distributed.protocol.serialize import serialize_and_split
        from distributed.protocol.utils import pack_frames_prelude

        header, frames = serialize_and_split(value, on_error="raise")
        if frames:
            with context_meter.meter("compress"):
                named = [self._frame(frame, state, due) for frame in frames]
            header["compression"], frames = zip(*named, strict=True)
        header["count"] = len(frames)
        parts = [msgpack.dumps(header, use_bin_type=True), *frames]
        return [pack_frames_prelude(parts), *parts]

    def _frame(self, frame: Any, state: str, due: bool) -> tuple[str | None, Any]:
        """Return a frame as it is written, and the name of its compression."""
        if not SMALLEST <= memoryview(frame).nbytes <= LARGEST:
            return None, frame
        start = time.perf_counter()
        known, data = self._known(), np.frombuffer(frame, np.uint8)
        seen = spill_frames.look(data, known, "general" if due else state)
        name = spill_frames.choice(seen.kept, known, state)
        encoded = None if name is None else spill_frames.encode(data, name, known)
        took = time.perf_counter() - start
        if due:
            _totals.add(spill_frames.of_states(data, seen, known))
        if name is None or encoded is None:
            _totals.add({"spill_raw_frames": 1})
            return None, frame
        _totals.add(
            {
                "spill_encoded_frames": 1,
                "spill_logical_bytes": data.size,
                "spill_kept_bytes": len(encoded),
                "spill_encode_seconds": took,
                "spill_predicted_seconds": spill_frames.seconds(data.size, name, seen.kept[name], known),
            }
        )
        return OWN.format(name) if name == self._own else NAME, encoded

    def _look(self, value: object) -> None:
        from distributed.protocol.serialize import serialize_and_split

        try:
            known = self._known()
            for frame in serialize_and_split(value, on_error="raise")[1]:
                if SMALLEST <= memoryview(frame).nbytes <= LARGEST:
                    data = np.frombuffer(frame, np.uint8)
                    _totals.add(spill_frames.of_states(data, spill_frames.look(data, known, "off"), known))
        except Exception:  # nothing depends on our look
            _totals.add({"spill_look_faults": 1})

    def _known(self) -> Known:
        return Known(*codec.known, self._own)


def _timed(own: str) -> Any:
    """Return the function by which one of Dask's libraries decodes, counted as ours."""
    from distributed.protocol.compression import compressions

    def decompress(data: Any) -> Any:
        start = time.perf_counter()
        decoded = compressions[own].decompress(data)
        _totals.add({"spill_decoded_frames": 1, "spill_decode_seconds": time.perf_counter() - start})
        return decoded

    return decompress


def _follow_disk() -> None:
    """Let the codec know what the disk took lately: most of what was written lately is read from memory."""
    rate = _pace.rate(_totals.read())
    if rate is not None:
        codec.set_link(rate)


def _fault(state: str, error: Exception) -> None:
    """Count a value that stock Dask has to write; one line for the first."""
    if not _totals.read()["spill_faults"]:
        logger.warning("asafess.wire.spill.fault state=%s value is left to Dask", state, exc_info=error)
    _totals.add({"spill_faults": 1})


def take() -> None:
    """Let the spill buffers of this process's workers go through the codec; any number of times."""
    from distributed.protocol.compression import Compression, compressions
    from distributed.protocol.serialize import serialize_bytelist

    # bound late, so that the name is that of this process's codec; encoding is not asked for by this name
    compressions.setdefault(NAME, Compression(NAME, lambda data: data, lambda data: codec.decompress(data)))
    for _, buffer in disk.buffers():
        slow = _slow(buffer)
        # anything else is not what Dask has put there: somebody else's to know
        if isinstance(slow.dump, partial) and slow.dump.func is serialize_bytelist:
            slow.dump = _Dump(slow.dump)


def leave() -> None:
    """Give the spill buffers back what they had; what is on disk can be read."""
    codec.set_state("off")
    for _, buffer in disk.buffers():
        slow = _slow(buffer)
        if isinstance(slow.dump, _Dump):
            slow.dump = slow.dump.found


def measure() -> dict[str, float]:
    """Measure the disk and the encodings in this process and let the codec use that.

    Returns
    -------
    dict
        `spill_disk`: bytes per second written and read back, where workers spill; of several disks the slowest.
        `spill_scan`, `spill_copy`, `spill_general`: bytes per second to look at, to pack and unpack, and to compress
        and decompress a text. Empty where nothing is spilled.
    """
    if not disk.directories():
        return {}
    found = codec.measure()
    mask = found["mask8"]
    texts = [one.seconds(one.text) for name, one in found.items() if name not in MASKS]
    rates = {"spill_scan": 1 / mask.scan, "spill_copy": 1 / mask.copy, "spill_general": 1 / min(texts)}
    try:
        rate = disk.of_workers()
        if rate is not None:
            rates["spill_disk"] = rate
            codec.set_link(rate)
            _pace.alone = rate
    except OSError:  # a full disk: what is known without it stays
        logger.warning("asafess.wire.spill can't measure the disk of %s", ", ".join(disk.directories()), exc_info=True)
    return rates


def counters() -> dict[str, float]:
    """Return what went to disk and came back since the start."""
    counted = codec.counters()
    own = _totals.read()
    return {**own, **{ours: counted[name] + own[ours] for name, ours in FROM_CODEC.items()}}


def _slow(buffer: SpillBuffer) -> Slow:
    return buffer._slow_uncached
