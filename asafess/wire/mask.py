"""The encoding *mask*: a bit for each word, and the words that are not zero.

Behind the header: the bits in whole 8-byte words, the bytes behind the last whole word filled up to 8, the packed
words. Where few words are not zero the bits are most of a frame, and nearly all of them zero, too: then they are a
frame of this encoding themselves, of bytes, with a header of its own (*nested mask*).

A damaged header, length or bit is found when a frame is decoded, so no word comes to a wrong place. The packed words
themselves arrive as the network brings them, as in a frame that is not encoded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from asafess.wire.header import SIZE, CorruptedFrameError, Header

#: how the header names frames of this module
ENCODINGS = ("mask", "nested mask")
#: what words may be, by their bytes
WORDS: dict[int, np.dtype[Any]] = {8: np.dtype("u8"), 4: np.dtype("u4"), 1: np.dtype("u1")}
#: words for which there is one word of bits; the packing kernel wants room for as many more
_GROUP = 64
#: bits are encoded themselves if at most one word in so many is not zero, and they have at least so many bytes: 10 µs
#: that spare a link of 1 Gbit/s as many
SPARSE, LEAST_BITS = 16, 1024


def prepare() -> None:
    """Import and compile the kernels; takes about a second for each kind of word."""
    from asafess.kernels.mask import PACK, UNPACK
    from asafess.kernels.nonzero import COUNT

    COUNT.compile()
    for word in WORDS.values():
        PACK.compile(word)
        UNPACK.compile(word)


def nonzero(data: np.ndarray) -> dict[int, int]:
    """Count the words that are not zero, by the bytes of a word.

    Parameters
    ----------
    data : (n,) uint8
        At most some 64 kB: no other thread runs Python meanwhile.

    Examples
    --------
    >>> nonzero(np.array([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 9], np.uint8))
    {8: 1, 4: 2, 1: 3}
    """
    from asafess.kernels.nonzero import COUNT

    found = np.empty(3, np.int64)
    whole = data.size - data.size % 8
    COUNT[()](data[:whole].view(np.uint64), found)
    eights, fours, ones = found.tolist()
    tail = data[whole:].tobytes()
    return {8: eights, 4: fours + (len(tail) >= 4 and any(tail[:4])), 1: ones + len(tail) - tail.count(0)}


def room(nbytes: int, word: int, share: float = 0.0) -> float:
    """Return the bytes of an encoded frame in which this share of the words is not zero, wherever they lie.

    Examples
    --------
    >>> room(6400, 8), room(6400, 8, 0.5)
    (136, 3336)
    >>> room(800_000, 8), round(room(800_000, 8, 0.01))  # with all bits 20 536
    (296, 10598)
    """
    words, tail = divmod(nbytes, word)
    bits = 8 * -(-words // _GROUP)
    left: float = bits
    if _nests(share * words, words, bits):
        left = min(bits, room(bits, 1, 1 - (1 - share) ** 8))
    return SIZE + left + 8 * bool(tail) + word * round(share * words)


def _nests(count: float, words: int, bits: int) -> bool:
    """Say whether it is tried to encode the bits of words of which so many are not zero."""
    return bits >= LEAST_BITS and count * SPARSE <= words


def encode(data: np.ndarray, word: int, most: int) -> memoryview | None:
    """Encode bytes.

    Parameters
    ----------
    data : (n,) uint8
        Aligned to anything, writable or not.
    word : int
        Bytes of a word: 8, 4 or 1.
    most : int
        Bytes that the encoded frame may have while its bits are as they are.

    Returns
    -------
    memoryview or None
        The frame, writable; None when it would have more than `most` bytes.

    Examples
    --------
    >>> prepare()
    >>> frame = encode(np.zeros(6400, np.uint8), 8, 6400)
    >>> len(frame), decode(Header.read(frame), frame) == bytes(6400)
    (136, True)
    >>> encode(np.ones(6400, np.uint8), 8, 6400) is None
    True
    """
    from asafess.kernels.mask import PACK

    kind = WORDS[word]
    tail = data.size % word
    words = data[: data.size - tail].view(kind)
    bits_end = SIZE + 8 * -(-words.size // _GROUP)
    begin = bits_end + 8 * bool(tail)
    fit = (most - begin) // word
    if fit < 0:
        return None
    # pages that nothing is written to take no memory
    out = np.empty(begin + (min(fit, words.size) + _GROUP) * word, np.uint8)
    totals = np.empty(2, np.uint64)
    PACK[kind](words, out[SIZE:bits_end].view(np.uint64), out[begin:].view(kind), totals)
    count, check = map(int, totals)
    if count > min(fit, words.size):
        return None
    if tail:
        out[bits_end:begin] = 0
        out[bits_end : bits_end + tail] = data[data.size - tail :]
    header = Header("mask", data.size, count, check ^ data.size, word)
    end = begin + count * word
    if _nests(count, words.size, bits_end - SIZE):
        bits = encode(out[SIZE:bits_end], 1, bits_end - SIZE)
        if bits is not None:
            nested = header._replace(encoding="nested mask").to_bytes()
            return memoryview(bytearray().join((nested, bits, out[bits_end:end].data)))
    out[:SIZE] = np.frombuffer(header.to_bytes(), np.uint8)
    return out[:end].data


def decode(header: Header, frame: Any) -> memoryview:
    """Decode a frame.

    Parameters
    ----------
    header : Header
        Of the frame.
    frame : buffer
        All of it.

    Returns
    -------
    memoryview
        Writable.

    Raises
    ------
    CorruptedFrameError
        Its parts do not fit together: nothing is read or written outside of them.
    """
    data = np.frombuffer(frame, np.uint8)
    out, end = _read(header, data)
    if end != data.size:
        raise CorruptedFrameError(f"the frame has {data.size} bytes, by its header {end}: cut off or damaged")
    return out.data


def _read(header: Header, data: np.ndarray) -> tuple[np.ndarray, int]:
    """Decode the frame that data begins with, and return where it ends, too."""
    from asafess.kernels.mask import UNPACK

    if header.word not in WORDS:
        raise CorruptedFrameError(f"the frame has words of {header.word} bytes; there are such of 8, 4 and 1: damaged")
    words, tail = divmod(header.nbytes, header.word)
    bits_end = 8 * -(-words // _GROUP)
    if header.encoding == "nested mask":
        inner = Header.read(data[SIZE:].data)
        if inner.encoding not in ENCODINGS or inner.nbytes != bits_end:
            raise CorruptedFrameError(f"the frame's bits are no mask of {bits_end} bytes: damaged")
        bits, bits_end = _read(inner, data[SIZE:])
    else:
        bits = data[SIZE : SIZE + bits_end]
    bits_end += SIZE
    begin = bits_end + 8 * bool(tail)
    end = begin + header.amount * header.word
    if data.size < end:
        raise CorruptedFrameError(f"the frame has {data.size} bytes, by its header {end}: cut off or damaged")
    kind = WORDS[header.word]
    out = np.empty(header.nbytes, np.uint8)
    totals = np.empty(2, np.uint64)
    UNPACK[kind](bits.view(np.uint64), data[begin:end].view(kind), out[: words * header.word].view(kind), totals)
    if int(totals[0]) != header.amount:
        raise CorruptedFrameError(f"the frame's bits do not stand for the {header.amount} words that follow: damaged")
    if int(totals[1]) ^ header.nbytes != header.check:
        raise CorruptedFrameError("the frame's bits and length do not fit their check: damaged")
    out[header.nbytes - tail :] = data[bits_end : bits_end + tail]
    return out, end
