"""What went through the codec, and what the data is like."""

from __future__ import annotations

import threading

#: Name → meaning. All begin with the codec's own word, because the counters of all optimizations share one namespace.
#: Frames of up to 50 000 bytes are not counted: what Dask shows of a frame before it sends it looks like them.
COUNTERS = {
    "wire_encoded_frames": "frames that left encoded",
    "wire_logical_bytes": "their bytes as they were",
    "wire_sent_bytes": "their bytes as they left",
    "wire_encode_seconds": "seconds spent on looking at frames and encoding them",
    "wire_predicted_seconds": "predicted seconds of encoding and decoding the frames that left encoded",
    "wire_raw_frames": "frames that left as they were although the codec was on",
    "wire_decoded_frames": "frames that came encoded, of any size",
    "wire_decoded_bytes": "their bytes as they are",
    "wire_decode_seconds": "seconds spent on decoding them",
    "wire_corrupted_frames": "frames that were refused because they were damaged",
    "wire_faults": "frames that left as they were because the codec failed",
    "wire_sampled_words": "8-byte words that were looked at",
    "wire_sampled_zeros": "those without any bit set",
    "wire_sampled_bytes": "bytes of the frames that were looked at",
    "wire_sampled_copying_seconds": "predicted seconds of processors for moving those raw that found no idle core",
    "wire_sampled_mask_bytes": "bytes that the state mask would leave of them",
    "wire_sampled_mask_seconds": "predicted seconds by which encoding in the state mask makes them later",
    "wire_sampled_general_bytes": "bytes that the state general would leave of them",
    "wire_sampled_general_seconds": "the same of the state general",
}


class Counters:
    """Numbers that only grow. Any thread may use one; the lock is held for additions only.

    Examples
    --------
    >>> counters = Counters()
    >>> counters.add(wire_faults=1)
    >>> counters.read()["wire_faults"]
    1.0
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values = dict.fromkeys(COUNTERS, 0.0)

    def add(self, **amounts: float) -> None:
        """Add to some of the numbers, together."""
        with self._lock:
            for name, amount in amounts.items():
                self._values[name] += amount

    def read(self) -> dict[str, float]:
        """Return all numbers as they are now, by name."""
        with self._lock:
            return dict(self._values)
