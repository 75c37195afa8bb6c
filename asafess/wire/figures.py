"""What an encoding costs: seconds per byte, as figures of this process; and which of them is best on a link.

Seconds of encoding and decoding together, because both are waited for, are taken to be

    scan + copy · kept        per byte of the frame as it was

with *kept* the share of the bytes that an encoded frame has. Until they are measured here, they are those of a machine
with two cores of 2023.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from asafess.wire import libraries, mask
from asafess.wire.header import Header

#: encoding *mask*, by bytes of a word
MASKS = {"mask8": 8, "mask4": 4, "mask1": 1}
#: link before it is known, bytes per second: 1 Gbit/s
LINK = 1.25e8
#: share of the bytes that Dask allows an encoded frame to have; it sends others as they are
MOST_KEPT = 0.7
#: how many times the seconds of encoding and decoding count: figures are those of a process that is left alone, and
#: what encodes can't compute
CROWDED = 1.2
#: what is won on a link must be so much of what a frame takes as it is: predictions are no better
LEAST_GAIN = 0.1
#: another library is asked, too, if a text takes no longer than so many times what it takes with the best
NEAR = 1.25
#: bytes that are encoded to measure
SIZE, LIBRARY_SIZE = 1 << 22, 1 << 19
#: of which the quickest counts
RUNS = 5
#: the least that may be measured: no encoding is quicker than memory
LEAST = 1e-12


class Figures(NamedTuple):
    """Of one encoding, of encoding and decoding together."""

    #: seconds per byte of the frame as it was
    scan: float
    #: seconds per byte of the encoded frame
    copy: float
    #: share of the bytes of a text that are left; 1 for a mask
    text: float = 1.0

    def seconds(self, kept: float) -> float:
        """Return the seconds for each byte of a frame of which this share is kept."""
        return self.scan + self.copy * kept


DEFAULTS: dict[str, Figures] = {
    "mask8": Figures(1.0e-10, 7e-10),
    "mask4": Figures(1.2e-10, 9e-10),
    "mask1": Figures(2.0e-10, 3e-9),
    "lz4": Figures(5e-10, 4e-9, 0.5),
    "zstd": Figures(5e-10, 9e-9, 0.4),
    "zlib": Figures(4e-9, 4e-8, 0.4),
}


def best_libraries(figures: Mapping[str, Figures], link: float, can_hide: bool = False) -> tuple[str, ...]:
    """Return the libraries with which a text is soonest over the link, the best first, and those nearly as good.

    Parameters
    ----------
    figures : mapping
        Encoding → figures; masks are passed over.
    link : float
        Bytes per second.
    can_hide : bool
        Whether encoding may be hidden, see `beside`; then it is taken to be so for every other frame.

    Examples
    --------
    >>> best_libraries(DEFAULTS, 1.25e8), best_libraries(DEFAULTS, 1e7)
    (('lz4', 'zstd'), ('zstd', 'lz4'))
    >>> best_libraries(DEFAULTS, 1e9), best_libraries(DEFAULTS, 1.25e8, can_hide=True)
    (('lz4',), ('lz4', 'zstd'))
    """

    def seconds(one: Figures) -> float:
        kinds = {False, can_hide}
        return sum(_seconds(one, one.text, link, kind) for kind in kinds) / len(kinds)

    found = {name: seconds(one) for name, one in figures.items() if name not in MASKS}
    most = NEAR * min(found.values())
    return tuple(sorted((name for name, seconds in found.items() if seconds <= most), key=lambda name: found[name]))


def _seconds(one: Figures, kept: float, link: float, hidden: bool = False) -> float:
    """Return what each byte of a frame costs of which this share is kept."""
    return kept / link + beside(CROWDED * one.seconds(kept), kept, link, hidden)


def beside(codec: float, kept: float, link: float, hidden: bool) -> float:
    """Return how many of a codec's seconds for a byte come on top of those of the link.

    All of them where the link waits for it. Where encoding is hidden, because the link is busy with other messages and
    a core has nothing else to do, only what the codec is slower.

    Examples
    --------
    >>> beside(4.0, kept=0.5, link=0.25, hidden=False), beside(4.0, kept=0.5, link=0.25, hidden=True)
    (4.0, 2.0)
    """
    return max(codec - kept / link, 0.0) if hidden else codec


def choose(
    kept: Mapping[str, float],
    figures: Mapping[str, Figures],
    link: float,
    most: float = MOST_KEPT,
    hidden: bool = False,
    gain: float = 0.0,
) -> str | None:
    """Return the encoding with which a frame is over soonest; None where that is as it is.

    Encoding and decoding, `CROWDED` times, must make it later by less time than the link is spared: (1 − kept) ÷ link.
    See `beside`.

    Parameters
    ----------
    kept : mapping
        Encoding → share of the bytes that it would leave.
    figures : mapping
        Encoding → figures.
    link : float
        Bytes per second.
    most : float
        Share of the bytes that may be left.
    hidden : bool
        Whether the link has other messages to send meanwhile, and a core is idle.
    gain : float
        Share of what the frame takes as it is that must be won at least.

    Examples
    --------
    >>> choose({"mask8": 0.11, "lz4": 0.13}, DEFAULTS, link=1.25e8)
    'mask8'
    >>> choose({"mask8": 1.0, "lz4": 0.4}, DEFAULTS, link=1.25e7)
    'lz4'
    >>> choose({"mask8": 1.0, "lz4": 0.4}, DEFAULTS, link=3e8) is None
    True
    >>> choose({"mask8": 1.0, "lz4": 0.4}, DEFAULTS, link=3e8, hidden=True)
    'lz4'
    """
    best, least = None, (1 - gain) / link
    for name, share in kept.items():
        seconds = _seconds(figures[name], share, link, hidden)
        if share <= most and seconds < least:
            best, least = name, seconds
    return best


def measure() -> dict[str, Figures]:
    """Measure all encodings in this process with one thread: where little is kept and where much is, the best of runs.

    Takes about 0.5 s and 60 MB, and compiles the masks' kernels before, outside the clock.
    """
    mask.prepare()
    found: dict[str, Figures] = {}
    text = _text(LIBRARY_SIZE)
    for name, library in libraries.LIBRARIES.items():
        # nearly empty: a line through words of which 5 % are set and a text is wrong by a factor of two below them
        line = _line([_words(8, LIBRARY_SIZE, 0.01), text], partial(_compressed, name), libraries.decode)
        found[name] = line._replace(text=len(library.compress(text.data)) / text.size)
    # all of them twice: the first time the system has to find the memory (8 times as long), later it is used again
    for name, word in [*MASKS.items()] * 2:
        samples = [_words(word, SIZE, density) for density in (0.05, 0.4)]
        found[name] = _line(samples, partial(_masked, word), mask.decode)
    return found


def _masked(word: int, data: np.ndarray) -> memoryview | None:
    return mask.encode(data, word, data.size)


def _compressed(library: str, data: np.ndarray) -> bytes | None:
    return libraries.encode(data, library, data.size)


def _line(
    samples: list[np.ndarray],
    encode: Callable[[np.ndarray], Any],
    decode: Callable[[Header, Any], Any],
) -> Figures:
    """Return the line through two samples of which more and less is kept."""
    frames = [encode(data) for data in samples]
    there, back = [math.inf] * 2, [math.inf] * 2
    made: list[Any] = []  # what comes out is kept for a while, as tasks do
    for _ in range(RUNS):  # in turns, so that both meet the machine's moods
        for k, (data, frame) in enumerate(zip(samples, frames, strict=True)):
            there[k] = min(there[k], _timed(made, encode, data))
            back[k] = min(back[k], _timed(made, decode, Header.read(frame), frame))
    less, more = (len(frame) / data.size for frame, data in zip(frames, samples, strict=True))
    low, high = ((there[k] + back[k]) / data.size for k, data in enumerate(samples))
    copy = max((high - low) / (more - less), LEAST)
    return Figures(max(low - copy * less, LEAST), copy)


def _timed(made: list[Any], call: Callable[..., Any], *args: Any) -> float:
    # of this thread: what others do meanwhile, as workers that start beside this one, says nothing of the encoding
    start = time.thread_time()
    made.append(call(*args))
    return time.thread_time() - start


def _words(word: int, nbytes: int, density: float) -> np.ndarray:
    """Return random words of which about this share is not zero, as bytes."""
    generator = np.random.default_rng(0)
    words = generator.integers(1, 1 << 8 * word, nbytes // word, np.uint64).astype(mask.WORDS[word])
    words[generator.random(words.size) >= density] = 0
    return words.view(np.uint8)


def _text(nbytes: int) -> np.ndarray:
    """Return random words of letters as common as in a language (Zipf), as bytes."""
    generator = np.random.default_rng(0)
    letters = generator.integers(97, 123, (5000, 6), np.uint8)
    letters[:, 5] = 32
    return letters[np.minimum(generator.zipf(1.4, nbytes // 6), 5000) - 1].ravel()
