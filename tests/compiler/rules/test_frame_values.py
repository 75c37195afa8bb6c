"""Sizes that depend on data: an estimate within the task that makes them, none outside."""

import pytest

from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf, Unknown
from asafess.compiler.interpret import Interpreter
from asafess.compiler.per_byte import of_size, unsized
from asafess.compiler.rules.frame_values import as_frame, at_most, frames_in, joined, rows_of, scaled

FRAME = FrameOf("frame", 1000, 32_000.0, ("a", "b", "c", "d"))


def test_an_estimate_ends_with_its_task():
    on = Interpreter({}.get)
    some = at_most(on, FRAME)
    assert some.known_nbytes == 32_000
    on.part("x", "view")
    on.part("x", "view", why="y")
    assert on.parts[0].confidence < 0.5
    assert "at most" in on.parts[0].why
    del on
    with pytest.raises(Unknown):
        _ = some.known_nbytes
    assert unsized(some)
    assert of_size(some, 800.0).known_nbytes == 800.0


def test_a_share_of_an_estimate_is_one():
    on = Interpreter({}.get)
    assert scaled(at_most(on, FRAME), 0.25).known_nbytes == 8000
    assert joined(on, [FRAME, at_most(on, FRAME)]).nbytes is None
    assert joined(on, [FRAME, at_most(on, FRAME)]).known_nbytes == 64_000


def test_rows_that_nobody_knows_follow_from_bytes():
    on = Interpreter({}.get)
    assert rows_of(on, FRAME) == 1000
    assert rows_of(on, FrameOf("frame", None, 32_000.0, ("a", "b"))) == 2000
    assert rows_of(on, FrameOf("series", None, 32_000.0)) == 4000


def test_arguments_that_are_frames():
    assert frames_in(["x", 3, [FRAME], FRAME]) == [FRAME, FRAME]
    assert as_frame(ArrayOf((), 8, 8.0)).rows == 1.0
    for nothing in ([], ["x"], [UNKNOWN, FRAME]):
        with pytest.raises(Unknown):
            frames_in(nothing)
