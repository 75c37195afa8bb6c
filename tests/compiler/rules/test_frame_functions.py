"""What `dask.dataframe` calls with partitions: reductions step by step, groups, windows, and nobody's own functions."""

from functools import partial

import numpy as np
import pytest
from dask.utils import methodcaller
from graphs import called

from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf
from asafess.compiler.rules.frame_record import COMPARISON
from asafess.compiler.rules.frame_tables import FUNCTIONS, HASHED

pytest.importorskip("dask.dataframe")
from dask.dataframe import core, groupby, methods, utils
from dask.dataframe.dask_expr import _accessor, _expr, _groupby, _reductions, _rolling

FRAME = FrameOf("frame", 1000, 32_000.0, ("a", "b", "c", "d"))
SERIES = FrameOf("series", 1000, 8_000.0, ("b",))


def test_each_reduction_costs_what_its_steps_cost():
    total = called(_reductions.Sum.chunk, SERIES)
    largest = called(_reductions.NLargest.chunk, FRAME, n=5, columns="a")
    counts = called(_reductions.ValueCounts.chunk, SERIES)
    assert (total.flop, largest.flop, counts.flop) == (1000, 2000 * COMPARISON, 1000 * HASHED[1])
    assert (total.value, largest.value.rows, counts.value.rows) == (ArrayOf((), 8, 8.0), 5, None)


def test_partitions_of_a_reduction_are_rows_of_one_frame():
    row = called(_reductions.Sum.chunk, FRAME).value
    assert (row.kind, row.rows, row.nbytes, row.columns) == ("frame", 1.0, 32.0, FRAME.columns)
    found = called(_reductions.Sum.aggregate, [row, row])
    assert (found.known, found.value.kind, found.value.nbytes) == (True, "series", 32.0)


def test_somebodys_own_reduction_is_not_known():
    assert not called(_reductions.CustomReduction.chunk, SERIES, func=lambda part: part).known
    assert called(_reductions.CustomReduction.chunk, SERIES, func=methodcaller("sum")).flop == 1000


def test_groups_are_hashed_and_how_many_there_are_depends_on_data():
    found = called(_groupby.Sum.chunk, FRAME, "a", chunk=methodcaller("sum"), columns=["b"])
    assert (found.flop, found.value.nbytes, found.value.columns) == (4000 * HASHED[1], None, None)
    assert called(groupby._groupby_apply_funcs, FRAME, "a", funcs=[("n", groupby._apply_func_to_column, {})]).known


def test_groups_that_are_handed_to_somebody_are_not_known():
    funcs = [("mine", partial(map, lambda group: group), {})]
    found = called(groupby._groupby_apply_funcs, FRAME, "a", funcs=funcs)
    assert not found.known
    assert "handed to" in found.why
    operation = _groupby.GroupByUDFBlockwise.operation
    assert not called(operation, FRAME, "a", dask_func=partial(_groupby.groupby_slice_apply, func=len)).known
    assert called(operation, FRAME, "a", dask_func=partial(_groupby._median_groupby_aggregate)).known


def test_new_columns_are_beside_the_others():
    found = called(_expr.assign, FRAME, "e", SERIES)
    assert found.value == FrameOf("frame", 1000, 40_000.0, ("a", "b", "c", "d", "e"))
    assert found.nbytes == 16_000
    assert called(_expr.assign, FRAME, "e", 1).value.nbytes == 40_000
    assert not called(_expr.assign, FRAME, "e", UNKNOWN).known


def test_frames_are_put_together():
    below = called(core._concat, [FRAME, FRAME])
    assert (below.value.rows, below.value.nbytes, below.nbytes, below.moved) == (2000, 64_000, 128_000, True)
    beside = called(methods.concat, [FRAME, SERIES], axis=1)
    assert (beside.value.rows, beside.value.nbytes) == (1000, 40_000)


def test_texts_and_times_have_widths():
    assert called(_accessor.PropertyMap.operation, SERIES, "dt", "hour").value.nbytes == 4000
    assert called(_accessor.FunctionMap.operation, SERIES, "str", "contains", ("a",), {}).value.nbytes == 1000
    assert not called(_accessor.FunctionMap.operation, SERIES, "str", "mine", (), {}).known


def test_what_was_promised_is_known_of_what_is_not():
    pd = pytest.importorskip("pandas")
    meta = pd.DataFrame({"x": [1.0], "y": [2]}).iloc[:0]
    promise = partial(utils.check_meta, meta=meta)
    assert called(promise, UNKNOWN).value == FrameOf("frame", None, None, ("x", "y"))
    assert called(promise, ArrayOf(None, None, 800.0)).value == FrameOf("frame", None, 800.0, ("x", "y"))
    assert called(promise, FRAME).value == FRAME
    made = called(core.apply_and_enforce, 0, _func=print, _meta=meta)
    assert not made.known
    assert made.value.columns == ("x", "y")


def test_a_window_costs_a_few_operations_for_each_row_and_leaves_the_neighbours_out():
    before = FrameOf("series", 4, 32.0, ("b",))
    combined = called(_expr._combined_parts, before, SERIES, None, 4, 0)
    assert combined.value[0].rows == 1004
    mean = partial(_rolling._rolling_agg, window=5, kwargs={}, how="mean", how_args=(), how_kwargs=None)
    found = called(_expr._overlap_chunk, combined.value, mean, 4, 0)
    assert (found.value.rows, found.flop) == (1000, pytest.approx(FUNCTIONS["_rolling_agg"][1] * 1004))
    own = partial(_rolling._rolling_agg, window=5, kwargs={}, how="apply", how_args=(len,), how_kwargs=None)
    assert not called(_expr._overlap_chunk, combined.value, own, 4, 0).known


def test_an_array_becomes_a_frame():
    from dask.dataframe.io.io import _partition_from_array

    found = called(_partition_from_array, np.zeros((10, 2)), columns=["a", "b"], initializer=dict)
    assert found.value == FrameOf("frame", 10, 160, ("a", "b"))
