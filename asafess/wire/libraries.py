"""The general encodings: well-kept libraries, as far as they are installed.

lz4 and zstandard are optional; zlib comes with Python, and pays only where a link is slow. Each writes the checksums of
its format while it compresses. One of ours behind that would take time, and in a busy process more than its own: each
further call gives Python's lock away, and threads keep it for milliseconds.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from asafess.wire.header import SIZE, CorruptedFrameError, Header


class Library(NamedTuple):
    """One way to compress."""

    #: buffer → compressed bytes, with a checksum
    compress: Callable[[Any], bytes]
    #: compressed buffer, bytes that come out → these, writable; raises on anything else
    decompress: Callable[[Any, int], Any]


def _unzip(data: Any, nbytes: int) -> bytearray:
    return bytearray(zlib.decompress(data, bufsize=max(nbytes, 1)))


#: encoding → library, of those that are installed
LIBRARIES: dict[str, Library] = {"zlib": Library(lambda data: zlib.compress(data, 1), _unzip)}

with suppress(ImportError):
    import lz4.frame

    LIBRARIES["lz4"] = Library(
        lambda data: lz4.frame.compress(data, block_size=lz4.frame.BLOCKSIZE_MAX256KB, block_checksum=True),
        lambda data, nbytes: lz4.frame.decompress(data, return_bytearray=True),
    )

with suppress(ImportError):
    import zstandard

    class _Contexts(threading.local):
        """Those of a thread, which may not be shared; to make one takes as long as to compress 100 kB."""

        def __init__(self) -> None:
            self.compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
            self.decompressor = zstandard.ZstdDecompressor()

    _contexts = _Contexts()

    def _zstd(data: Any) -> bytes:
        return _contexts.compressor.compress(data)

    def _unzstd(data: Any, nbytes: int) -> memoryview:
        out = np.empty(nbytes, np.uint8)
        with _contexts.decompressor.stream_reader(data) as reader:
            filled = 0
            while filled < nbytes and (more := reader.readinto(out[filled:])):
                filled += more
            if filled < nbytes or reader.read(1):
                raise ValueError(f"{filled} bytes came out, or more than {nbytes}")
        return out.data

    LIBRARIES["zstd"] = Library(_zstd, _unzstd)


def encode(data: np.ndarray, library: str, most: int) -> bytes | None:
    """Encode bytes.

    Parameters
    ----------
    data : (n,) uint8
    library : str
        One of `LIBRARIES`.
    most : int
        Bytes that the encoded frame may have.

    Returns
    -------
    bytes or None
        The frame; None when it would have more than `most` bytes.

    Examples
    --------
    >>> frame = encode(np.zeros(6400, np.uint8), "zlib", 6400)
    >>> decode(Header.read(frame), frame) == bytes(6400)
    True
    """
    compressed = LIBRARIES[library].compress(data.data)
    if SIZE + len(compressed) > most:
        return None
    return b"".join((Header(library, data.size, len(compressed)).to_bytes(), compressed))


def decode(header: Header, frame: Any) -> Any:
    """Decode a frame.

    Parameters
    ----------
    header : Header
        Of the frame.
    frame : buffer
        All of it.

    Returns
    -------
    buffer
        Writable.

    Raises
    ------
    CorruptedFrameError
        It is not what the library has written.
    ValueError
        The library is not installed here.
    """
    library = LIBRARIES.get(header.encoding)
    if library is None:
        raise ValueError(
            f"a frame was compressed with {header.encoding}, which is not installed here; here are "
            f"{', '.join(sorted(LIBRARIES))}: install it on all workers"
        )
    expected = SIZE + header.amount
    if len(frame) != expected:
        raise CorruptedFrameError(f"the frame has {len(frame)} bytes, by its header {expected}: cut off or damaged")
    compressed = memoryview(frame)[SIZE:]
    try:
        out = library.decompress(compressed, header.nbytes)
    except Exception as error:  # each library has errors of its own
        raise CorruptedFrameError(f"{header.encoding} can't read the frame ({error}): damaged") from error
    if len(out) != header.nbytes:
        raise CorruptedFrameError(f"{len(out)} bytes came out of the frame, by its header {header.nbytes}: damaged")
    return out
