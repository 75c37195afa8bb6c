import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_strategies import frames

from asafess.wire import mask
from asafess.wire.header import SIZE, CorruptedFrameError, Header

words = st.sampled_from([8, 4, 1])


def as_bytes(data):
    return np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)


@given(frames(20_000), words)
@settings(max_examples=200)
def test_a_frame_comes_back_bit_by_bit_and_is_as_long_as_was_said(data, word):
    frame = mask.encode(as_bytes(data), word, 3 * len(data) + 200)
    header = Header.read(frame)
    assert len(frame) == mask.room(len(data), word) + header.amount * word
    back = mask.decode(header, bytes(frame))
    assert bytes(back) == data
    assert not back.readonly


@given(frames(20_000), words, st.integers(0, 30_000))
@settings(max_examples=200)
def test_what_would_be_longer_than_it_may_is_none(data, word, most):
    needed = len(mask.encode(as_bytes(data), word, 3 * len(data) + 200))
    frame = mask.encode(as_bytes(data), word, most)
    assert (frame is None) == (needed > most)


@given(frames(20_000), words, st.data())
@settings(max_examples=300)
def test_a_damaged_frame_is_refused_or_differs_only_in_a_word_or_the_rest(data, word, draw):
    frame = bytearray(mask.encode(as_bytes(data), word, 3 * len(data) + 200))
    place = draw.draw(st.integers(0, 8 * min(len(frame), 2000) - 1))
    frame[place // 8] ^= 1 << place % 8
    try:
        header = Header.read(frame)
        back = bytes(mask.decode(header, frame)) if header.encoding == "mask" else None
    except CorruptedFrameError:
        return
    if back is not None:
        # the network's matter: no word may come to another place
        assert place // 8 >= SIZE + 8 * -(-(len(data) // word) // 64)
        assert len(back) == len(data)
        differing = np.flatnonzero(as_bytes(back) != as_bytes(data))
        assert differing.size <= 1


@given(frames(20_000), words, st.integers(1, 100))
def test_a_frame_that_was_cut_off_is_refused(data, word, cut):
    frame = bytes(mask.encode(as_bytes(data), word, 3 * len(data) + 200))
    with pytest.raises(CorruptedFrameError, match=r"cut off|damaged"):
        mask.decode(Header.read(frame), frame[: max(len(frame) - cut, SIZE - 1)])


def test_a_word_of_another_width_is_refused():
    frame = bytearray(mask.encode(np.zeros(800, np.uint8), 8, 800))
    frame[6] = 3
    with pytest.raises(CorruptedFrameError, match="words of 3 bytes"):
        mask.decode(Header.read(frame), frame)


def test_a_header_that_promises_more_than_there_is_takes_no_memory():
    header = Header("mask", 1 << 60, 0, 0, 8)
    with pytest.raises(CorruptedFrameError, match="by its header"):
        mask.decode(header, header.to_bytes())


def test_a_sparse_array_takes_a_bit_for_each_word_and_its_non_zeros():
    a = np.zeros(64_000)
    a[::10] = -0.0
    frame = mask.encode(a.view(np.uint8), 8, a.nbytes)
    assert len(frame) == 32 + 64_000 // 8 + 8 * 6400
    back = np.frombuffer(mask.decode(Header.read(frame), frame))
    assert np.signbit(back).tolist() == np.signbit(a).tolist()
