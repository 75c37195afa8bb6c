import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_strategies import frames

from asafess.wire import libraries, mask
from asafess.wire.header import Header
from asafess.wire.sample import LARGEST, look, pieces


def as_bytes(data):
    return np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)


@given(frames(30_000))
def test_looking_at_all_of_a_frame_says_what_encoding_it_leaves(data):
    seen = look(as_bytes(data), ["zlib"])
    for width in (8, 4, 1):
        frame = mask.encode(as_bytes(data), width, 3 * len(data) + 200)
        said = seen.kept[f"mask{width}"] * max(len(data), 1)
        if Header.read(frame).encoding == "mask":
            assert said == pytest.approx(len(frame))
        else:  # where its words lie is not known; side by side they leave less of the bits than anywhere
            assert len(frame) <= 1.1 * said + 100
            assert said <= mask.room(len(data), width, 1.0)
    assert seen.kept["zlib"] * max(len(data), 1) == pytest.approx(len(libraries.LIBRARIES["zlib"].compress(data)))
    words = as_bytes(data)[: len(data) // 8 * 8].view(np.uint64)
    assert (seen.words, seen.zeros) == (words.size, int((words == 0).sum()))


@pytest.mark.parametrize("size", [0, 100, 10_000, 50_001, 1 << 20, (1 << 24) + 5])
def test_pieces_are_a_sixteenth_at_most_and_lie_on_words(size):
    data = np.arange(-(-size // 8), dtype=np.uint64).view(np.uint8)[:size]
    part = pieces(data)
    if size < 16 * 64 * 32:
        assert part is data
        return
    assert part.size <= min(size // 16, LARGEST)
    assert part.size > min(size // 16, LARGEST) - 64 * 8
    found = part.view(np.uint64)
    assert np.unique(found).size == found.size  # no two overlap, and none is shifted
    assert found.max() < data.size // 8


@given(st.floats(0.0, 1.0), st.integers(0, 100))
@settings(max_examples=30)
def test_a_part_says_what_the_whole_would(density, seed):
    generator = np.random.default_rng(seed)
    words = generator.standard_normal(100_000)
    words[generator.random(words.size) >= density] = 0
    data = words.view(np.uint8)
    assert look(pieces(data), (), data.size).kept["mask8"] == pytest.approx(look(data).kept["mask8"], abs=0.04)


def test_pieces_are_in_step_with_no_rows_of_a_matrix():
    # every second row is full
    for columns in (64, 512, 1000, 1024, 4096):
        a = np.zeros((2_000_000 // columns, columns))
        a[::2] = 1.0
        assert look(pieces(a.ravel().view(np.uint8))).kept["mask8"] == pytest.approx(0.51, abs=0.15), columns
