"""Every kernel against the same thing in NumPy."""

import numpy as np
import pytest

from asafess.kernels import reference
from asafess.kernels.dtypes import index_type, word_type
from asafess.kernels.plan import PLAN, groups
from asafess.kernels.product import PRODUCT
from asafess.kernels.recode import RECODE

GEOMETRIES = [(1, 1, 1), (7, 5, 3), (64, 64, 64), (130, 70, 65), (200, 150, 128), (0, 4, 2), (4, 0, 2)]
DTYPES = ["bool", "uint8", "int16", "int32", "float32", "float64"]


def dense_panel(dtype, m, n, tile, seed=0):
    """Return the flat arrays of a panel of dense tiles of all densities, and the areas of its tiles."""
    rng = np.random.default_rng(seed)
    areas = [min(tile, m - i) * min(tile, n - j) for i in range(0, m, tile) for j in range(0, n, tile)]
    counts = np.array(areas, np.int64)
    parts = [
        np.where(rng.random(area) < rng.choice([0, 0.05, 0.5, 1]), rng.integers(1, 100, area), 0) for area in areas
    ]
    dense = np.concatenate([*parts, np.empty(0, int)]).astype(dtype)
    return dense, np.zeros(counts.size, np.uint8), np.cumsum(counts) - counts, counts


def planned(implementation, dense, marks, offsets, limits, m, n, tile, sampled):
    word = word_type(dense.dtype)
    found, bits = np.full(marks.size, -7), np.zeros(groups(m, n, tile), np.uint64)
    implementation(dense.view(word), marks, offsets, limits, m, n, tile, sampled, found, bits)
    return found, bits


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n", "tile"), GEOMETRIES)
@pytest.mark.parametrize("sampled", [False, True])
def test_plan_counts_candidates_as_the_reference_does(dtype, m, n, tile, sampled):
    dense, marks, offsets, counts = dense_panel(dtype, m, n, tile)
    marks[::3] = 1  # sparse tiles are passed over
    for share in (0.2, 0.8, 1.1):
        limits = (counts * share).astype(np.int64)
        got = planned(PLAN[word_type(dtype)], dense, marks, offsets, limits, m, n, tile, sampled)
        expected = planned(reference.plan, dense, marks, offsets, limits, m, n, tile, sampled)
        np.testing.assert_array_equal(got[0], expected[0])
        if (expected[0] >= 0)[marks == 0].all():
            np.testing.assert_array_equal(got[1], expected[1])


def test_a_sampled_plan_leaves_full_tiles_uncounted_and_counts_half_empty_ones():
    words = np.ones(3 * 64 * 64, np.uint64)
    words[64 * 64 :: 2] = 0
    marks, offsets = np.zeros(3, np.uint8), np.arange(3) * 64 * 64
    limits = np.full(3, 64 * 64 * 8 // 10)
    found, _ = planned(PLAN[np.uint64], words, marks, offsets, limits, 3 * 64, 64, 64, True)
    assert found.tolist() == [-1, 2048, 2048]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n", "tile"), GEOMETRIES)
def test_recode_writes_every_change_of_marks_as_the_reference_does(dtype, m, n, tile):
    word, index = word_type(dtype), index_type(tile)
    dense, marks, offsets, counts = dense_panel(dtype, m, n, tile)
    areas, nothing = counts, np.empty(0, index)
    nonzero, bits = planned(PLAN[word], dense, marks, offsets, counts + 1, m, n, tile, False)
    panel = (dense.view(word), nothing, nothing, np.empty(0, word), marks, offsets, counts)
    rng = np.random.default_rng(1)
    for _ in range(3):  # dense → mixed → mixed → mixed: all four changes of one tile
        new_marks = rng.integers(0, 2, marks.size).astype(np.uint8)
        if panel[4].any():
            # Notes are needed of the dense tiles of this panel.
            _, bits = planned(reference.plan, panel[0], panel[4], panel[5], areas + 1, m, n, tile, False)
        new_counts = np.where(new_marks, nonzero, areas)
        start = np.cumsum(np.where(new_marks, 0, new_counts)) - np.where(new_marks, 0, new_counts)
        entry = np.cumsum(np.where(new_marks, new_counts, 0)) - np.where(new_marks, new_counts, 0)
        new_offsets = np.where(new_marks, entry, start)
        sizes = new_counts[new_marks == 0].sum(), new_counts[new_marks == 1].sum()
        written = []
        for implementation in (RECODE[word, index], reference.recode):
            out = np.empty(sizes[0], word), *(np.empty(sizes[1], kind) for kind in (index, index, word))
            implementation(*panel, bits, new_marks, new_offsets, new_counts, m, n, tile, *out)
            written.append(out)
        for got, expected in zip(*written, strict=True):
            np.testing.assert_array_equal(got, expected)
        panel = (*written[0], new_marks, new_offsets, new_counts)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n", "tile"), GEOMETRIES)
@pytest.mark.parametrize("k", [1, 3])
def test_product_has_the_bits_of_the_reference(dtype, m, n, tile, k):
    index = index_type(tile)
    dense, marks, offsets, counts = dense_panel(dtype, m, n, tile)
    rng = np.random.default_rng(2)
    if dense.dtype.kind == "f":
        dense *= rng.normal(size=dense.size).astype(dtype)
    x = rng.normal(scale=10, size=(k, n)).astype(dtype)
    nothing = np.empty(0, index)
    panel = (dense, nothing, nothing, np.empty(0, dtype), marks, offsets, counts)
    results = []
    for implementation in (PRODUCT[dtype, index], reference.product):
        y = np.full((k, m), 77).astype(dtype)
        implementation(*panel, m, n, tile, np.zeros(-(-n // tile), np.uint8), np.empty(0, dtype), x, y)
        results.append(y)
    assert results[0].tobytes() == results[1].tobytes()
