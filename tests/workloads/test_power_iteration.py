import numpy as np
import pytest
import scipy.sparse.linalg

from asafess.workloads import graph500
from asafess.workloads.power_iteration import power_iteration

MATRIX = graph500.matrix(7, tile=16, panels=4, dense_share=0.0)
WHOLE = np.concatenate([MATRIX.panel_array(p) for p in range(4)])


def test_value_and_vector_are_those_of_scipy():
    """The pair found is the eigenpair of largest modulus that SciPy's Lanczos finds."""
    found = power_iteration(MATRIX, 200)
    value, vector = scipy.sparse.linalg.eigsh(WHOLE, 1, which="LM")
    assert found.sweeps == 200
    assert found.value == pytest.approx(value[0], rel=1e-12)
    np.testing.assert_allclose(abs(found.vector), abs(vector[:, 0]), atol=1e-9)


def test_each_sweep_is_that_of_numpy():
    """Three sweeps are three multiplications and normalizations written out."""
    x = x0 = np.linspace(1, 2, 128)
    for _ in range(3):
        x = x / np.linalg.norm(x)
        value, x = x @ WHOLE @ x, WHOLE @ x
    found = power_iteration(MATRIX, 3, x0=x0)
    assert found.value == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(found.vector, x / np.linalg.norm(x), rtol=1e-12)


@pytest.mark.parametrize(("placement", "form"), [("stream", "csr"), ("resident", "full"), (None, "dense")])
def test_a_cluster_finds_the_same_bits(client, placement, form):
    """Neither placement nor form nor cluster changes a bit of the result."""
    threads = power_iteration(MATRIX, 4, form="sparse")
    cluster = power_iteration(MATRIX, 4, client=client, placement=placement, form=form)
    assert cluster.value == threads.value
    np.testing.assert_array_equal(cluster.vector, threads.vector)


def test_a_tolerance_stops_early():
    """With a tolerance it stops when the value has settled; without, it makes all sweeps."""
    found = power_iteration(MATRIX, 500, tolerance=1e-6)
    assert 2 < found.sweeps < 500
    assert found.value == pytest.approx(power_iteration(MATRIX, 200).value, rel=1e-4)
    assert power_iteration([np.eye(2)], 7).sweeps == 7


def test_a_start_in_the_kernel_is_an_eigenvector_of_zero():
    """A start that the matrix sends to zero ends the iteration with value 0 instead of NaN."""
    found = power_iteration([np.zeros((2, 2))], 5)
    assert (found.value, found.sweeps) == (0.0, 1)
    assert np.isfinite(found.vector).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([np.eye(2)], 0), "iterations is 0; it must be an integer from 1"),
        (([np.ones((2, 3))], 3), r"the matrix has shape \(2, 3\); power iteration needs a square one"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    """Bad arguments are refused with their value and what is allowed."""
    with pytest.raises(ValueError, match=message):
        power_iteration(*arguments)


@pytest.mark.parametrize("x0", [np.ones(3), np.zeros(2), np.array([1.0, np.nan])])
def test_a_bad_start_is_refused(x0):
    """A start of the wrong length, of zeros or with NaN is refused."""
    with pytest.raises(ValueError, match=r"x0 has shape .* shape \(2,\) that is not all zero"):
        power_iteration([np.eye(2)], 3, x0=x0)
