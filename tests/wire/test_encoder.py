import random
from contextvars import copy_context

import numpy as np
import pytest
from distributed.protocol.compression import Compression, compressions, maybe_compress
from wire_strategies import SLOW, codec, sparse, text

from asafess.wire import figures, mask, sample
from asafess.wire.backlog import FASTER, Backlog
from asafess.wire.codec import Codec
from asafess.wire.cores import Cores
from asafess.wire.encoder import EVERY, HOPELESS, LOOK_AGAIN
from asafess.wire.figures import MASKS
from asafess.wire.forecast import STATES
from asafess.wire.header import Header
from asafess.wire.libraries import LIBRARIES
from asafess.wire.traffic import SAMPLE, TYPICAL


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
    known = {**{mask: figures.DEFAULTS[mask] for mask in MASKS}, name: measured}
    one._set(one._active._replace(state=state, link=link, figures=known))
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
    one._encoder._library_wins = False
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
        assert one._encoder._of_thread.shares
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
        one._encoder._of_thread.due = False
        asked.clear()
        for _ in range(3):
            one.compress(frame)
        assert len(asked) == 3 * each
        one._encoder._of_thread.due = True


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


@pytest.mark.parametrize(("idle", "copying"), [(0.0, 8e-10), (1.5, 0.0)])
def test_where_frames_find_no_idle_core_what_copying_them_costs_is_said(idle, copying):
    clock = Clock()
    one = Codec(Backlog(clock), Cores(lambda: idle * clock.now, clock), clock)
    one.prepare()
    for _ in range(100):
        clock.now += 2 * LOOK_AGAIN
        sent(one, text(400_000))
    before = one.counters()
    clock.now += 2 * LOOK_AGAIN
    sent(one, text(400_000))
    found = {name: value - before[name] for name, value in one.counters().items()}
    assert found["wire_sampled_copying_seconds"] / found["wire_sampled_bytes"] == pytest.approx(copying, abs=1e-14)
