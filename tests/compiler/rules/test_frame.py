"""Partitions of pandas objects: known by rows and bytes, linear in those, and never more sure than that."""

import operator

import numpy as np
import pytest
from dask._task_spec import Task, TaskRef
from dask.utils import methodcaller
from graphs import called

from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf
from asafess.compiler.inference import TypeInference
from asafess.compiler.rules.frame_record import COMPARISON

FRAME = FrameOf("frame", 1000, 32_000.0, ("a", "b", "c"))
SERIES = FrameOf("series", 1000, 16_000.0, ("b",))
UNSIZED = FrameOf("frame", None, None, ("a", "b"))


def method(name, /, *args, **kwargs):
    return called(methodcaller(name), *args, **kwargs)


def test_a_column_is_a_view_of_its_share():
    found = called(operator.getitem, FRAME, "b")
    assert (found.value.kind, found.value.nbytes, found.nbytes) == ("series", 32_000 / 3, 0)
    assert called(operator.getitem, FRAME, ["a", "c"]).value.columns == ("a", "c")
    assert not called(operator.getitem, FRAME, "d").known


def test_columns_that_an_index_names_are_no_mask():
    found = called(operator.getitem, FRAME, FrameOf("index", 2, 16.0, (None,)))
    assert found.value == FrameOf("frame", 1000, pytest.approx(32_000 * 2 / 3), None)
    assert found.nbytes == 0


def test_arithmetic_reads_and_writes_every_element():
    found = called(operator.add, SERIES, SERIES)
    assert (found.flop, found.nbytes, found.value) == (2000, 48_000, SERIES)
    assert called(np.exp, SERIES).flop == 24 * 2000
    assert found.confidence < 1


def test_a_comparison_makes_a_byte_for_each_value():
    assert called(operator.gt, SERIES, 5).value == FrameOf("series", 1000, 1000, ("b",))
    assert method("isna", FRAME).value.nbytes == 3000
    without_rows = FrameOf("series", None, 16_000.0, ("b",))
    assert called(operator.gt, without_rows, 5).value.nbytes == 2000


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
    assert types.found("y").type.per_byte == {"compute": 1 / 8, "loops": 1 / 8, "memory": 2.0}


def test_names_are_known_where_sizes_are_not():
    found = called(operator.getitem, UNSIZED, "a")
    assert found.value == FrameOf("series", None, None, ("a",))
    added = called(operator.add, found.value, 1)
    assert not added.known
    assert added.value == found.value


def test_reductions_make_numbers():
    assert method("sum", SERIES).value == ArrayOf((), 8, 8.0)
    assert method("mean", FRAME).value == FrameOf("series", 3.0, 24.0)
    assert method("sum", FRAME, axis=1).value == FrameOf("series", 1000, 8000.0)


def test_a_sort_compares():
    assert method("sort_values", FRAME).flop == pytest.approx(COMPARISON * 1000 * np.log2(1000))
    assert method("sort_values", FrameOf("series", None, 8e6, ("b",))).flop == COMPARISON * 20e6


def test_a_type_has_a_width():
    assert method("astype", SERIES, np.dtype("f4")).value.nbytes == 4000
    assert method("astype", SERIES, "i2").value.nbytes == 2000
    category = method("astype", SERIES, "category")
    assert (category.value, category.confidence) == (SERIES, pytest.approx(0.4))


def test_names_change_and_go():
    assert method("rename", FRAME, columns={"a": "z"}).value.columns == ("z", "b", "c")
    assert method("add_prefix", FRAME, "my_").value.columns == ("my_a", "my_b", "my_c")
    dropped = method("drop", FRAME, columns=["a"]).value
    assert (dropped.columns, dropped.nbytes) == (("b", "c"), pytest.approx(32_000 * 2 / 3))
    assert method("set_index", FRAME, "a").value.columns == ("b", "c")
    assert method("reset_index", FRAME).value.columns is None
    assert method("to_frame", SERIES, name="z").value == FrameOf("frame", 1000, 16_000.0, ("z",))


def test_some_rows_are_taken():
    assert method("head", FRAME, 5).value == FrameOf("frame", 5, 160.0, ("a", "b", "c"))
    largest = method("nlargest", SERIES, 10)
    assert (largest.value.rows, largest.flop) == (10, 2000 * COMPARISON)


def test_a_value_is_looked_up_in_a_dictionary_and_not_in_a_function():
    assert method("map", SERIES, {1: 2}).known
    assert not method("map", SERIES, len).known
    assert not method("apply", FRAME, len).known


def test_other_peoples_functions_of_frames_are_not_known():
    assert not called(lambda frame: frame, FRAME).known
    assert not called(np.linalg.inv, FRAME).known


def test_what_was_recorded_without_a_kind_is_a_frame_for_methods_of_frames():
    recorded = ArrayOf(None, None, 8000.0)
    assert method("drop_duplicates", recorded).known
    assert method("to_frame", recorded).value.nbytes == 8000.0
    assert not method("drop_duplicates", UNKNOWN).known
