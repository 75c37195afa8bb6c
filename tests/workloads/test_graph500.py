import numpy as np
import pytest

from asafess.workloads import graph500


@pytest.mark.parametrize(
    ("scale", "panels", "rows"), [(11, 16, 128), (12, 16, 256), (13, 16, 512), (14, 64, 256), (10, 8, 128), (6, 1, 64)]
)
def test_default_panels_are_big_enough_and_many_enough(scale, panels, rows):
    """By default a dense panel takes up to 16 MiB, and there are 16 where the matrix has as many tile rows."""
    a = graph500.matrix(scale)
    assert (a.panels, a.rows(0)) == (panels, slice(0, rows))
    assert rows * a.shape[1] * 8 <= graph500.PANEL_BYTES


def test_defaults_are_those_of_the_main_job():
    """The default matrix is recursive, symmetrized, with a fifth of its tiles dense and random values."""
    a = graph500.matrix(11)
    assert (a.order, a.symmetrize, a.dense_share, a.fill, a.values, a.tile) == (
        "recursive",
        True,
        0.2,
        1.0,
        "random",
        128,
    )
    assert a.dtype == np.float64


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 0}, "scale is 0; it must be an integer from 1 to 28"),
        ({"scale": 29}, "scale is 29"),
        ({"order": "sorted"}, "order is 'sorted'; allowed are"),
        ({"topology": "tree"}, "topology is 'tree'; allowed are 'kronecker', 'uniform'"),
        ({"values": "twos"}, "values is 'twos'; allowed are 'random', 'ones', 'analytic'"),
        ({"dense_share": 1.1}, "dense_share is 1.1; it must be a number from 0 to 1"),
        ({"dense_share": float("nan")}, "dense_share is nan"),
        ({"fill": -0.1}, "fill is -0.1"),
        ({"tile": 0}, "tile is 0"),
        ({"panels": 17}, "panels is 17; it must be an integer from 1 to 16"),
        ({"panels": 0}, "panels is 0"),
        ({"dtype": np.int64}, "dtype is int64; values='random' need float32 or float64"),
        ({"dtype": complex, "values": "ones"}, "dtype is complex128"),
        ({"dtype": object, "values": "ones"}, "dtype is object"),
        ({"seeds": (2, 3, 4)}, "seeds is"),
        ({"dense_seed": 1.5}, "dense_seed is 1.5"),
    ],
)
def test_bad_arguments_are_named_with_what_is_allowed(arguments, message):
    """A bad argument is refused with its value and what is allowed."""
    with pytest.raises(ValueError, match=message):
        graph500.matrix(**{"scale": 11, **arguments})


def test_integer_and_boolean_ones_are_allowed():
    """A matrix of ones may have any boolean, integer or floating type."""
    for dtype in (bool, np.int8, np.int64, np.float32):
        a = graph500.matrix(6, values="ones", tile=16, dtype=dtype).panel_array(0)
        assert a.dtype == dtype
        assert set(np.unique(a).tolist()) == {0, 1}


def test_numpys_integers_are_integers_and_bytes_come_in_native_order():
    """Small ones would overflow in what is computed from them."""
    assert graph500.edges(np.int8(6), np.int8(16)).shape == (1024, 2)
    assert (graph500.edges(6, start=np.int64(1), count=2) == graph500.edges(6)[1:3]).all()
    assert graph500.edges(np.int8(9), order="random", count=3).shape == (3, 2)
    assert graph500.matrix(np.int32(17)).panels == graph500.matrix(17).panels
    assert graph500.matrix(7, values="ones", dtype=">i4", tile=16).panel(0, "full").dtype == np.dtype("i4")
