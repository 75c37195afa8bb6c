"""What stands before an encoded frame: how it was written, so that reading depends on nothing else.

Layout, little-endian: magic (4 bytes), version (1), encoding (1), bytes of a word (1), zero (1), bytes of the frame as
it was (8), `amount` (8), `check` (8). Lengths are 64-bit.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

MAGIC = b"asfw"
VERSION = 3
_LAYOUT = struct.Struct("<4s4B3Q")
#: bytes of a header
SIZE = _LAYOUT.size

#: encoding → its number, which never changes
ENCODINGS = {"mask": 1, "lz4": 2, "zstd": 3, "zlib": 4, "nested mask": 5}
_NAMES = {number: name for name, number in ENCODINGS.items()}


class CorruptedFrameError(ValueError, EOFError):
    """A frame that is not what an encoder has written.

    Dask takes an `EOFError` while it reads for a broken connection, and asks again; any other error would be that of
    the task which wants the data.
    """


class Header(NamedTuple):
    """How a frame was written."""

    #: one of `ENCODINGS`
    encoding: str
    #: bytes of the frame before it was encoded
    nbytes: int
    #: masks: words that are not zero; otherwise bytes of the library's output
    amount: int
    #: masks: over bits and length; otherwise 0: the library's output has its own
    check: int = 0
    #: masks: bytes of a word; otherwise 0
    word: int = 0

    def to_bytes(self) -> bytes:
        """Return the header as it is written.

        Examples
        --------
        >>> header = Header("mask", nbytes=800, amount=7, check=1, word=8)
        >>> Header.read(header.to_bytes()) == header
        True
        """
        number = ENCODINGS[self.encoding]
        return _LAYOUT.pack(MAGIC, VERSION, number, self.word, 0, self.nbytes, self.amount, self.check)

    @classmethod
    def read(cls, frame: bytes | bytearray | memoryview) -> Header:
        """Read the header of a frame.

        Raises
        ------
        CorruptedFrameError
            The frame does not begin with one that this version reads.

        Examples
        --------
        >>> Header.read(b"anything else, and long enough for a header")
        Traceback (most recent call last):
        ...
        asafess.wire.header.CorruptedFrameError: the frame begins with b'anyt', ...
        """
        if len(frame) < SIZE:
            raise CorruptedFrameError(f"the frame has {len(frame)} bytes, its header alone {SIZE}: it was cut off")
        magic, version, number, word, zero, nbytes, amount, check = _LAYOUT.unpack_from(frame)
        if magic != MAGIC:
            raise CorruptedFrameError(
                f"the frame begins with {magic!r}, not with {MAGIC!r}: no frame of asafess, or damaged"
            )
        if version != VERSION:
            raise CorruptedFrameError(
                f"the frame is of version {version}, this process reads {VERSION}: use one version of asafess"
            )
        if number not in _NAMES or zero:
            raise CorruptedFrameError(f"the frame's encoding is {number}; known are 1 to {max(_NAMES)}: damaged")
        return cls(_NAMES[number], nbytes, amount, check, word)
