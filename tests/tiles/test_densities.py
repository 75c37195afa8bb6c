"""Which break-even densities are used."""

import dask
import numpy as np
import pytest
from tile_strategies import same_bits

from asafess import TiledMatrix
from asafess.tiles import densities, layout

F64 = np.dtype("float64")


def limit(form, threshold=None, dtype=F64):
    (words,) = layout.limits(form, (128, 128), 128, dtype, threshold)
    return int(words)


def test_where_nothing_is_known_light_is_the_paper_and_full_counts_bytes():
    assert limit("light") == 128
    assert limit("full") == 11916


def test_a_configured_density_is_used_read_on_the_first_use_and_only_for_its_dtype():
    with dask.config.set({"asafess.tile-compression": {"break-even": {"float64": {"light": 0.25, "full": 0.5}}}}):
        assert (limit("light"), limit("full")) == (4096, 8192)
        assert limit("light", dtype=np.dtype("float32")) == 128
    assert limit("light") == 4096
    densities.reset()
    assert limit("light") == 128


def test_what_is_given_goes_before_what_is_measured_and_a_threshold_before_both():
    densities.learn("float64", 0.125)
    assert limit("light") == 2048
    densities.use({"float64": {"full": 0.5}})
    assert limit("light") == 2048
    densities.use({"float64": {"light": 0.25}})
    assert limit("light") == 4096
    assert limit("light", threshold=128) == 128
    densities.use(None)
    assert limit("light") == 2048


def test_full_never_takes_a_tile_that_has_more_bytes_so():
    densities.use({"float64": {"full": 1.0}})
    assert limit("full") == 11916


def test_a_tile_at_the_density_stays_dense_and_one_below_becomes_sparse():
    a = np.zeros((4, 12))
    a[:2, :2] = 1  # 4 of 16
    a[:2, 4:6] = 1
    a[0, 4] = 0  # 3 of 16
    densities.use({"float64": {"light": 0.25}})
    assert TiledMatrix.from_dense(a, 4).recode("light").marks.tolist() == [0, 1, 1]
    densities.use({"float64": {"light": 0.2}})  # 3.2 of 16: three are below it
    assert TiledMatrix.from_dense(a, 4).recode("light").marks.tolist() == [0, 1, 1]
    densities.use({"float64": {"light": 0.0}})
    assert TiledMatrix.from_dense(a, 4).recode("light").marks.tolist() == [0, 0, 0]


def test_results_do_not_depend_on_it():
    a = np.random.default_rng(0).random((64, 64)) * (np.arange(64) % 5 == 0)
    panel, x = TiledMatrix.from_dense(a, 16), np.random.default_rng(1).random(64)
    for light in (0.0, 0.1, 1.0):
        densities.use({"float64": {"light": light}})
        assert same_bits(panel.recode("light") @ x, panel @ x)


def test_bad_densities_are_refused_and_the_ones_in_use_stay():
    densities.use({"float64": {"light": 0.25}})
    with pytest.raises(ValueError, match="light is 2"):
        densities.use({"float64": {"light": 2}})
    with pytest.raises(TypeError, match="complex128"):
        densities.use({"complex128": {"light": 0.5}})
    assert limit("light") == 4096


def test_a_bad_configuration_is_named_where_it_is_first_needed():
    with dask.config.set({"asafess.tile-compression.break-even": {"float64": {"light": "a lot"}}}):
        with pytest.raises(ValueError, match=r"break-even\.float64\.light is 'a lot'"):
            limit("light")
        assert limit("light", threshold=5) == 5
