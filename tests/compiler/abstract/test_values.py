"""Abstract values and the arithmetic of shapes, beside NumPy's own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from asafess.compiler.abstract import dtypes, shapes
from asafess.compiler.abstract.values import (
    UNKNOWN,
    ArrayOf,
    FrameOf,
    Unknown,
    abstracted,
    array_of,
    as_array,
    nbytes_in,
    sized,
)

SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=6)


def test_an_array_stands_for_its_shape_and_bytes():
    found = abstracted(np.zeros((3, 4), "f4"))
    assert (found.shape, found.itemsize, found.nbytes, found.stored, found.exact) == ((3, 4), 4, 48, None, True)
    assert abstracted(np.float64(3)).shape == ()


def test_a_broadcast_array_stores_each_element_once():
    found = abstracted(np.broadcast_to(np.zeros(4), (1000, 4)))
    assert (found.nbytes, found.stored, found.touched) == (32000, 32, 32)


def test_dtypes_and_sparse_arrays_are_no_arrays():
    import scipy.sparse

    assert abstracted(np.dtype("f8")) == np.dtype("f8")
    with pytest.raises(Unknown, match="csr_array"):
        as_array(scipy.sparse.csr_array((3, 3)))
    with pytest.raises(Unknown, match="dict"):
        as_array({})


def test_what_is_not_known_raises_and_is_never_a_number():
    nothing = sized(None, "f8")
    for attribute in ("size", "known_nbytes", "known_shape", "touched"):
        with pytest.raises(Unknown):
            getattr(nothing, attribute)
    assert sized(10, "f4").known_nbytes == 40
    assert ArrayOf((3, 4), None).known_nbytes == 96  # elements of eight bytes; the rule that uses it says so
    with pytest.raises(Unknown):
        nbytes_in([array_of((3,), "f8"), UNKNOWN])
    assert nbytes_in({"a": [array_of((3,), "f8")], "b": FrameOf("frame", 2, 10.0), "c": 5}) == 34


def test_lists_and_numbers_are_arrays_as_numpy_makes_them():
    for value in ([1, 2], [[1.0, 2], [3, 4]], range(3), 5, 2.0, True, 1j):
        real, found = np.asarray(value), as_array(value)
        assert (found.shape, found.dtype) == (real.shape, real.dtype)


@given(SHAPES, st.data())
def test_indexing_is_numpys(shape, data):
    index = data.draw(
        st.one_of(
            hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True),
            hnp.integer_array_indices(shape),
            st.tuples(
                st.sampled_from([slice(None), slice(1, None, 2), slice(None, None, -1), [0, 0], 0]),
                st.sampled_from([slice(None), None, ...]),
            ),
        )
    )
    array = np.empty(shape)
    try:
        real = array[index]
    except IndexError:  # an index more than there are dimensions
        return
    found, view = shapes.indexed(shape, index)
    assert found == np.shape(real)
    assert view == (np.ndim(real) == 0 or not real.size or np.may_share_memory(real, array) or not array.size)


@pytest.mark.parametrize(
    "index",
    [
        (0, slice(None), [1, 2]),
        ([0, 1], slice(None), [1, 2]),
        (slice(None), 0, [1, 2]),
        (slice(None), [1, 2], 0),
        (0, [1, 2]),
        (None, [0, 1], slice(None), 0),
        ([[0, 1], [1, 0]], slice(None), slice(None)),
        (slice(None), np.array([True, False, True, True])),
        [True, False, True],
        (..., [0, 2], None),
    ],
)
def test_indexing_with_arrays_is_numpys(index):
    assert shapes.indexed((3, 4, 5), index) == (np.empty((3, 4, 5))[index].shape, False)


def test_a_mask_that_is_not_there_yet_picks_nobody_knows_how_many():
    with pytest.raises(Unknown, match="mask"):
        shapes.indexed((3,), array_of((3,), bool))
    assert shapes.indexed((3, 4), array_of((7,), "i8")) == ((7, 4), False)


@given(hnp.mutually_broadcastable_shapes(num_shapes=3))
def test_broadcasting_is_numpys(drawn):
    assert shapes.broadcast(*drawn.input_shapes) == drawn.result_shape


def test_shapes_that_do_not_go_together_are_not_known():
    for wrong in (
        lambda: shapes.broadcast((3,), (4,)),
        lambda: shapes.joined([(3, 4), (3, 5)], 0),
        lambda: shapes.reshaped((3, 4), (5, -1)),
        lambda: shapes.multiplied((3, 4), (3, 4)),
        lambda: shapes.axes_of(2, 2),
        lambda: shapes.indexed((3,), (0, 0)),
        lambda: shapes.indexed((3,), "field"),
    ):
        with pytest.raises(Unknown):
            wrong()


@given(SHAPES, st.data(), st.booleans())
def test_reducing_and_joining_is_numpys(shape, data, keepdims):
    axis = data.draw(st.one_of(st.none(), hnp.valid_tuple_axes(len(shape))))
    array = np.empty(shape)
    assert shapes.reduced(shape, axis, keepdims) == array.sum(axis=axis, keepdims=keepdims).shape
    along = data.draw(st.integers(-len(shape), len(shape) - 1))
    assert shapes.joined([shape, shape], along) == np.concatenate([array, array], along).shape
    assert shapes.reshaped(shape, (-1, shape[-1])) == array.reshape(-1, shape[-1]).shape


@pytest.mark.parametrize(("a", "b"), [((3, 4), (4, 5)), ((4,), (4,)), ((2, 3, 4), (4, 5)), ((7, 3, 4), (7, 4, 2))])
def test_products_are_numpys(a, b):
    assert shapes.multiplied(a, b) == (np.ones(a) @ np.ones(b)).shape


@pytest.mark.parametrize("dtype", ["b1", "i1", "i4", "u2", "u8", "f2", "f4", "f8", "c8", "c16"])
def test_dtypes_of_sums_and_transforms_are_numpys(dtype):
    array = np.ones(4, dtype)
    assert dtypes.of_sum(array.dtype) == array.sum().dtype
    assert dtypes.inexact(array.dtype) == array.mean().dtype
    if dtype != "f2":
        assert dtypes.complexed(array.dtype) == np.fft.fft(array).dtype
        assert dtypes.real(array.dtype) == np.abs(np.fft.fft(array)).dtype


@pytest.mark.parametrize("name", ["add", "divide", "less", "power", "arctan2", "floor_divide"])
@pytest.mark.parametrize("left", ["i4", "f4", "f8"])
def test_dtypes_of_ufuncs_are_numpys(name, left):
    function = getattr(np, name)
    array = np.ones(2, left)
    for other, asked in ((2.0, float), (2, int), (np.ones(2, "f8"), np.dtype("f8"))):
        assert dtypes.of_ufunc(function, (array.dtype, asked)) == (function(array, other).dtype,)
    assert dtypes.of_ufunc(function, (None, float)) == (None,)


def test_a_frames_bytes_are_what_pandas_says():
    pd = pytest.importorskip("pandas")
    columns = {"i": np.arange(5, dtype="i4"), "x": np.ones(5), "s": list("abcde"), "c": pd.Categorical(list("aabbb"))}
    for frame in (pd.DataFrame(columns), pd.DataFrame(columns).set_index("s"), pd.DataFrame(columns)[["i", "x"]]):
        assert abstracted(frame).nbytes == frame.memory_usage(index=True).sum()
