"""How a frame that is spilled is written: what is chosen, what Dask's library writes, and what is predicted of it."""

import numpy as np
import pytest
from distributed.protocol.compression import compressions
from hypothesis import given
from hypothesis import strategies as st

from asafess.wire import libraries, mask, spill_frames
from asafess.wire.figures import CROWDED, DEFAULTS, MASKS, MOST_KEPT, Figures
from asafess.wire.forecast import STATES
from asafess.wire.header import Header
from asafess.wire.spill_frames import Known, choice, encode, look, of_states

WORDS = 1 << 16
#: 100 MB/s, of which what was written lately is read from memory
DISK = 8e7
NAMES = ("zlib", *(name for name in ("lz4", "zstd") if name in libraries.LIBRARIES))
shares = st.floats(0.0, 1.0)
disks = st.floats(1e6, 1e11)


def zeros(density=0.05):
    generator = np.random.default_rng(0)
    return np.where(generator.random(WORDS) < density, generator.standard_normal(WORDS), 0.0).view(np.uint8)


def text():
    words = np.frombuffer(b"tile... panel.. vector. ratio.. ", "V8")
    return words[np.random.default_rng(0).integers(0, words.size, WORDS)].view(np.uint8)


def noise():
    return np.random.default_rng(0).integers(0, 256, 8 * WORDS, np.uint8)


@given(st.fixed_dictionaries(dict.fromkeys((*MASKS, *NAMES), shares)), disks, st.sampled_from([None, *NAMES]))
def test_general_is_never_predicted_to_be_behind_any_other_state(kept, disk, own):
    known = Known(DEFAULTS, disk, NAMES, own)

    def seconds(state):
        name = choice(kept, known, state)
        return 1 / disk if name is None else kept[name] / disk + CROWDED * DEFAULTS[name].seconds(kept[name])

    assert seconds("general") <= min(seconds("off"), seconds("mask")) * (1 + 1e-9)


@given(shares)
def test_off_is_what_dask_does_whatever_the_disk_is(share):
    kept = {**dict.fromkeys(MASKS, 0.0), "zlib": share}
    for disk in (1e6, 1e12):
        found = choice(kept, Known(DEFAULTS, disk, NAMES, "zlib"), "off")
        assert found == ("zlib" if share <= MOST_KEPT else None)
        assert choice(kept, Known(DEFAULTS, disk, NAMES, None), "off") is None


def test_on_a_disk_of_100_mb_per_second_the_lighter_library_is_best_and_the_other_on_a_slow_one():
    kept = {**dict.fromkeys(MASKS, 1.0), "lz4": 0.44, "zstd": 0.27}
    # as they are on a machine of two shared cores
    measured = {**DEFAULTS, "lz4": Figures(1e-9, 6e-9), "zstd": Figures(1e-10, 2.1e-8)}
    known = Known(measured, DISK, ("zstd", "lz4"), "lz4")
    assert choice(kept, known, "general") == "lz4"
    assert choice(kept, known._replace(disk=2e7), "general") == "zstd"
    assert choice(kept, known._replace(disk=1e9), "general") is None


@pytest.mark.parametrize("own", NAMES)
def test_what_dasks_library_does_best_is_written_by_its_functions(own):
    frame, known = text(), Known(DEFAULTS, DISK, NAMES, own)
    made = encode(frame, own, known)
    assert bytes(made) == bytes(compressions[own].compress(frame.data))
    with_header = encode(frame, own, known._replace(own=None))
    assert libraries.decode(Header.read(with_header), with_header) == frame.tobytes()
    assert encode(noise(), own, known) is None


def test_masks_are_written_with_a_header():
    mask.prepare()
    known = Known(DEFAULTS, DISK, NAMES, "zlib")
    frame = zeros()
    name = choice(look(frame, known, "general").kept, known, "general")
    assert name == "mask8"
    encoded = encode(frame, name, known)
    assert bytes(mask.decode(Header.read(encoded), encoded)) == frame.tobytes()


@pytest.mark.parametrize("state", STATES)
def test_libraries_are_asked_for_a_part_and_only_where_they_come_into_question(monkeypatch, state):
    asked = []
    one = libraries.LIBRARIES["zlib"]
    counting = one._replace(compress=lambda data: asked.append(len(data)) or one.compress(data))
    monkeypatch.setitem(libraries.LIBRARIES, "zlib", counting)
    look(text(), Known(DEFAULTS, DISK, ("zlib",), "zlib"), state)
    assert len(asked) == (state != "mask")
    assert all(0 < nbytes <= text().size / 16 for nbytes in asked)


def test_a_library_that_there_are_no_figures_of_is_taken_to_be_as_fast_as_ours(monkeypatch):
    monkeypatch.setitem(compressions, "theirs", compressions["zlib"]._replace(name="theirs"))
    known = Known(DEFAULTS, 1e6, ("zlib",), "theirs")
    seen = look(text(), known, "off")
    assert seen.kept["theirs"] == pytest.approx(seen.kept["zlib"], rel=0.5)
    found = of_states(text(), seen, known)
    assert found["spill_looked_off_bytes"] < 0.6 * found["spill_looked_bytes"]
    assert found["spill_looked_off_seconds"] > 0


def test_what_is_noted_is_what_each_state_would_write():
    known = Known(DEFAULTS, DISK, NAMES, "zlib")
    for frame, best in ((zeros(), "mask"), (noise(), "none")):
        seen = look(frame, known, "general")
        found = of_states(frame, seen, known)
        for state in STATES:
            name = choice(seen.kept, known, state)
            made = None if name is None else encode(frame, name, known)
            left = frame.size if made is None else len(made)
            assert found[f"spill_looked_{state}_bytes"] == pytest.approx(left, rel=0.1)
        assert (found["spill_looked_mask_bytes"] < frame.size) == (best == "mask")
        # looking costs what it reads; of a frame of noise nothing else
        if best == "none":
            assert found["spill_looked_mask_seconds"] == seen.looked_at * len(MASKS) * DEFAULTS["mask8"].scan
    assert spill_frames.seconds(frame.size, None, 1.0, known) == 0.0
