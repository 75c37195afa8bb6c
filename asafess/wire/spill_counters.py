"""What is counted of what is spilled."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from asafess.wire import disk
from asafess.wire.forecast import STATES

#: the codec's counter → ours
FROM_CODEC = {
    "wire_decoded_frames": "spill_decoded_frames",
    "wire_decode_seconds": "spill_decode_seconds",
    "wire_corrupted_frames": "spill_corrupted_frames",
}
#: Dask's meter of a spill buffer → ours
FROM_DASK = {
    ("disk-write", "bytes"): "spill_written_bytes",
    ("disk-write", "seconds"): "spill_write_seconds",
    ("disk-read", "bytes"): "spill_read_bytes",
    ("disk-read", "seconds"): "spill_read_seconds",
}
#: frames that were written encoded, and their bytes as they were and as they are on disk; seconds that looking and
#: encoding took; those that were predicted for encoding and decoding; frames left as they are; what has failed
WRITTEN = (
    "spill_encoded_frames",
    "spill_logical_bytes",
    "spill_kept_bytes",
    "spill_encode_seconds",
    "spill_predicted_seconds",
    "spill_raw_frames",
    "spill_faults",
    "spill_look_faults",
)
#: what was looked at, and what each state would make of it
LOOKED = (
    "spill_looked_bytes",
    *(f"spill_looked_{state}_{what}" for state in STATES for what in ("bytes", "seconds")),
)


class Totals:
    """Running totals of this process, also of spill buffers that are gone.

    Examples
    --------
    >>> totals = Totals()
    >>> totals.add({"spill_raw_frames": 1})
    >>> totals.read()["spill_raw_frames"]
    1.0
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values = dict.fromkeys((*LOOKED, *WRITTEN, *FROM_CODEC.values(), *FROM_DASK.values()), 0.0)
        self._meters: WeakKeyDictionary[Any, dict[str, float]] = WeakKeyDictionary()

    def add(self, amounts: Mapping[str, float]) -> None:
        """Add to some of the totals, together."""
        with self._lock:
            for name, amount in amounts.items():
                self._values[name] += amount

    def read(self) -> dict[str, float]:
        """Return all totals as they are now."""
        for worker, buffer in disk.buffers():
            now = {name: float(buffer.cumulative_metrics.get(meter, 0)) for meter, name in FROM_DASK.items()}
            with self._lock:
                before = self._meters.get(worker, {})
                self._meters[worker] = now
            self.add({name: max(value - before.get(name, 0.0), 0.0) for name, value in now.items()})
        with self._lock:
            return dict(self._values)
