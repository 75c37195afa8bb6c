"""Every kernel against the same thing in NumPy."""

import numpy as np
import pytest

from asafess.kernels import reference
from asafess.kernels.dtypes import column_type, row_type, word_type
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


def planned(implementation, dense, marks, offsets, counts, limits, m, n, tile, sampled, keep_sparse=True):
    """Return bits, new marks, offsets and counts, and totals."""
    word = word_type(dense.dtype)
    out = (
        *(np.zeros(groups(m, n, tile), np.uint64), np.full(marks.size, 7, np.uint8)),
        *(np.full(marks.size, -7), np.full(marks.size, -7), np.full(3, -7)),
    )
    implementation(dense.view(word), marks, offsets, counts, limits, m, n, tile, sampled, keep_sparse, *out)
    return out


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n", "tile"), GEOMETRIES)
@pytest.mark.parametrize("sampled", [False, True])
def test_plan_lays_out_the_new_form_as_the_reference_does(dtype, m, n, tile, sampled):
    dense, marks, offsets, areas = dense_panel(dtype, m, n, tile)
    counts = areas.copy()
    marks[::3] = 1  # sparse tiles are not looked at, only their number of entries is
    counts[::3] //= 4
    for share in (0.0, 0.2, 0.8, 1.1):
        for keep_sparse in (False, True):
            limits = (areas * share).astype(np.int64)
            given = dense, marks, offsets, counts, limits, m, n, tile, sampled, keep_sparse
            got, expected = planned(PLAN[word_type(dtype)], *given), planned(reference.plan, *given)
            for one, other in zip(got[1:], expected[1:], strict=True):
                np.testing.assert_array_equal(one, other)
            if got[1][marks == 0].all():  # notes are only taken, in full, of what turns sparse
                np.testing.assert_array_equal(got[0], expected[0])


def test_a_sampled_plan_leaves_full_tiles_uncounted_and_counts_half_empty_ones():
    words = np.ones(3 * 64 * 64, np.uint64)
    words[64 * 64 :: 2] = 0
    marks, counts = np.zeros(3, np.uint8), np.full(3, 64 * 64)
    limits = counts * 8 // 10
    _, new_marks, _, new_counts, _ = planned(
        PLAN[np.uint64], words, marks, np.arange(3) * 64 * 64, counts, limits, 3 * 64, 64, 64, True
    )
    assert new_marks.tolist() == [0, 1, 1]
    assert new_counts.tolist() == [4096, 2048, 2048]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n", "tile"), GEOMETRIES)
def test_recode_writes_every_change_of_marks_as_the_reference_does(dtype, m, n, tile):
    kinds = row_type(tile), column_type(n), word_type(dtype)
    dense, marks, offsets, counts = dense_panel(dtype, m, n, tile)
    areas, word = counts, word_type(dtype)
    bits, _, _, nonzero, _ = planned(PLAN[word], dense, marks, offsets, counts, areas + 1, m, n, tile, False)
    panel = (dense.view(word), *(np.empty(0, kind) for kind in kinds), marks, offsets, counts)
    rng = np.random.default_rng(1)
    for _ in range(3):  # dense → mixed → mixed → mixed: all four changes of one tile
        new_marks = rng.integers(0, 2, marks.size).astype(np.uint8)
        if panel[4].any():
            # Notes are needed of the dense tiles of this panel.
            bits = planned(reference.plan, panel[0], *panel[4:], areas + 1, m, n, tile, False)[0]
        new_counts = np.where(new_marks, nonzero, areas)
        start = np.cumsum(np.where(new_marks, 0, new_counts)) - np.where(new_marks, 0, new_counts)
        entry = np.cumsum(np.where(new_marks, new_counts, 0)) - np.where(new_marks, new_counts, 0)
        new_offsets = np.where(new_marks, entry, start)
        sizes = new_counts[new_marks == 0].sum(), new_counts[new_marks == 1].sum()
        written = []
        for implementation in (RECODE[word, kinds[0], kinds[1]], reference.recode):
            out = np.empty(sizes[0], word), *(np.empty(sizes[1], kind) for kind in kinds)
            implementation(*panel, bits, new_marks, new_offsets, new_counts, m, n, tile, *out)
            written.append(out)
        for got, expected in zip(*written, strict=True):
            np.testing.assert_array_equal(got, expected)
        panel = (*written[0], new_marks, new_offsets, new_counts)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n", "tile"), GEOMETRIES)
@pytest.mark.parametrize("k", [1, 3])
def test_product_has_the_bits_of_the_reference_in_whatever_parts(dtype, m, n, tile, k):
    row, column = row_type(tile), column_type(n)
    dense, marks, offsets, counts = dense_panel(dtype, m, n, tile)
    rng = np.random.default_rng(2)
    if dense.dtype.kind == "f":
        dense *= rng.normal(size=dense.size).astype(dtype)
    x = rng.normal(scale=10, size=(k, n)).astype(dtype)
    panel = (dense, np.empty(0, row), np.empty(0, column), np.empty(0, dtype), marks, offsets, counts)
    high = -(-m // tile)
    results = []
    for implementation in (PRODUCT[dtype, row, column], reference.product):
        for cut in (0, high // 2):
            y = np.full((k, m), 77).astype(dtype)
            implementation(*panel, tile, cut, high, x, y)
            implementation(*panel, tile, 0, cut, x, y)
            results.append(y.tobytes())
    assert len(set(results)) == 1
