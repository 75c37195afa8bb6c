"""How long spilling takes in each state of spill compression: predicted from what workers have seen.

For each logical byte that goes to disk and comes back, in seconds of one worker, in a state s::

    kept(s) · disk + slowness · codec(s)

*kept*: the share of bytes that the state leaves; *codec*: the seconds of encoding and decoding; *disk*: those of
writing a byte and reading it. Workers look at one value in 8 that they spill, in every state, and say what each state
would make of it. The disk is measured by itself, flushed and without the page cache; where enough is spilled, by what
Dask's spill buffers took, which is how it is then.

*slowness*: how much longer encoding and decoding took beside everything else that a worker does than was predicted
from measuring them alone, at least 1; Dask's own compression is as slow. It is seen while our codec encodes, and
forgotten within minutes after that.

*spill_bytes* is what workers hold, and what tasks are about to make, beyond the share of their memory at which they
spill. Bytes that are on disk already are not written again. Beside it there is the time of computing, the same in all
states.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from asafess.core.mode import Rates, Sample, computing, total_load

STATES = ("off", "mask", "general")
#: axis: bytes that are still to be spilled by all workers together
SPILL = "spill_bytes"
#: bytes per second that are written and read back, before they are measured
DISK = 5e8
#: bytes that must have been written, and read, to believe what that took
EVIDENCE = 1 << 24
#: predicted seconds of encoding and decoding after which the slowness is believed, and the most that is believed of it
CODEC_EVIDENCE, SLOWEST = 0.02, 5.0
#: seconds after which a third of a slowness that is no longer seen is left
FORGOTTEN = 60.0
#: what is measured: shares, seconds per logical byte, seconds per byte on disk; a factor, and when that was
NAMES = (
    *(f"spill_{what}_{state}" for what in ("kept", "codec") for state in STATES),
    "spill_write",
    "spill_read",
    "spill_slowness",
    "spill_slowness_time",
)


class Held(NamedTuple):
    """What one worker holds."""

    #: bytes of its data, in memory and on disk
    managed: float
    #: those of them that are on disk, as they were in memory
    spilled: float
    #: bytes that it holds before it spills
    room: float


def to_spill(workers: Iterable[Held], coming: float) -> float:
    """Return the bytes that workers will spill.

    Parameters
    ----------
    workers : iterable of Held
        Of those that spill.
    coming : float
        Bytes of outputs that tasks are about to make, on any of them.

    Examples
    --------
    >>> to_spill([Held(3e9, 1e9, 4e9), Held(0.0, 0.0, 4e9)], coming=6e9)
    1000000000.0
    """
    held = list(workers)
    each = coming / max(len(held), 1)
    return sum(max(one.managed - one.spilled + each - one.room, 0.0) for one in held)


def disk(rates: Rates) -> float:
    """Return the bytes per second that a worker writes to disk and reads back."""
    return rates.extra.get("spill_disk", DISK)


def measured(sample: Sample, recent: Mapping[str, float]) -> dict[str, float]:
    """Return what the workers' counters say, as far as they say anything; the rest is as it was.

    See `asafess.optimizations.base.Optimization.measured` for the arguments.

    Examples
    --------
    >>> sample = Sample(0.0, (), threads=4, workers=4, rates=None)
    >>> measured(sample, {"spill_written_bytes": 1e9, "spill_write_seconds": 2.0, "spill_read_bytes": 10.0})
    {'spill_write': 2e-09}
    """
    found = {name: sample.measured[name] for name in NAMES if name in sample.measured}
    looked = recent.get("spill_looked_bytes", 0.0)
    if looked > 0:
        for state in STATES:
            found[f"spill_kept_{state}"] = recent[f"spill_looked_{state}_bytes"] / looked
            found[f"spill_codec_{state}"] = recent[f"spill_looked_{state}_seconds"] / looked
    for counted, one in (("written", "write"), ("read", "read")):
        nbytes = recent.get(f"spill_{counted}_bytes", 0.0)
        if nbytes >= EVIDENCE:
            found[f"spill_{one}"] = recent[f"spill_{one}_seconds"] / nbytes
    predicted = recent.get("spill_predicted_seconds", 0.0)
    if predicted >= CODEC_EVIDENCE:
        # what is encoded now is decoded later: where nothing came back yet, it is taken for less than it is
        took = recent["spill_encode_seconds"] + recent["spill_decode_seconds"]
        found["spill_slowness"] = min(max(took / predicted, 1.0), SLOWEST)
        found["spill_slowness_time"] = sample.time
    elif "spill_slowness" in found:
        since = max(sample.time - found["spill_slowness_time"], 0.0)
        found["spill_slowness"] = 1 + (found["spill_slowness"] - 1) * math.exp(-since / FORGOTTEN)
        found["spill_slowness_time"] = sample.time
    return found


def costs(sample: Sample) -> dict[str, float] | None:
    """Return the predicted seconds by state; None while nothing is known of data that is spilled.

    Parameters
    ----------
    sample : Sample
        With rates; `sample.measured` from `measured`.

    Examples
    --------
    >>> from asafess.core.mode import Rates, Scheduled
    >>> known = {"spill_kept_off": 1.0, "spill_codec_off": 0.0, "spill_kept_mask": 0.1, "spill_codec_mask": 5e-10}
    >>> known |= {"spill_kept_general": 0.1, "spill_codec_general": 4e-9}
    >>> spilled = (Scheduled("assigned", 1, {"spill_bytes": 1e9}),)
    >>> def seconds(disk):
    ...     found = costs(Sample(0.0, spilled, 1, 1, Rates(1e9, 1e9, 1e9, {"spill_disk": disk}), measured=known))
    ...     return [round(one, 2) for one in found.values()]
    >>> seconds(1e8), seconds(4e9)
    ([10.0, 1.5, 5.0], [0.25, 0.53, 4.03])
    """
    known, load = sample.measured, total_load(sample.scheduled)
    if sample.rates is None or "spill_kept_off" not in known or SPILL not in load:
        return None
    half = 0.5 / disk(sample.rates)
    there_and_back = known.get("spill_write", half) + known.get("spill_read", half)
    nbytes, computed = load[SPILL] / sample.workers, computing(load, sample.rates) / sample.threads
    slowness = known.get("spill_slowness", 1.0)

    def seconds(state: str) -> float:
        codec = slowness * known[f"spill_codec_{state}"]
        return computed + nbytes * (known[f"spill_kept_{state}"] * there_and_back + codec)

    return {state: seconds(state) for state in STATES}
