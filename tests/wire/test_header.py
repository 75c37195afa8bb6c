import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.wire.header import ENCODINGS, SIZE, CorruptedFrameError, Header

count = st.integers(0, (1 << 64) - 1)


@given(st.sampled_from(sorted(ENCODINGS)), count, count, count, st.sampled_from([0, 1, 4, 8]))
def test_a_header_is_read_as_it_was_written_with_lengths_beyond_two_gib(encoding, nbytes, amount, check, word):
    header = Header(encoding, nbytes, amount, check, word)
    assert len(header.to_bytes()) == SIZE == 32
    assert Header.read(header.to_bytes() + b"what follows") == header
    assert Header.read(memoryview(bytearray(header.to_bytes()))) == header


def test_the_bytes_of_a_header_never_change():
    frame = Header("mask", 800, 7, 1, 8).to_bytes()
    assert frame.hex() == "6173667703010800200300000000000007000000000000000100000000000000"
    assert ENCODINGS == {"mask": 1, "lz4": 2, "zstd": 3, "zlib": 4, "nested mask": 5}


@pytest.mark.parametrize(
    ("place", "byte", "says"),
    [(0, 0, "begins with"), (4, 1, "version 1"), (5, 9, "encoding is 9"), (7, 1, "damaged")],
)
def test_what_is_no_header_is_named(place, byte, says):
    frame = bytearray(Header("mask", 800, 7, 1, 8).to_bytes())
    frame[place] = byte
    with pytest.raises(CorruptedFrameError, match=says):
        Header.read(frame)


@pytest.mark.parametrize("size", [0, 1, SIZE - 1])
def test_what_is_too_short_was_cut_off(size):
    with pytest.raises(CorruptedFrameError, match="cut off"):
        Header.read(Header("mask", 800, 7, 1, 8).to_bytes()[:size])


def test_dask_takes_it_for_a_broken_connection_and_others_for_a_wrong_value():
    assert issubclass(CorruptedFrameError, EOFError)
    assert issubclass(CorruptedFrameError, ValueError)
    assert str(pickle.loads(pickle.dumps(CorruptedFrameError("why")))) == "why"
