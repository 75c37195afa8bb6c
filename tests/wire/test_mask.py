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


def plain(header):
    """Return the bytes of a frame that has its bits as they are."""
    words, tail = divmod(header.nbytes, header.word)
    return SIZE + 8 * -(-words // 64) + 8 * bool(tail) + header.amount * header.word


@given(frames(20_000), words)
@settings(max_examples=200)
def test_a_frame_comes_back_bit_by_bit_and_is_as_long_as_was_said(data, word):
    frame = mask.encode(as_bytes(data), word, 3 * len(data) + 200)
    header = Header.read(frame)
    assert len(frame) < plain(header) if header.encoding == "nested mask" else len(frame) == plain(header)
    back = mask.decode(header, bytes(frame))
    assert bytes(back) == data
    assert not back.readonly


@given(frames(20_000), words, st.integers(0, 30_000))
@settings(max_examples=200)
def test_what_would_be_longer_than_it_may_is_none(data, word, most):
    needed = plain(Header.read(mask.encode(as_bytes(data), word, 3 * len(data) + 200)))
    frame = mask.encode(as_bytes(data), word, most)
    assert (frame is None) == (needed > most)


def bits_end(header, frame):
    """Return where the bits of a frame end, which a frame of bits has within it."""
    if header.encoding == "mask":
        return SIZE + 8 * -(-(header.nbytes // header.word) // 64)
    inner = Header.read(frame[SIZE:])
    tail = 8 * bool(inner.nbytes % inner.word)
    return SIZE + bits_end(inner, frame[SIZE:]) + tail + inner.amount * inner.word


@given(frames(60_000), words, st.data())
@settings(max_examples=400)
def test_a_damaged_frame_is_refused_or_differs_only_in_a_word_or_the_rest(data, word, draw):
    frame = bytearray(mask.encode(as_bytes(data), word, 3 * len(data) + 200))
    place = draw.draw(st.integers(0, 8 * min(len(frame), 3000) - 1))
    frame[place // 8] ^= 1 << place % 8
    try:
        header = Header.read(frame)
        back = bytes(mask.decode(header, frame)) if header.encoding in mask.ENCODINGS else None
    except CorruptedFrameError:
        return
    if back is not None:
        # the network's matter: no word may come to another place
        assert place // 8 >= bits_end(header, frame)
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


@pytest.mark.parametrize("word", [8, 4, 1])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.06])
def test_bits_of_which_few_are_set_leave_without_their_zeros_and_about_as_long_as_was_said(word, share):
    generator = np.random.default_rng(0)
    words = generator.integers(1, 255, 500_000, np.uint8).astype(mask.WORDS[word])
    words[generator.random(words.size) >= share] = 0
    data = words.view(np.uint8)
    frame = mask.encode(data, word, data.size)
    header = Header.read(frame)
    assert header.encoding == "nested mask"
    assert len(frame) - header.amount * word < 0.6 * words.size / 8
    assert len(frame) == pytest.approx(mask.room(data.size, word, header.amount / words.size), rel=0.02, abs=300)
    assert bytes(mask.decode(header, frame)) == data.tobytes()


def test_bits_that_are_nearly_all_zero_are_encoded_again_and_again():
    frame = mask.encode(np.zeros(64_000_000, np.uint8), 8, 64_000_000)
    # bits of 1 000 000 bytes have bits of 125 000 bytes, those of 15 632, 1 960 and 248: too few to be worthwhile
    assert len(frame) == 5 * SIZE + 248
    assert not np.frombuffer(mask.decode(Header.read(frame), frame), np.uint8).any()


def test_few_words_in_a_frame_whose_bits_are_short_have_them_as_they_are():
    frame = mask.encode(np.zeros(64_000, np.uint8), 8, 64_000)
    assert Header.read(frame).encoding == "mask"
    assert len(frame) == SIZE + 1000


@pytest.mark.parametrize("change", [{"encoding": "zlib"}, {"nbytes": 8}, {"word": 4}, {"encoding": "nested mask"}])
@pytest.mark.parametrize("size", [200_000, 640_000])  # the bits' own are as they are, or encoded once more
def test_bits_that_are_no_mask_of_their_length_are_refused(change, size):
    frame = bytearray(mask.encode(np.zeros(size, np.uint8), 8, size))
    header, inner = Header.read(frame), Header.read(frame[SIZE:])
    assert inner.encoding == ("mask" if size == 200_000 else "nested mask")
    if inner.encoding == change.get("encoding"):
        change = {"encoding": "mask"}
    frame[SIZE : 2 * SIZE] = inner._replace(**change).to_bytes()
    with pytest.raises(CorruptedFrameError):
        mask.decode(header, frame)


@pytest.mark.parametrize("size", [800, 640_000])
def test_more_than_a_frame_is_refused(size):
    frame = bytes(mask.encode(np.zeros(size, np.uint8), 8, size))
    with pytest.raises(CorruptedFrameError, match="cut off or damaged"):
        mask.decode(Header.read(frame), frame + b"x")


def test_a_sparse_array_takes_a_bit_for_each_word_and_its_non_zeros():
    a = np.zeros(64_000)
    a[::10] = -0.0
    frame = mask.encode(a.view(np.uint8), 8, a.nbytes)
    assert len(frame) == 32 + 64_000 // 8 + 8 * 6400
    back = np.frombuffer(mask.decode(Header.read(frame), frame))
    assert np.signbit(back).tolist() == np.signbit(a).tolist()
