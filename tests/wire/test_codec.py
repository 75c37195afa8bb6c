import logging
import random
from contextvars import copy_context

import numpy as np
import pytest
from distributed.protocol.compression import Compression, compressions, maybe_compress
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_strategies import frames

from asafess.wire import figures, mask, sample
from asafess.wire.backlog import FASTER, Backlog
from asafess.wire.codec import EVERY, HOPELESS, LOOK_AGAIN, Codec
from asafess.wire.figures import MASKS, MOST_KEPT
from asafess.wire.forecast import STATES
from asafess.wire.header import CorruptedFrameError, Header
from asafess.wire.libraries import LIBRARIES
from asafess.wire.traffic import SAMPLE, TYPICAL

SLOW, FAST = 1e6, 1e13


def codec(state="mask", link=SLOW):
    made = Codec(clock=lambda: 0.0)
    made.prepare()
    made.set_link(link)
    made.set_state(state)
    return made


def sparse(nbytes, density=0.1, seed=0):
    generator = np.random.default_rng(seed)
    words = generator.standard_normal(nbytes // 8)
    words[generator.random(words.size) >= density] = 0
    return words


def text(nbytes):
    return b" ".join(np.random.default_rng(0).choice([b"tile", b"panel", b"mode"], nbytes // 5))


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


def test_what_the_data_is_like_is_said_the_same_in_every_state():
    found = {}
    for state in STATES:
        one = codec(state, 1e7)
        compressions["asafess-test"] = Compression("asafess-test", one.compress, one.decompress)
        for seed in range(2 * EVERY):
            maybe_compress(sparse(400_000, seed=seed).data.cast("B"), compression="asafess-test")
        del compressions["asafess-test"]
        found[state] = {name: value for name, value in one.counters().items() if "sampled" in name}
    assert found["off"] == found["mask"] == found["general"]
    assert found["off"]["wire_sampled_bytes"] == 2 * 400_000
    assert found["off"]["wire_sampled_zeros"] == pytest.approx(0.9 * found["off"]["wire_sampled_words"], rel=0.02)
    assert found["off"]["wire_sampled_mask_bytes"] == pytest.approx(0.116 * 800_000, rel=0.1)


def test_data_that_dask_does_not_show_whole_counts_as_incompressible_of_typical_size():
    one = codec("mask")
    noise = np.random.default_rng(0).integers(1, 256, SAMPLE, np.uint8)
    assert one.compress(noise) is noise
    found = one.counters()
    assert found["wire_sampled_bytes"] == found["wire_sampled_mask_bytes"] == found["wire_sampled_general_bytes"]
    assert found["wire_sampled_bytes"] == TYPICAL
    assert found["wire_sampled_mask_seconds"] > 0  # looking costs something


def test_a_text_is_known_to_be_one_while_only_the_mask_is_on():
    one = codec("mask")
    compressions["asafess-test"] = Compression("asafess-test", one.compress, one.decompress)
    try:
        assert maybe_compress(text(400_000), compression="asafess-test")[0] is None
    finally:
        del compressions["asafess-test"]
    found = one.counters()
    assert found["wire_sampled_general_bytes"] < 0.7 * found["wire_sampled_bytes"]
    assert found["wire_sampled_mask_bytes"] == found["wire_sampled_bytes"]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def slower_than_it_saves(state):
    """Return a codec whose library takes 0.9 of the time of a raw frame, and its clock."""
    clock = Clock()
    one = Codec(Backlog(clock), clock=clock)
    one.prepare()
    name, measured = one.library, figures.DEFAULTS[one.library]
    link = 0.9 / (figures.CROWDED * measured.seconds(measured.text)) * (1 - figures.LEAST_GAIN)
    one._set(state, link, {**{mask: figures.DEFAULTS[mask] for mask in MASKS}, name: measured})
    return one, clock


def sent(one, frame):
    """Send a frame in a message of its own, as Dask does; return how."""
    compressions["asafess-test"] = Compression("asafess-test", one.compress, one.decompress)
    try:
        return copy_context().run(maybe_compress, frame, compression="asafess-test")[0]
    finally:
        del compressions["asafess-test"]


def test_a_library_that_does_not_pay_while_the_link_waits_pays_while_it_is_busy():
    one, clock = slower_than_it_saves("general")
    frame = text(400_000)
    assert [sent(one, frame) for _ in range(4)] == [None, *["asafess-test"] * 3]
    clock.now += 1.0
    assert sent(one, frame) is None


def test_a_link_stays_busy_though_frames_are_encoded_until_it_would_have_taken_them_as_they_were():
    one, clock = slower_than_it_saves("general")
    frame = text(400_000)
    assert [sent(one, frame) for _ in range(2)] == [None, "asafess-test"]
    for _ in range(4):  # as often as the link takes a frame as it is
        clock.now += len(frame) / one.known[1] / FASTER
        assert sent(one, frame) == "asafess-test"
    clock.now += 2.01 * len(frame) / one.known[1] / FASTER
    assert sent(one, frame) is None


def test_what_a_library_makes_of_a_frame_is_asked_of_it_once(monkeypatch):
    asked = []
    one = codec("general", 1e7)
    name = one.library
    compress = LIBRARIES[name].compress
    monkeypatch.setitem(
        LIBRARIES, name, LIBRARIES[name]._replace(compress=lambda data: asked.append(name) or compress(data))
    )
    frame = text(400_000)
    sent(one, frame)  # the first is looked at, too, to say what the data is like
    asked.clear()
    assert sent(one, frame) == "asafess-test"
    assert len(asked) == 2  # Dask's sample, and the frame


def test_what_a_library_made_of_one_frame_says_nothing_of_the_next():
    one, frame = codec("general", 1e8), sparse(400_000, 0.5)
    sent(one, b"tile " * 80_000)
    one._library_wins = False
    before = one.counters()["wire_sent_bytes"]
    sent(one, frame.data.cast("B"))
    assert one.counters()["wire_sent_bytes"] - before <= mask.room(frame.nbytes, 8, 0.52)


def test_a_mask_is_taken_where_it_is_sooner_though_only_a_library_did_well_on_dasks_sample():
    generator = np.random.default_rng(0)
    frame = generator.integers(1 << 62, 1 << 63, 200)[generator.integers(0, 200, 50_000)]
    frame[generator.random(frame.size) >= 0.62] = 0
    one = codec("general", 3e8)
    for _ in range(4):  # the first is looked at anyhow
        one.compress(frame.data.cast("B")[3 : 3 + SAMPLE])  # in bytes, too few are zero for a mask
        assert one._of_thread.shares
        header = Header.read(one.compress(frame.data.cast("B")))
        assert (header.encoding, header.word) == ("mask", 8)


def test_a_library_is_asked_for_each_frame_only_while_it_does_better_than_a_mask(monkeypatch):
    asked = []
    one = codec("general", 1e7)
    name = one.library
    compress = LIBRARIES[name].compress
    counting = LIBRARIES[name]._replace(compress=lambda data: asked.append(len(data)) or compress(data))
    monkeypatch.setitem(LIBRARIES, name, counting)
    small = np.random.default_rng(0).integers(0, 9, 100_000)  # a mask of bytes leaves a quarter, a library less
    for frame, each in ((sparse(800_000), 0), (small, 2)):
        one.compress(frame)  # without a sample before it: always looked at
        one._of_thread.due = False
        asked.clear()
        for _ in range(3):
            one.compress(frame)
        assert len(asked) == 3 * each
        one._of_thread.due = True


def test_of_frames_that_no_library_makes_smaller_few_are_shown_to_one_until_one_is_again(monkeypatch):
    asked, clock = [], Clock()
    one = Codec(clock=clock)
    one.prepare()
    one.set_link(1e7)
    one.set_state("general")
    name = one.library
    compress = LIBRARIES[name].compress
    counting = LIBRARIES[name]._replace(compress=lambda data: asked.append(len(data)) or compress(data))
    monkeypatch.setitem(LIBRARIES, name, counting)
    noise, letters = np.random.default_rng(0).bytes(SAMPLE), text(2 * SAMPLE)[:SAMPLE]
    for _ in range(HOPELESS + 10 * EVERY):
        assert one.compress(noise) is noise
    assert HOPELESS < len(asked) <= HOPELESS + 11
    raw = [one.compress(letters) is letters for _ in range(2 * EVERY)]
    assert raw.index(False) < EVERY
    assert not any(raw[raw.index(False) :])
    for _ in range(EVERY):
        one.compress(noise)
    clock.now += LOOK_AGAIN  # after a pause the first one is looked at
    assert one.compress(letters) is not letters


def test_frames_like_the_last_one_are_not_looked_at_and_others_are(monkeypatch):
    looked, clock = [], Clock()
    one = Codec(clock=clock)
    one.prepare()
    one.set_link(SLOW)
    one.set_state("mask")
    look = sample.look
    monkeypatch.setattr(sample, "look", lambda data, *more: looked.append(1) or look(data, *more))
    # Dask's sample, and the frame
    frames = [(sparse(SAMPLE, density), sparse(400_000, density, seed)) for seed, density in enumerate([0.1] * 4)]
    sent = [(one.compress(part), one.compress(frame)) for part, frame in frames]
    assert len(looked) == 2
    counted = one.counters()
    assert counted["wire_encoded_frames"] == 4
    assert counted["wire_sent_bytes"] == sum(len(encoded) for _, encoded in sent)
    assert counted["wire_predicted_seconds"] > 0
    for (_, frame), (_, encoded) in zip(frames, sent, strict=True):
        assert bytes(one.decompress(encoded)) == frame.tobytes()
        assert len(encoded) < 0.2 * frame.nbytes
    dense = sparse(400_000, 0.5)
    one.compress(frames[0][0])
    assert len(one.compress(dense)) < 0.6 * dense.nbytes
    assert len(looked) == 3  # the frame leaves more than the last one
    noise = np.random.default_rng(0).random(50_000)
    one.compress(sparse(SAMPLE, 0.5))
    assert one.compress(noise) is noise
    assert len(looked) == 4
    one.compress(frames[0][0])
    one.compress(frames[0][1])
    assert len(looked) == 6  # the last one left as it was
    one.set_state("off")
    assert one.compress(frames[0][0]) is frames[0][0]
    one.set_state("mask")
    one.set_link(1e12)
    one.compress(frames[0][0])
    assert one.compress(frames[0][1]) is frames[0][1]  # it does not pay any more
    one.set_link(SLOW)
    del looked[:]
    for _ in range(2 * EVERY):
        one.compress(frames[0][0])
        one.compress(frames[0][1])
    assert 4 <= len(looked) <= 8  # one in so many, and the first


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: sparse(400_000, 0.5, seed),
        lambda seed: sparse(400_000, 0.6, seed),
        lambda seed: np.concatenate((np.frombuffer(text(220_000), np.uint8), np.zeros(180_000, np.uint8))),
    ],
    ids=["half", "more", "clustered"],
)
def test_general_leaves_no_more_than_mask_does(make):
    left = {}
    for state in STATES[1:]:
        one = codec(state, 1e8)
        compressions["asafess-test"] = Compression("asafess-test", one.compress, one.decompress)
        random.seed(0)  # Dask's samples
        left[state] = 0
        for seed in range(2 * EVERY):
            left[state] += len(maybe_compress(make(seed).data.cast("B"), compression="asafess-test")[1])
        del compressions["asafess-test"]
    assert left["general"] <= left["mask"]


@pytest.mark.parametrize("state", ["off", "mask"])
def test_what_it_would_save_on_a_busy_link_is_known_in_every_state(state):
    one, clock = slower_than_it_saves(state)
    frame = text(400_000)
    assert [sent(one, frame) for _ in range(16)] == [None] * 16
    before = one.counters()
    clock.now += 2 * LOOK_AGAIN  # a pause: the frame that is looked at is one that finds the link free
    assert sent(one, frame) is None
    found = {name: value - before[name] for name, value in one.counters().items()}
    assert found["wire_sampled_bytes"] == found["wire_sampled_mask_bytes"] == len(frame)
    assert found["wire_sampled_general_bytes"] < 0.8 * len(frame)


def test_of_few_frames_one_is_looked_at_each_tenth_of_a_second():
    one, clock = slower_than_it_saves("off")
    frame = text(400_000)
    for _ in range(4):
        sent(one, frame)
        clock.now += 0.51 * LOOK_AGAIN
    assert one.counters()["wire_sampled_bytes"] == 2 * len(frame)


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
