"""What Dask's workers spill to disk, through a codec of its own.

A worker's spill buffer serializes each value with a function (`distributed.spill.Slow.dump`) that knows the compression
that is configured (``distributed.worker.memory.spill-compression``; *auto* is lz4 where it is installed). `take` puts a
function around it:

- in the state *off* it calls what it has found, so files are those of stock Dask;
- in the others it gives the same serializer the codec instead, under a name of its own.

The header of each file says by what name its frames were compressed, and that name stays registered. So files are read
in any state, those from before `take` and after `leave` too, and the state may change at any moment.

One value in `EVERY` is also looked at, in every state: what would each of them make of it? Where the worker has no
spill buffer of Dask's (no memory limit, no spilling, or one of the user's own) nothing is done.

Spilling runs in the worker's event loop. What is counted is the process's: its workers share the codec.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from asafess.wire import disk, figures, libraries, sample
from asafess.wire.codec import SAMPLE, STATES, Codec
from asafess.wire.figures import MASKS, MOST_KEPT
from asafess.wire.header import VERSION

if TYPE_CHECKING:
    from distributed.spill import Slow, SpillBuffer

logger = logging.getLogger(__name__)

#: the codec's name in Dask, and in the header of files
NAME = "-".join(("asafess-spill", str(VERSION), *sorted(libraries.LIBRARIES)))
#: one value in so many is looked at
EVERY = 8
#: bytes from which on Dask compresses a frame, and up to which
SMALLEST, LARGEST = 10_000, 1 << 31
#: the codec's counter → ours
FROM_CODEC = {
    "wire_encoded_frames": "spill_encoded_frames",
    "wire_logical_bytes": "spill_logical_bytes",
    "wire_sent_bytes": "spill_kept_bytes",
    "wire_encode_seconds": "spill_encode_seconds",
    "wire_predicted_seconds": "spill_predicted_seconds",
    "wire_raw_frames": "spill_raw_frames",
    "wire_decoded_frames": "spill_decoded_frames",
    "wire_decode_seconds": "spill_decode_seconds",
    "wire_corrupted_frames": "spill_corrupted_frames",
    "wire_faults": "spill_faults",
}
#: Dask's meter of a spill buffer → ours
FROM_DASK = {
    ("disk-write", "bytes"): "spill_written_bytes",
    ("disk-write", "seconds"): "spill_write_seconds",
    ("disk-read", "bytes"): "spill_read_bytes",
    ("disk-read", "seconds"): "spill_read_seconds",
}
#: what was looked at, and what each state would make of it
LOOKED = (
    "spill_looked_bytes",
    *(f"spill_looked_{state}_{what}" for state in STATES for what in ("bytes", "seconds")),
)

#: of this process; its link is the disk
codec = Codec()


class _Totals:
    """Running totals of this process, also of spill buffers that are gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values = dict.fromkeys((*LOOKED, *FROM_DASK.values(), "spill_look_faults"), 0.0)
        self._meters: WeakKeyDictionary[Any, dict[str, float]] = WeakKeyDictionary()

    def add(self, amounts: Mapping[str, float]) -> None:
        with self._lock:
            for name, amount in amounts.items():
                self._values[name] += amount

    def read(self) -> dict[str, float]:
        for worker, buffer in disk.buffers():
            now = {name: float(buffer.cumulative_metrics.get(meter, 0)) for meter, name in FROM_DASK.items()}
            with self._lock:
                before = self._meters.get(worker, {})
                self._meters[worker] = now
            self.add({name: max(value - before.get(name, 0.0), 0.0) for name, value in now.items()})
        with self._lock:
            return dict(self._values)


_totals = _Totals()


class _Dump:
    """Serializes a value as the state says."""

    def __init__(self, found: partial[Any]) -> None:
        #: what the spill buffer had
        self.found = found
        self._ours = partial(found.func, *found.args, **{**found.keywords, "compression": NAME})
        self._seen = 0

    def __call__(self, value: object) -> Any:
        if self._seen % EVERY == 0:
            self._look(value)
        self._seen += 1
        return self.found(value) if codec.state == "off" else self._ours(value)

    def _look(self, value: object) -> None:
        from distributed.protocol.serialize import serialize_and_split

        try:
            compression = self.found.keywords.get("compression")
            for frame in serialize_and_split(value, on_error="raise")[1]:
                if SMALLEST <= memoryview(frame).nbytes <= LARGEST:
                    _totals.add(looked(np.frombuffer(frame, np.uint8), compression))
        except Exception:  # a value that can't be serialized is Dask's to report; nothing depends on our look
            _totals.add({"spill_look_faults": 1})


def looked(frame: np.ndarray, compression: str | None) -> dict[str, float]:
    """Return what each state would make of a frame: bytes that are left, and seconds of encoding and decoding.

    Parameters
    ----------
    frame : (n,) uint8
    compression : str or None
        What Dask is configured to use: the state *off*.

    Examples
    --------
    >>> found = looked(np.zeros(1 << 20, np.uint8), None)
    >>> found["spill_looked_bytes"], found["spill_looked_off_bytes"], round(found["spill_looked_mask_bytes"])
    (1048576.0, 1048576.0, 16416)
    """
    from distributed.protocol.compression import compressions

    known, link, library = codec.known
    part = sample.pieces(frame)
    seen = sample.look(part, [library], frame.size)
    reading = (SAMPLE + part.size) * len(MASKS) * known["mask8"].scan
    amounts = {"spill_looked_bytes": float(frame.size)}

    def note(state: str, name: str | None, share: float, looking: float) -> None:
        kept = 1.0 if name is None else share
        seconds = looking + (0.0 if name is None else frame.size * known[name].seconds(kept))
        amounts[f"spill_looked_{state}_bytes"] = kept * frame.size
        amounts[f"spill_looked_{state}_seconds"] = seconds

    own = compressions[compression]
    if own.name is None:
        note("off", None, 1.0, 0.0)
    else:
        share = seen.kept[library] if own.name == library else len(own.compress(part.data)) / max(part.size, 1)
        # a library that we have no figures of is taken to be as fast as ours
        name = own.name if own.name in known else library
        note("off", name if share <= MOST_KEPT else None, share, SAMPLE * known[name].seconds(share))
    masks = {name: seen.kept[name] for name in MASKS}
    best = figures.choose(masks, known, link)
    note("mask", best, seen.kept.get(best or "", 1.0), reading)
    best = figures.choose({**masks, library: seen.kept[library]}, known, link)
    compressing = (SAMPLE + part.size) * known[library].seconds(seen.kept[library])
    note("general", best, seen.kept.get(best or "", 1.0), reading + compressing)
    return amounts


def take() -> None:
    """Let the spill buffers of this process's workers go through the codec; any number of times."""
    from distributed.protocol.compression import Compression, compressions
    from distributed.protocol.serialize import serialize_bytelist

    # bound late, so that the name is that of this process's codec
    compressions.setdefault(
        NAME, Compression(NAME, lambda data: codec.compress(data), lambda data: codec.decompress(data))
    )
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
    except OSError:  # a full disk: what is known without it stays
        logger.warning("asafess.wire.spill can't measure the disk of %s", ", ".join(disk.directories()), exc_info=True)
    return rates


def counters() -> dict[str, float]:
    """Return what went to disk and came back since the start."""
    counted = codec.counters()
    return {**_totals.read(), **{ours: counted[name] for name, ours in FROM_CODEC.items()}}


def _slow(buffer: SpillBuffer) -> Slow:
    return buffer._slow_uncached
