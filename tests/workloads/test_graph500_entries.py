import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.workloads import graph500_entries as entries


def test_hash_is_splitmix64():
    """The hash is the published output function of SplitMix64: outputs 1 to 3 of seed 0, and the first of 1234567."""
    found = [hex(h) for h in entries.hash64(0, np.array([1, 2, 3]))]
    assert found == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4", "0x6c45d188009454f"]
    assert int(entries.hash64(1234567, np.array([1]))[0]) == 6457827717110365317


@given(st.integers(0, 5000), st.floats(0, 1), st.integers(0, 2**64 - 1))
def test_exactly_the_share_of_tiles_is_dense(tiles, share, seed):
    """Exactly round(share * tiles) different tiles are chosen, whatever the seed."""
    chosen = entries.dense_tiles(tiles, share, seed)
    assert chosen.size == round(share * tiles)
    assert (np.diff(chosen) > 0).all()
    assert chosen.size == 0 or (chosen[0] >= 0 and chosen[-1] < tiles)


@given(st.integers(1, 100_000), st.floats(0, 1), st.data())
def test_tiles_of_a_range_are_those_of_the_whole(tiles, share, data):
    """The chosen tiles of a range are those of the whole in it, which are the ones with the lowest hashes."""
    start, stop = sorted(data.draw(st.tuples(st.integers(0, tiles), st.integers(0, tiles))))
    hashes = entries.hash64(entries.mixed_seed(7, 1), np.arange(tiles))
    chosen = np.sort(np.argsort(hashes)[: round(share * tiles)])
    np.testing.assert_array_equal(entries.dense_tiles(tiles, share, 7), chosen)
    np.testing.assert_array_equal(
        entries.dense_tiles(tiles, share, 7, start, stop), chosen[(chosen >= start) & (chosen < stop)]
    )


def test_the_dense_seed_moves_the_tiles():
    """Different seeds choose different tiles; the same seed the same."""
    a, b = entries.dense_tiles(256, 0.2, 1), entries.dense_tiles(256, 0.2, 2)
    assert not np.array_equal(a, b)
    np.testing.assert_array_equal(a, entries.dense_tiles(256, 0.2, 1))


@pytest.mark.parametrize("fill", [0.0, 0.1, 0.5, 1.0])
def test_fill_is_the_probability_of_a_cell(fill):
    """The share of cells that are present is the fill, within five standard deviations."""
    n = 100_000
    share = entries.present(np.arange(n), fill, seed=3).mean()
    assert abs(share - fill) <= 5 * np.sqrt(fill * (1 - fill) / n)


@given(st.integers(0, 2**64 - 1), st.integers(1, 20), st.data())
def test_values_are_symmetric_and_never_zero(seed, scale, data):
    """Random values lie in (0, 1] and are the same for (i, j) and (j, i)."""
    i, j = (data.draw(st.integers(0, 2**scale - 1)) for _ in range(2))
    a, b = entries.random_values(np.array([i << scale | j, j << scale | i]), scale, seed, symmetric=True)
    assert a == b
    assert 0 < a <= 1


@pytest.mark.parametrize("symmetric", [True, False])
def test_values_do_not_depend_on_how_many_are_made_at_a_time(symmetric):
    """Values made in blocks, in an array of any shape, are those made one by one."""
    positions = np.arange(3 * entries.BLOCK).reshape(3, -1)[:, ::7] * 5
    whole = entries.random_values(positions, 10, 5, symmetric)
    some = [(0, 0), (1, 77), (2, -1)]
    assert [whole[i] for i in some] == [
        entries.random_values(positions[i : i + 1, j], 10, 5, symmetric)[0] for i, j in some
    ]


def test_values_are_uniform_and_distinct():
    """Random values are spread evenly over (0, 1] and do not repeat."""
    v = entries.random_values(np.arange(100_000), 20, 5, symmetric=False)
    assert np.unique(v).size == v.size
    assert np.abs(np.histogram(v, 10, (0, 1))[0] - 10_000).max() < 500
