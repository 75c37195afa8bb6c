"""Arithmetic of the format."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.tiles import layout

sizes = st.integers(0, 50)


@given(sizes, sizes, st.integers(1, 20))
def test_areas_and_heights_are_those_of_the_blocks(m, n, tile):
    blocks = [(min(tile, m - top), min(tile, n - left)) for top in range(0, m, tile) for left in range(0, n, tile)]
    assert layout.areas((m, n), tile).tolist() == [height * width for height, width in blocks]
    assert layout.heights((m, n), tile).tolist() == [height for height, _ in blocks]


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9))))
def test_tiles_start_where_the_one_of_their_kind_before_them_ends(tiles):
    marks = np.array([mark for mark, _ in tiles], np.uint8)
    counts = np.array([count for _, count in tiles], np.int64)
    ends = [0, 0]
    for mark, count, offset in zip(marks, counts, layout.offsets(marks, counts), strict=True):
        assert offset == ends[mark]
        ends[mark] += count


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["bool", "int16", "float32", "float64"]))
def test_full_means_sparse_exactly_where_that_has_fewer_bytes(m, n, dtype):
    dtype = np.dtype(dtype)
    (limit,) = layout.limits("full", (m, n), 64, dtype)
    entry = layout.entry_bytes(dtype, 64)
    assert (limit - 1) * entry < m * n * dtype.itemsize <= limit * entry


def test_light_defaults_to_one_non_zero_per_row_of_the_tile():
    assert layout.limits("light", (10, 4), 4, np.dtype("float64")).tolist() == [4, 4, 2]
    assert layout.limits("light", (10, 4), 4, np.dtype("float64"), 7).tolist() == [7, 7, 7]


def test_arrays_over_all_tiles_are_kept_and_none_can_spoil_them():
    dtype = np.dtype("float64")
    for make in (
        lambda: layout.areas((300, 200), 64),
        lambda: layout.heights((300, 200), 64),
        lambda: layout.limits("light", (300, 200), 64, dtype),
        lambda: layout.limits("full", (300, 200), 64, dtype),
        lambda: layout.limits("light", (300, 200), 64, dtype, 7),
    ):
        assert make() is make()
        with pytest.raises(ValueError, match="read-only"):
            make()[0] = 1


def test_arrays_over_very_many_tiles_are_not_kept():
    shape = (layout.MOST_TILES_KEPT + 1, 1)
    assert layout.areas(shape, 1) is not layout.areas(shape, 1)
    assert layout.limits("sparse", shape, 1, np.dtype("int8")).tolist() == [2] * shape[0]


@pytest.mark.parametrize("tile", [0, -1, 65537, 1.5, "128", None])
def test_a_bad_tile_is_refused_with_its_value_and_what_is_allowed(tile):
    with pytest.raises(ValueError, match="1 to 65536") as caught:
        layout.checked_tile(tile)
    assert repr(tile) in str(caught.value)


@pytest.mark.parametrize("shape", [(3,), (1, 2, 3), (-1, 2), (2.5, 1), 7, None, "ab"])
def test_a_bad_shape_is_refused_with_its_value(shape):
    with pytest.raises(ValueError, match="two dimensions") as caught:
        layout.checked_shape(shape)
    assert repr(shape) in str(caught.value)


@pytest.mark.parametrize("threshold", [-1, 2.5, "3"])
def test_a_bad_threshold_is_refused_with_its_value(threshold):
    with pytest.raises(ValueError, match="whole numbers ≥ 0") as caught:
        layout.checked_threshold(threshold)
    assert repr(threshold) in str(caught.value)


def test_an_unknown_form_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'thin'; allowed are dense, sparse, light, full"):
        layout.limits("thin", (1, 1), 1, np.dtype("float64"))
