"""What frames are like of late."""

import math
from contextvars import copy_context

import numpy as np
import pytest
from distributed.protocol.compression import Compression, compressions, maybe_compress

from asafess.wire.backlog import FASTER, Backlog
from asafess.wire.cores import Cores
from asafess.wire.traffic import FRAMES, PIECE, TYPICAL, Traffic


def test_a_frame_is_as_large_as_those_that_were_seen_whole():
    traffic = Traffic()
    assert traffic.typical == TYPICAL
    traffic.seen(1000.0)
    assert traffic.typical == 1000.0
    for _ in range(10 * FRAMES):
        traffic.seen(2000.0)
    assert traffic.typical == pytest.approx(2000.0, rel=1e-3)


def test_without_a_backlog_nothing_is_hidden():
    traffic = Traffic()
    traffic.left(1e9, 1e6)
    assert not traffic.hides(1e6)
    assert (traffic.hidden_share, traffic.can_hide) == (0.0, False)


@pytest.mark.parametrize(("shown", "takes"), [(5 * PIECE, 1.0), (PIECE, 1.0), (PIECE - 8, (PIECE - 8) / 8e6)])
def test_of_whole_pieces_is_a_sample_of_a_frame_of_typical_size_and_anything_else_a_small_frame(shown, takes):
    now = [0.0]
    traffic = Traffic(Backlog(lambda: now[0]))
    traffic.seen(8e6)
    link = 8e6 / FASTER
    copy_context().run(traffic.passed, shown, link)
    now[0] = 0.99 * takes
    assert copy_context().run(traffic.hides, link)
    now[0] = 1.01 * takes
    assert not copy_context().run(traffic.hides, link)


def test_frames_of_which_dask_shows_samples_fill_the_backlog():
    """Its pieces often lie out of order, and then a sample has fewer of them."""
    now, frame = [0.0], np.random.default_rng(0).integers(1, 256, 8_000_000, np.uint8)
    traffic = Traffic(Backlog(lambda: now[0]))
    traffic.seen(frame.size)
    compressions["asafess-test"] = Compression(
        "asafess-test", lambda data: traffic.passed(memoryview(data).nbytes, 1e6) or data, bytes
    )
    try:
        for _ in range(50):
            copy_context().run(maybe_compress, frame.data, compression="asafess-test")
    finally:
        del compressions["asafess-test"]
    now[0] = 0.9 * 50 * frame.size / 1e6 / FASTER
    assert copy_context().run(traffic.hides, 1e6)


def test_the_share_of_hidden_frames_follows_those_of_late():
    traffic = Traffic(Backlog(lambda: 0.0))
    for _ in range(4 * FRAMES):
        copy_context().run(traffic.passed, 1000, 1e6)
    assert traffic.hidden_share > 0.95


@pytest.mark.parametrize(("idle", "hidden"), [(0.9, False), (1.1, True)])
def test_behind_a_busy_link_encoding_is_hidden_only_if_a_core_is_idle(idle, hidden):
    now = [0.0]
    cores = Cores(lambda: idle * now[0], lambda: now[0])
    traffic = Traffic(Backlog(lambda: 0.0), cores)
    copy_context().run(traffic.passed, 1000, 1e6)
    now[0] = 1.0
    assert copy_context().run(traffic.hides, 1e6) == hidden


def test_the_share_of_frames_that_find_no_idle_core_follows_those_of_late():
    now, idle = [0.0], [0.0]
    traffic = Traffic(Backlog(lambda: 0.0), Cores(lambda: idle[0], lambda: now[0]))
    assert traffic.crowded_share == 0.0
    for cores, low, high in ((0.9, 0.95, 1.0), (1.1, 0.0, 0.05)):
        for _ in range(4 * FRAMES):
            now[0] += 1.0
            idle[0] += cores
            copy_context().run(traffic.passed, 1000, 1e6)
        assert low <= traffic.crowded_share <= high


def test_where_nobody_can_say_how_many_cores_are_idle_no_frame_is_said_to_find_none():
    now = [0.0]
    traffic = Traffic(Backlog(lambda: 0.0), Cores(lambda: math.nan, lambda: now[0]))
    for _ in range(FRAMES):
        now[0] += 1.0
        copy_context().run(traffic.passed, 1000, 1e6)
    assert traffic.crowded_share == 0.0
