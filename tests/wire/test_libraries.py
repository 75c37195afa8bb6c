import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_strategies import frames

from asafess.wire import libraries
from asafess.wire.header import SIZE, CorruptedFrameError, Header
from asafess.wire.libraries import LIBRARIES

names = st.sampled_from(sorted(LIBRARIES))


def as_bytes(data):
    return np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)


@given(frames(50_000), names)
def test_a_frame_comes_back_bit_by_bit_in_a_writable_buffer(data, name):
    frame = libraries.encode(as_bytes(data), name, 2 * len(data) + 200)
    back = libraries.decode(Header.read(frame), memoryview(frame))
    assert bytes(back) == data
    assert not memoryview(back).readonly


@given(frames(5_000), names, st.data())
@settings(max_examples=300)
def test_any_bit_that_fell_over_behind_the_header_and_any_wrong_length_is_found(data, name, draw):
    frame = bytearray(libraries.encode(as_bytes(data), name, 2 * len(data) + 200))
    header = Header.read(frame)
    if len(frame) > SIZE:
        place = draw.draw(st.integers(8 * SIZE, 8 * len(frame) - 1))
        frame[place // 8] ^= 1 << place % 8
        with pytest.raises(CorruptedFrameError, match="checksum"):
            libraries.decode(header, frame)
        frame[place // 8] ^= 1 << place % 8
    for wrong in (len(data) + 1, len(data) - 1, len(data) + 70_000):
        if wrong >= 0:
            with pytest.raises(CorruptedFrameError, match="damaged"):
                libraries.decode(header._replace(nbytes=wrong), frame)
    with pytest.raises(CorruptedFrameError, match="cut off"):
        libraries.decode(header, frame[:-1])


def test_what_does_not_shrink_enough_is_none():
    noise = np.random.default_rng(0).integers(0, 256, 10_000, np.uint8)
    for name in LIBRARIES:
        assert libraries.encode(noise, name, 9_000) is None


def test_a_library_that_is_not_installed_is_named_and_is_no_damage(monkeypatch):
    frame = libraries.encode(np.zeros(1000, np.uint8), "zlib", 1000)
    monkeypatch.delitem(LIBRARIES, "zlib")
    with pytest.raises(ValueError, match="compressed with zlib, which is not installed here") as caught:
        libraries.decode(Header.read(frame), frame)
    assert not isinstance(caught.value, CorruptedFrameError)


def test_zlib_is_always_there():
    assert "zlib" in LIBRARIES
