"""Which encoding a state gives a frame, and what each state would make of the data that leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from asafess.wire.figures import LEAST_GAIN, MASKS, Figures, beside, choose
from asafess.wire.sample import Look
from asafess.wire.sockets import COPYING
from asafess.wire.traffic import SAMPLE

#: *mask*: words without zeros; *general*: a library too
STATES = ("off", "mask", "general")


class Active(NamedTuple):
    """How frames leave at present."""

    state: str
    #: bytes per second
    link: float
    figures: dict[str, Figures]
    #: of the installed libraries those that are nearly as good as the best for a text on this link, which is the first
    libraries: tuple[str, ...]
    #: with the first something could be won on this link, at least where encoding is hidden
    library_pays: bool
    #: seconds of processors to move a byte; see `asafess.wire.sockets`
    copying: float = COPYING


def choice(kept: Mapping[str, float], active: Active, state: str, hidden: bool) -> str | None:
    """Return the encoding that a state gives a frame of which so much would be kept; None: it leaves as it is.

    Examples
    --------
    >>> from asafess.wire.figures import DEFAULTS
    >>> active = Active("mask", 1.25e8, DEFAULTS, ("lz4",), True)
    >>> kept = {"mask8": 0.6, "lz4": 0.3}
    >>> choice(kept, active, "mask", False), choice(kept, active, "general", False)
    ('mask8', 'lz4')
    """
    allowed: Iterable[str] = MASKS if state == "mask" else (*MASKS, *active.libraries)
    shares = {name: kept[name] for name in allowed if name in kept}
    return choose(shares, active.figures, active.link, hidden=hidden, gain=LEAST_GAIN)


def amounts(
    seen: Look, nbytes: float, looked_at: int, active: Active, hidden_share: float, crowded_share: float
) -> dict[str, float]:
    """Return what a frame adds to the counters of what was sampled.

    Parameters
    ----------
    seen : Look
    nbytes, looked_at : float, int
        Bytes of the frame, and of those the ones that were looked at beside Dask's sample.
    active : Active
    hidden_share : float
        Share of the frames of which encoding is hidden behind other messages.
    crowded_share : float
        Share of the frames that find no idle core.

    Examples
    --------
    >>> from asafess.wire.figures import DEFAULTS
    >>> active = Active("off", 1.25e8, DEFAULTS, ("lz4",), True)
    >>> found = amounts(Look(8192, 0, {"mask8": 1.02, "lz4": 0.5}), 1e6, 65536, active, 0.0, 1.0)
    >>> found["wire_sampled_bytes"], found["wire_sampled_mask_bytes"], found["wire_sampled_general_bytes"]
    (1000000.0, 1000000.0, 500000.0)
    """
    found = {"wire_sampled_words": seen.words, "wire_sampled_zeros": seen.zeros, "wire_sampled_bytes": nbytes}
    # looking reads Dask's sample and ours, in words of three sizes
    reading = (SAMPLE + looked_at) * len(MASKS) * active.figures["mask8"].scan
    found["wire_sampled_copying_seconds"] = crowded_share * nbytes * active.copying
    for state in STATES[1:]:
        left, seconds = 0.0, reading
        for is_hidden, share in ((True, hidden_share), (False, 1 - hidden_share)):
            name = choice(seen.kept, active, state, is_hidden)
            kept = 1.0 if name is None else seen.kept[name]
            codec = 0.0 if name is None else active.figures[name].seconds(kept)
            left += share * kept * nbytes
            seconds += share * nbytes * beside(codec, kept, active.link, is_hidden)
        if state == "general":  # looking is compressing
            asked = [name for name in active.libraries if name in seen.kept]
            seconds += sum(looked_at * active.figures[name].seconds(seen.kept[name]) for name in asked)
        found[f"wire_sampled_{state}_bytes"] = left
        found[f"wire_sampled_{state}_seconds"] = seconds
    return found
