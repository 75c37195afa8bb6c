"""How long the scheduled tasks take in each state of tile compression: predicted, and corrected by measurements.

For each logical byte of a panel that moves, in seconds of one worker, in a state s::

    g(s) = kept(s) ÷ link + encode(s) + product(s) + overhead

*kept*: the share of bytes that a panel has in this state's form; workers see it on a sample of the data, in every
state. *encode*, *product*: workers time them on a sample in every form, also in those that are not active (see
`asafess.tiles.probing`). *link*: wire bytes per second, at least those that have really passed. *overhead*: what
compression does not change, as Dask's own work and waiting: the seconds in which tasks fetched data, for each logical
byte that moved, less the other terms in the state they moved in. What is not measured yet follows from the zeros of
the data and the rates of the cluster, as the thresholds do; overhead is then taken to be as long as an uncompressed
transfer, which makes the states differ less than they may.

Beside it there is the time of computing, the same in all states.
"""

from __future__ import annotations

from collections.abc import Mapping

from asafess.core.mode import Rates, Sample, computing, total_load

#: bytes of a sparse entry ÷ bytes of a dense one, for float64 with a row of one byte and a column of two
ENTRY_RATIO = 11 / 8
#: bytes of a word whose rates are measured
WORD = 8
#: worker-seconds of moving after which they are believed: reports are up to a tenth of a second late, which makes the
#: first overheads too long, as is what is taken until then
EVIDENCE = 0.3

#: share of a panel's bytes that a recoding has to save (see `asafess.tiles.door`)
LEAST_SAVING = 0.1

STATES = ("off", "light", "full")

#: what is measured: shares, seconds per logical byte, and bytes per second
NAMES = (
    *("kept_light", "kept_full", "encode_light", "encode_full"),
    *("product_off", "product_light", "product_full", "overhead", "wire"),
)


def rate(rates: Rates, name: str) -> float:
    """Return a rate of recoding and multiplying panels; what was not measured is estimated from the memory rate.

    That is of reading and writing; what only reads is about twice as fast.

    `scan`, `copy`, `sample`, `dense_product` in bytes/s, `sparse_product` in entries/s.
    """
    estimate = {"sample": 20.0, "scan": 2.0, "copy": 1.0, "dense_product": 2.0, "sparse_product": 0.2}[name]
    return rates.extra.get(name, estimate * rates.memory)


def measured(
    sample: Sample, state: str, recent: Mapping[str, float], since_switch: Mapping[str, float]
) -> dict[str, float]:
    """Return what the workers' counters say, as far as they say anything; the rest is as it was.

    See `asafess.optimizations.base.Optimization.measured` for the arguments.

    Examples
    --------
    >>> sample = Sample(0.0, (), threads=4, workers=4, rates=Rates(1e10, 1e10, 1e8))
    >>> sampled = {"sampled_bytes": 100.0, "sampled_light_bytes": 60.0, "sampled_full_bytes": 40.0}
    >>> measured(sample, "off", sampled, {})
    {'kept_light': 0.6, 'kept_full': 0.4}
    """
    found = {name: sample.measured[name] for name in NAMES if name in sample.measured}
    sampled = recent.get("sampled_bytes", 0.0)
    if sampled > 0:
        for one in STATES[1:]:
            found[f"kept_{one}"] = recent[f"sampled_{one}_bytes"] / sampled
    probed = recent.get("probed_bytes", 0.0)
    if probed > 0:
        for one in STATES:
            if one != "off":
                found[f"encode_{one}"] = recent[f"probed_encode_{one}_seconds"] / probed
            found[f"product_{one}"] = recent[f"probed_product_{one}_seconds"] / probed
    moving, moved = since_switch.get("moving_seconds", 0.0), since_switch.get("logical_bytes", 0.0)
    if moving >= EVIDENCE and moved > 0 and sample.rates is not None:
        found["wire"] = since_switch["sent_bytes"] / moving
        found["overhead"] = 0.0
        predicted = per_byte(sample.rates, sample.zeros, found)
        if predicted is not None:
            found["overhead"] = max(moving / moved - predicted[state], 0.0)
    return found


def per_byte(rates: Rates, zeros: float | None, measured: Mapping[str, float]) -> dict[str, float] | None:
    """Return g(s), the seconds of one worker for each logical byte that moves, by state; None while nothing is known.

    Examples
    --------
    >>> found = per_byte(Rates(1e10, 1e10, 1e8), 0.9, {})
    >>> [f"{1e9 * seconds:.1f} ns" for seconds in found.values()]
    ['20.1 ns', '11.4 ns', '11.4 ns']
    """
    if zeros is None and "kept_full" not in measured:
        return None
    link = max(rates.link, measured.get("wire", 0.0))
    full = 1.0 if zeros is None else min(1.0, (1 - zeros) * ENTRY_RATIO)
    product_off = measured.get("product_off", 1 / rate(rates, "dense_product"))
    overhead = measured.get("overhead", 1 / link)
    found = {"off": 1 / link + product_off + overhead}
    for state in STATES[1:]:
        kept = measured.get(f"kept_{state}", full)
        nonzeros = kept / ENTRY_RATIO
        encode = (1 - nonzeros) / rate(rates, "scan") + nonzeros / rate(rates, "copy")
        product = measured.get(f"product_{state}", nonzeros / WORD / rate(rates, "sparse_product"))
        if kept > 1 - LEAST_SAVING:  # such a panel leaves as it is, after a look
            kept, encode, product = 1.0, 1 / rate(rates, "sample"), product_off
        found[state] = kept / link + measured.get(f"encode_{state}", encode) + product + overhead
    return found


def costs(sample: Sample) -> dict[str, float] | None:
    """Return the predicted seconds of the scheduled load by state; None while nothing is known of the data.

    Parameters
    ----------
    sample : Sample
        With rates; `sample.measured` from `measured`.
    """
    if sample.rates is None:
        return None
    byte = per_byte(sample.rates, sample.zeros, sample.measured)
    if byte is None:
        return None
    rates, load = sample.rates, total_load(sample.scheduled)
    moved = load.get("communication", 0.0) / sample.workers
    computed = computing(load, rates) / sample.threads
    return {one: computed + moved * seconds for one, seconds in byte.items()}
