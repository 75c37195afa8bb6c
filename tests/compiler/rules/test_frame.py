"""Partitions of pandas objects: known by rows and bytes, linear in those, and never more sure than that."""

import operator

import numpy as np
from dask._task_spec import Task, TaskRef
from graphs import called

from asafess.compiler.abstract.values import FrameOf
from asafess.compiler.inference import TypeInference

FRAME = FrameOf("frame", 1000, 32_000.0, ("a", "b", "c"))
SERIES = FrameOf("series", 1000, 16_000.0, ("b",))


def test_a_column_is_a_view_of_its_share():
    found = called(operator.getitem, FRAME, "b")
    assert (found.value.kind, found.value.nbytes, found.nbytes) == ("series", 32_000 / 3, 0)
    assert called(operator.getitem, FRAME, ["a", "c"]).value.columns == ("a", "c")
    assert not called(operator.getitem, FRAME, "d").known


def test_arithmetic_reads_and_writes_every_element():
    found = called(operator.add, SERIES, SERIES)
    assert (found.flop, found.nbytes, found.value) == (2000, 48_000, SERIES)
    assert called(np.exp, SERIES).flop == 24 * 2000
    assert found.confidence < 1


def test_rows_by_a_mask_depend_on_data():
    found = called(operator.getitem, FRAME, SERIES)
    assert found.known
    assert found.value.nbytes is None
    assert found.confidence <= 0.5


def test_what_comes_after_unknown_sizes_is_per_byte():
    graph = {
        "x": Task("x", operator.getitem, TaskRef("frame"), TaskRef("mask")),
        "y": Task("y", operator.mul, TaskRef("x"), 2),
    }
    types = TypeInference(graph.get)
    types._values.update(frame=(FRAME, 1.0), mask=(SERIES, 1.0))
    assert types.found("y").type.per_byte == {"compute": 1 / 8, "memory": 2.0}


def test_other_peoples_functions_of_frames_are_not_known():
    assert not called(lambda frame: frame, FRAME).known
    assert not called(np.linalg.inv, FRAME).known
