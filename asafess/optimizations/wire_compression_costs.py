"""How long the scheduled tasks take in each state of wire compression: predicted, and corrected by measurements.

For each logical byte that moves, in seconds of one worker, in a state s::

    g(s) = kept(s) · max(waited ÷ link, slowness · copying) + slowness · codec(s)

*kept*: the share of bytes that the state leaves, with each frame in the encoding that is best for it on this link;
*codec*: by how much encoding and decoding make it later; not by all of their seconds, while the link is busy with other
messages and a core is idle. Workers look at one frame in 16, and at one each tenth of a second, in every state, and say
what each state would make of it. *slowness*: how much longer encoding and decoding took among everything else that goes
on, than was predicted from measuring them alone; at least 1, and as it was last seen. *waited*: the share of a transfer
that tasks wait for, 1 ÷ ratio where computing takes longer than moving. *copying*: what processors take to move a byte,
where workers found no idle core; that waits for a core as computing and encoding do, and is most of a transfer between
processes of one machine.

Where nothing is encoded any more, the slowness is no longer seen. So it is forgotten within minutes: what was slow
because something else ran is tried again, and what is slow for good is not tried often.

Beside it there is the time of computing, the same in all states. The link's rate is that of a message between workers
with all that Dask does for it, so there is no overhead beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from asafess.core.mode import Sample, computing, total_load

STATES = ("off", "mask", "general")
#: seconds of encoding and decoding after which the slowness is believed
EVIDENCE = 0.02
#: the most that is believed of it: one task that stops a process for a while says nothing of the next frame
SLOWEST = 5.0
#: seconds after which a third of a slowness that is no longer seen is left
FORGOTTEN = 60.0

#: what is measured: shares, seconds per logical byte, a factor, and when that was
NAMES = (
    *(f"wire_{what}_{state}" for what in ("kept", "codec") for state in STATES[1:]),
    "wire_copying",
    "wire_slowness",
    "wire_slowness_time",
)


def measured(
    sample: Sample, state: str, recent: Mapping[str, float], since_switch: Mapping[str, float]
) -> dict[str, float]:
    """Return what the workers' counters say, as far as they say anything; the rest is as it was.

    See `asafess.optimizations.base.Optimization.measured` for the arguments.

    Examples
    --------
    >>> sample = Sample(0.0, (), threads=4, workers=4, rates=None)
    >>> sampled = {"wire_sampled_bytes": 1e6, "wire_sampled_mask_bytes": 2e5, "wire_sampled_mask_seconds": 1e-3}
    >>> sampled |= {"wire_sampled_general_bytes": 1e5, "wire_sampled_general_seconds": 3e-3}
    >>> measured(sample, "off", sampled, {})
    {'wire_copying': 0.0, 'wire_kept_mask': 0.2, 'wire_codec_mask': 1e-09, 'wire_kept_general': 0.1,
     'wire_codec_general': 3e-09}
    """
    found = {name: sample.measured[name] for name in NAMES if name in sample.measured}
    sampled = recent.get("wire_sampled_bytes", 0.0)
    if sampled > 0:
        found["wire_copying"] = recent.get("wire_sampled_copying_seconds", 0.0) / sampled
        for one in STATES[1:]:
            found[f"wire_kept_{one}"] = recent[f"wire_sampled_{one}_bytes"] / sampled
            found[f"wire_codec_{one}"] = recent[f"wire_sampled_{one}_seconds"] / sampled
    predicted = recent.get("wire_predicted_seconds", 0.0)
    if predicted >= EVIDENCE:
        took = recent["wire_encode_seconds"] + recent["wire_decode_seconds"]
        found["wire_slowness"] = min(max(took / predicted, 1.0), SLOWEST)
        found["wire_slowness_time"] = sample.time
    elif "wire_slowness" in found:
        since = max(sample.time - found["wire_slowness_time"], 0.0)
        found["wire_slowness"] = 1 + (found["wire_slowness"] - 1) * math.exp(-since / FORGOTTEN)
        found["wire_slowness_time"] = sample.time
    return found


def costs(sample: Sample) -> dict[str, float] | None:
    """Return the predicted seconds of the scheduled load by state; None while nothing is known of the data.

    Parameters
    ----------
    sample : Sample
        With rates; `sample.measured` from `measured`.

    Examples
    --------
    >>> from asafess.core.mode import Rates, Scheduled
    >>> known = {"wire_kept_mask": 0.1, "wire_codec_mask": 2e-10, "wire_kept_general": 0.1, "wire_codec_general": 2e-9}
    >>> moving = (Scheduled("move", 1, {"communication": 1e9}),)
    >>> def seconds(link):
    ...     return costs(Sample(0.0, moving, 1, 1, Rates(1e9, 1e9, link), measured=known))
    >>> [round(one, 2) for one in seconds(1e8).values()]
    [10.0, 1.2, 3.0]
    """
    known = sample.measured
    if sample.rates is None or "wire_kept_mask" not in known:
        return None
    rates, load = sample.rates, total_load(sample.scheduled)
    moved = load.get("communication", 0.0) / sample.workers
    computed, link = computing(load, rates) / sample.threads, moved / rates.link
    waited = min(1.0, link / computed) if computed else 1.0
    slowness = known.get("wire_slowness", 1.0)
    moving = max(waited * link, slowness * known.get("wire_copying", 0.0) * moved)
    found = {"off": computed + moving}
    for state in STATES[1:]:
        codec = slowness * known[f"wire_codec_{state}"] * moved
        found[state] = computed + known[f"wire_kept_{state}"] * moving + codec
    return found
