from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

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
def test_a_bit_that_fell_over_is_found_or_changes_nothing_and_any_wrong_length_is_found(data, name, draw):
    frame = bytearray(libraries.encode(as_bytes(data), name, 2 * len(data) + 200))
    header = Header.read(frame)
    if len(frame) > SIZE:
        place = draw.draw(st.integers(8 * SIZE, 8 * len(frame) - 1))
        frame[place // 8] ^= 1 << place % 8
        # a few bits say how something was compressed and nothing of what: without them it comes out as it was
        with suppress(CorruptedFrameError):
            assert bytes(libraries.decode(header, frame)) == data
        frame[place // 8] ^= 1 << place % 8
    for wrong in (len(data) + 1, len(data) - 1, len(data) + 70_000):
        if wrong >= 0:
            with pytest.raises(CorruptedFrameError, match="damaged"):
                libraries.decode(header._replace(nbytes=wrong), frame)
    with pytest.raises(CorruptedFrameError, match="cut off"):
        libraries.decode(header, frame[:-1])


@pytest.mark.parametrize("name", LIBRARIES)
def test_damage_within_the_data_is_found_in_each_part_of_a_large_frame(name):
    data = np.repeat(np.random.default_rng(0).integers(0, 256, 250_000, np.uint8), 8)
    frame = bytearray(libraries.encode(data, name, data.size))
    for place in range(1000, len(frame), 50_000):
        frame[place] ^= 4
        with pytest.raises(CorruptedFrameError, match="damaged"):
            libraries.decode(Header.read(frame), frame)
        frame[place] ^= 4
    assert bytes(libraries.decode(Header.read(frame), frame)) == data.tobytes()


@pytest.mark.parametrize("name", LIBRARIES)
def test_after_what_can_not_be_read_the_next_can(name):
    library = LIBRARIES[name]
    data = np.arange(20_000, dtype=np.uint16).tobytes()
    good = library.compress(data)
    for bad in (good[: len(good) // 2], b"no such thing" * 20):
        with pytest.raises(Exception, match=r"."):
            library.decompress(bad, len(data))
        assert bytes(library.decompress(good, len(data))) == data


@pytest.mark.parametrize("name", LIBRARIES)
def test_threads_do_not_get_into_each_others_way(name):
    library = LIBRARIES[name]
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 4, 300_000, np.uint8).tobytes() for _ in range(8)]

    def there_and_back(data):
        return bytes(library.decompress(library.compress(data), len(data)))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(there_and_back, frames * 4)) == frames * 4


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
