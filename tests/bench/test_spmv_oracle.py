import math

import numpy as np
import pytest
from asafess.bench.spmv_oracle import Costs, ladder, measured_costs, stored, threshold

from asafess import TiledMatrix

TILE = 16
# a sparse entry takes 0.02 s and 10 bytes, a dense tile 1 s and 2048 bytes
MADE_UP = Costs((0, 256), (0.0, 5.12), (0.0, 2560.0), 1.0, 2048.0)


def panel():
    """Return a panel of 2 × 4 tiles with 0, 1, 20, 49, 50, 51, 200 and 256 non-zeros."""
    a = np.zeros((2 * TILE, 4 * TILE))
    counts = [0, 1, 20, 49, 50, 51, 200, 256]
    for t, count in enumerate(counts):
        i, j = divmod(t, 4)
        tile = np.zeros(TILE * TILE)
        tile[np.random.default_rng(t).permutation(tile.size)[:count]] = 1.5
        a[i * TILE : (i + 1) * TILE, j * TILE : (j + 1) * TILE] = tile.reshape(TILE, TILE)
    return a, np.array(counts)


@pytest.mark.parametrize("link", [math.inf, 1e6, 1e3, 100.0, 1.0])
def test_each_tile_is_stored_in_the_form_that_costs_less(link):
    a, counts = panel()
    made = stored(TiledMatrix.from_dense(a, TILE), threshold(MADE_UP, link))
    sparse_cost = 0.02 * counts + 10 * counts / link
    dense_cost = 1.0 + 2048 / link
    assert made.marks.astype(bool).tolist() == (sparse_cost < dense_cost).tolist()
    assert np.array_equal(made.to_dense(), a)


def test_a_slower_link_makes_more_tiles_sparse_and_no_link_leaves_the_product_to_decide():
    found = [threshold(MADE_UP, link) for link in (math.inf, 1e3, 100.0, 1.0)]
    assert found == sorted(found)
    assert found[0] == 50  # 1 s ÷ 0.02 s
    assert found[-1] == 205  # 2049 s ÷ 10.02 s per entry: bytes alone


def test_all_tiles_are_sparse_or_none_where_one_form_always_costs_less():
    never = Costs((0, 256), (2.0, 3.0), (100.0, 100.0), 1.0, 0.0)
    always = Costs((0, 256), (0.0, 0.5), (0.0, 0.0), 1.0, 0.0)
    assert (threshold(never), threshold(always)) == (0, 257)


def test_a_measurement_that_says_fewer_seconds_for_more_non_zeros_is_noise():
    noisy = Costs((0, 100, 200, 256), (0.0, 1.5, 0.5, 3.0), (0.0,) * 4, 1.0, 0.0)
    assert threshold(noisy) == 67


def test_costs_are_measured_for_each_step_of_the_ladder():
    costs = measured_costs(TILE, n=64, rows=32)
    assert costs.nonzeros == tuple(ladder(TILE)) == (0, 4, 16, 64, 256)
    assert min(*costs.seconds, costs.dense_seconds) > 0
    assert len(costs.seconds) == len(costs.nbytes) == len(costs.nonzeros)
    assert costs.dense_nbytes >= TILE * TILE * 8
    assert np.diff(costs.nbytes).min() > 0
