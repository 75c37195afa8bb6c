"""Packing words without zeros: against the same thing in NumPy, and bits that are wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asafess.kernels import reference
from asafess.kernels.mask import PACK, UNPACK

WORDS = [np.dtype("u8"), np.dtype("u4"), np.dtype("u1")]


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    for word in WORDS:
        PACK.compile(word)
        UNPACK.compile(word)


@st.composite
def words(draw):
    """Runs of groups that are empty, thin, half full and full, and a rest that fills no group."""
    word = draw(st.sampled_from(WORDS))
    shares = draw(st.lists(st.sampled_from([0.0, 0.02, 0.2, 0.3, 0.7, 1.0]), max_size=8))
    rest = draw(st.integers(0, 63))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    parts = [rng.random(64) < share for share in shares] + [rng.random(rest) < 0.5]
    nonzero = np.concatenate([*parts, np.zeros(0, bool)])
    return np.where(nonzero, rng.integers(1, np.iinfo(word).max, nonzero.size, endpoint=True, dtype=word), word.type(0))


def packed(implementation, some, room=None):
    """Return bits, what of the packed words is used, and totals."""
    bits = np.full(-(-some.size // 64), 7, np.uint64)
    out = np.full(some.size + 64 if room is None else room, 9, some.dtype)
    totals = np.full(2, 7, np.uint64)
    implementation(some, bits, out, totals)
    return bits, out[: totals[0]], totals


def unpacked(implementation, bits, out, n):
    words = np.full(n, 5, out.dtype)
    totals = np.full(2, 7, np.uint64)
    implementation(bits, out, words, totals)
    return words, totals


@given(words())
@settings(max_examples=200, deadline=None)
def test_both_directions_do_what_the_reference_does_and_undo_each_other(some):
    got, expected = packed(PACK[some.dtype], some), packed(reference.pack, some)
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    bits, out, totals = got
    for implementation in (UNPACK[some.dtype], reference.unpack):
        back, again = unpacked(implementation, bits, out, some.size)
        assert back.tobytes() == some.tobytes()
        assert again.tolist() == totals.tolist()


def test_every_bit_counts_as_something():
    some = np.array([0.0, -0.0, np.nan, np.inf, 5e-324, 0.0] * 20)
    odd = np.frombuffer(some.tobytes()[:-8] + (0x7FF8_0000_0000_BEEF).to_bytes(8, "little"), np.uint64)
    bits, out, totals = packed(PACK[np.uint64], odd)
    assert totals[0] == 20 * 4 + 1
    assert unpacked(UNPACK[np.uint64], bits, out, odd.size)[0].tobytes() == odd.tobytes()


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("n", [64, 100, 640, 650])
def test_what_does_not_fit_is_said_and_nothing_is_written_behind_the_room(word, n):
    some = np.ones(n, word)
    for room in (0, 1, 63, 64, 65, n - 1, n, n + 63):
        behind = np.full(room + 200, 9, word)
        totals = np.zeros(2, np.uint64)
        PACK[word](some, np.zeros(-(-n // 64), np.uint64), behind[:room], totals)
        # whole groups that are full use all of the last 64, a rest does not
        assert (totals[0] == n) == (room >= n if n % 64 == 0 else room >= n // 64 * 64 + 64), room
        assert totals[0] in (n, n + 1)
        assert (behind[room:] == 9).all()
    assert packed(PACK[word], some)[2][0] == n


@given(words(), st.data())
@settings(max_examples=200, deadline=None)
def test_any_one_or_two_bits_of_the_mask_that_fell_over_are_found_and_no_memory_is_touched_beyond(some, data):
    bits, out, totals = packed(PACK[some.dtype], some)
    if not bits.size:
        return
    wrong = bits.copy()
    for place in data.draw(st.sets(st.integers(0, 64 * bits.size - 1), min_size=1, max_size=2)):
        wrong[place // 64] ^= np.uint64(1 << place % 64)
    frame = np.full(some.size + 128, 5, some.dtype)
    again = np.zeros(2, np.uint64)
    UNPACK[some.dtype](wrong, out, frame[64 : 64 + some.size], again)
    assert again.tolist() != totals.tolist()
    assert (frame[:64] == 5).all()
    assert (frame[64 + some.size :] == 5).all()
    expected = unpacked(reference.unpack, wrong, out, some.size)[1]
    assert again[0] == expected[0]


def test_a_view_aligned_to_nothing_is_packed():
    some = np.arange(300, dtype=np.uint64) % 3
    shifted = np.frombuffer(b"x" + some.tobytes(), np.uint8)[1:].view(np.uint64)
    assert not shifted.flags.aligned
    assert [one.tolist() for one in packed(PACK[np.uint64], shifted)] == [
        one.tolist() for one in packed(PACK[np.uint64], some)
    ]
