import logging

import numpy as np
import pytest
from distributed.protocol.compression import Compression, compressions, maybe_compress
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_strategies import FAST, SLOW, codec, frames, sparse, text

from asafess.wire import figures, mask
from asafess.wire.codec import Codec
from asafess.wire.encoder import EVERY
from asafess.wire.figures import MASKS, MOST_KEPT
from asafess.wire.forecast import STATES
from asafess.wire.header import CorruptedFrameError, Header
from asafess.wire.libraries import LIBRARIES
from asafess.wire.traffic import SAMPLE


@given(frames(), st.sampled_from(STATES), st.sampled_from([SLOW, 1e8, FAST]))
@settings(max_examples=150)
def test_whatever_comes_in_comes_out_and_is_encoded_only_if_dask_will_take_it(data, state, link):
    one = codec(state, link)
    sent = one.compress(data)
    if sent is not data:
        assert len(sent) <= MOST_KEPT * len(data)
        assert bytes(one.decompress(sent)) == data
    assert one.counters()["wire_faults"] == 0


@given(frames(), st.lists(st.sampled_from(STATES), min_size=1, max_size=6))
@settings(max_examples=60)
def test_through_dask_any_sequence_of_states_gives_the_same_bits(data, states):
    one = codec()
    compressions["asafess-test"] = Compression("asafess-test", one.compress, one.decompress)
    try:
        for state in states:
            one.set_state(state)
            name, frame = maybe_compress(data, compression="asafess-test")
            assert bytes(compressions[name].decompress(frame)) == data
            assert name is None or len(frame) <= MOST_KEPT * len(data)
    finally:
        del compressions["asafess-test"]


def test_off_returns_its_input_except_a_sample_now_and_then():
    one = codec("off")
    piece, frame = sparse(SAMPLE).data, sparse(SAMPLE + 8).data
    replies = [one.compress(piece) for _ in range(4 * EVERY)]
    assert sum(reply is not piece for reply in replies) == 4
    assert all(one.compress(frame) is frame for _ in range(100))


def test_a_small_frame_is_never_sent_encoded_while_off():
    """Dask asks twice for each frame: what it shows first may be answered, what it sends not."""
    one = codec("off")
    compressions["asafess-test"] = Compression("asafess-test", one.compress, one.decompress)
    try:
        for nbytes in (12_000, 49_000, 400_000):
            data = sparse(nbytes).tobytes()
            assert all(maybe_compress(data, compression="asafess-test")[0] is None for _ in range(5 * EVERY))
    finally:
        del compressions["asafess-test"]


@pytest.mark.parametrize("density", [0.01, 0.1, 0.3, 0.5])
def test_dasks_sample_of_doubles_is_taken_although_its_pieces_lie_anywhere(density):
    one = codec("mask")
    compressions["asafess-test"] = Compression("asafess-test", one.compress, one.decompress)
    try:
        for seed in range(20):
            data = sparse(400_000, density, seed)
            name, frame = maybe_compress(data.data.cast("B"), compression="asafess-test")
            assert name == "asafess-test"
            assert len(frame) < (density + 0.03) * data.nbytes
    finally:
        del compressions["asafess-test"]


def test_the_encoding_follows_the_data():
    one = codec("general")
    for data, expected in (
        (sparse(400_000), ("mask", 8)),
        (sparse(400_000).astype("float32"), ("mask", 4)),
        (np.random.default_rng(0).integers(0, 256, 400_000, np.uint8), None),
        (text(400_000), (one.library, 0)),
    ):
        sent = one.compress(data)
        header = None if sent is data else Header.read(sent)
        # a slow link: what leaves less may also be a library
        found = header and (header.encoding, header.word)
        assert found == expected or (expected and found == (one.library, 0)), expected
    one.set_state("mask")
    data = text(400_000)
    assert one.compress(data) is data


def test_on_a_fast_link_nothing_is_encoded_and_on_a_slow_one_it_is():
    data = sparse(400_000)
    for state in ("mask", "general"):
        assert codec(state, FAST).compress(data) is data
        assert codec(state, SLOW).compress(data) is not data


def test_before_the_kernels_are_compiled_all_frames_leave_as_they_are():
    one = Codec()
    one.set_state("mask")
    data = sparse(400_000)
    assert one.compress(data) is data
    one.prepare()
    assert one.compress(data) is not data


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("nbytes", [20_000, 400_000])
def test_read_only_and_shifted_buffers_are_taken_and_stay_as_they_are(state, nbytes):
    one = codec(state)
    data = sparse(nbytes)
    data.flags.writeable = False
    shifted = memoryview(b"x" + data.tobytes())[1:]
    for given_data in (data.data, shifted, bytes(shifted), bytearray(shifted)):
        before = bytes(given_data)
        sent = one.compress(given_data)
        assert bytes(given_data) == before
        if sent is not given_data:
            assert bytes(one.decompress(sent)) == before


def test_a_buffer_that_is_not_contiguous_leaves_as_it_is():
    one = codec()
    data = sparse(1_600_000)[::2].data
    assert one.compress(data) is data


def test_a_fault_sends_raw_is_counted_and_said_once(caplog, monkeypatch):
    one = codec()
    monkeypatch.setattr(mask, "encode", None)
    data = sparse(400_000)
    with caplog.at_level(logging.WARNING, logger="asafess.wire"):
        assert all(one.compress(data) is data for _ in range(3))
    assert one.counters()["wire_faults"] == 3
    assert [record.message.split()[0] for record in caplog.records] == ["asafess.wire.fault"]


def test_counters_say_what_left_and_what_came():
    one = codec()
    data = sparse(800_000)
    sent = one.compress(data)
    one.decompress(sent)
    noise = np.random.default_rng(0).standard_normal(100_000)
    assert one.compress(noise) is noise
    found = one.counters()
    assert found["wire_encoded_frames"] == found["wire_decoded_frames"] == found["wire_raw_frames"] == 1
    assert found["wire_logical_bytes"] == found["wire_decoded_bytes"] == data.nbytes
    assert found["wire_sent_bytes"] == len(sent)
    assert found["wire_encode_seconds"] > 0 < found["wire_decode_seconds"]
    assert found["wire_predicted_seconds"] > 0


def test_damaged_frames_are_counted():
    one = codec()
    with pytest.raises(CorruptedFrameError):
        one.decompress(b"no frame")
    assert one.counters()["wire_corrupted_frames"] == 1


def test_measuring_replaces_the_figures_and_changes_no_state():
    one = codec("mask", 1e7)
    before = one._active
    measured = one.measure()
    assert one._active.figures == measured != before.figures
    assert (one.state, one._active.link) == ("mask", 1e7)
    assert one.library == figures.best_libraries(measured, 1e7)[0]
    assert set(measured) == {*MASKS, *LIBRARIES}


@pytest.mark.parametrize("wrong", ["on", "", None])
def test_an_unknown_state_is_named_and_changes_nothing(wrong):
    one = codec("general")
    with pytest.raises(ValueError, match="allowed are off, mask, general"):
        one.set_state(wrong)
    assert one.state == "general"


@pytest.mark.parametrize("wrong", [0, -1.0, float("nan")])
def test_a_link_without_a_rate_is_refused(wrong):
    one = codec("mask", 1e7)
    with pytest.raises(ValueError, match="above 0"):
        one.set_link(wrong)
    assert one._active.link == 1e7
