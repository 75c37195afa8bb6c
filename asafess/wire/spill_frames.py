"""How a frame that is spilled is written in each state: one look at a part of it, and what follows from that.

Dask compresses a sample of 50 kB, then the frame, with the library that it is configured to use, whatever the disk is.
Here the part that is looked at says what each encoding would leave, so the disk decides. What is best left to Dask's
library is written by Dask's functions, without a header and a checksum of ours: writing and reading it costs what it
costs Dask, so *general* is behind *off* by no more than the look.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from asafess.wire import figures, libraries, mask, sample
from asafess.wire.figures import MASKS, MOST_KEPT, Figures
from asafess.wire.forecast import STATES
from asafess.wire.traffic import SAMPLE

#: bytes from which on Dask compresses a frame, and up to which
SMALLEST, LARGEST = 10_000, 1 << 31


class Known(NamedTuple):
    """What is known of encodings and disk."""

    #: encoding → figures
    figures: dict[str, Figures]
    #: bytes per second that the disk takes and gives back
    disk: float
    #: libraries of ours that come into question, the best for a text first
    libraries: tuple[str, ...]
    #: the library that Dask is configured to use, by its name in Dask
    own: str | None

    def of(self, name: str) -> Figures:
        """Return the figures of an encoding; a library that there are none of is taken to be as fast as ours."""
        return self.figures.get(name) or self.figures[self.libraries[0]]


class Look(NamedTuple):
    """What was seen of a frame."""

    #: encoding → share of the bytes that it would leave
    kept: dict[str, float]
    #: bytes that were looked at
    looked_at: int


def look(frame: np.ndarray, known: Known, state: str) -> Look:
    """Return what each encoding would leave of a frame that comes into question in a state, or, in *off*, in any.

    Parameters
    ----------
    frame : (n,) uint8
    known : Known
    state : str
    """
    from distributed.protocol.compression import compressions

    part = sample.pieces(frame)
    kept = sample.look(part, () if state == "mask" else known.libraries, frame.size).kept
    if known.own is not None and known.own not in kept and state != "mask":
        kept[known.own] = len(compressions[known.own].compress(part.data)) / max(part.size, 1)
    return Look(kept, part.size)


def choice(kept: dict[str, float], known: Known, state: str) -> str | None:
    """Return the encoding that a frame is written in; None where it stays as it is.

    Examples
    --------
    >>> known = Known(figures.DEFAULTS, 1e8, ("lz4",), "lz4")
    >>> kept = {"mask8": 0.1, "mask4": 0.12, "mask1": 0.2, "lz4": 0.15}
    >>> [choice(kept, known, state) for state in ("off", "mask", "general")]
    ['lz4', 'mask8', 'mask8']
    >>> text = {"mask8": 1.0, "mask4": 1.0, "mask1": 1.0, "lz4": 0.45}
    >>> [choice(text, known, state) for state in ("off", "mask", "general")]
    ['lz4', None, 'lz4']
    >>> [choice(text, known._replace(disk=5e9), state) for state in ("off", "mask", "general")]
    ['lz4', None, None]
    """
    own = () if known.own is None else (known.own,)
    if state == "off":
        return next((name for name in own if kept[name] <= MOST_KEPT), None)
    allowed = MASKS if state == "mask" else dict.fromkeys((*MASKS, *known.libraries, *own))
    shares = {name: kept[name] for name in allowed}
    return figures.choose(shares, {name: known.of(name) for name in shares}, known.disk)


def seconds(nbytes: int, name: str | None, share: float, known: Known) -> float:
    """Return the predicted seconds of encoding and decoding a frame of which so much is kept."""
    return 0.0 if name is None else nbytes * known.of(name).seconds(share)


def of_states(frame: np.ndarray, seen: Look, known: Known) -> dict[str, float]:
    """Return what each state would make of a frame: bytes that are left, and seconds of encoding and decoding.

    Parameters
    ----------
    frame : (n,) uint8
    seen : Look
        At it, in the state *off* or *general*.
    known : Known

    Examples
    --------
    >>> known = Known(figures.DEFAULTS, 1e8, ("zlib",), None)
    >>> zeros = np.zeros(1 << 20, np.uint8)
    >>> found = of_states(zeros, look(zeros, known, "off"), known)
    >>> found["spill_looked_bytes"], found["spill_looked_off_bytes"], round(found["spill_looked_mask_bytes"])
    (1048576.0, 1048576.0, 352)
    """
    reading = seen.looked_at * len(MASKS) * known.figures["mask8"].scan
    asked = sum(seconds(seen.looked_at, name, seen.kept[name], known) for name in seen.kept if name not in MASKS)
    dasks = 0.0 if known.own is None else seconds(SAMPLE, known.own, seen.kept[known.own], known)
    looking = {"off": dasks, "mask": reading, "general": reading + asked}
    amounts = {"spill_looked_bytes": float(frame.size)}
    for state in STATES:
        name = choice(seen.kept, known, state)
        kept = 1.0 if name is None else seen.kept[name]
        amounts[f"spill_looked_{state}_bytes"] = kept * frame.size
        amounts[f"spill_looked_{state}_seconds"] = looking[state] + seconds(frame.size, name, kept, known)
    return amounts


def encode(frame: np.ndarray, name: str, known: Known) -> Any:
    """Return a frame encoded; None where Dask would not take so much.

    Parameters
    ----------
    frame : (n,) uint8
    name : str
        From `choice`.
    known : Known

    Returns
    -------
    buffer or None
        By Dask's own library without a header.
    """
    from distributed.protocol.compression import compressions

    most = int(MOST_KEPT * frame.size)
    if name == known.own:
        made = compressions[name].compress(frame.data)
        return made if len(made) <= most else None
    return mask.encode(frame, MASKS[name], most) if name in MASKS else libraries.encode(frame, name, most)
