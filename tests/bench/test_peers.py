import numpy as np
import pytest
import scipy.sparse
from asafess.bench.peers import PEERS, Peer, usable


def made(name, csr, threads=1):
    if reason := PEERS[name].missing:
        pytest.skip(reason)
    return PEERS[name].make(csr, 16, threads)


def a_matrix(shape, dtype, density=0.2):
    return scipy.sparse.random_array(shape, density=density, rng=np.random.default_rng(1), format="csr", dtype=dtype)


@pytest.mark.parametrize("name", PEERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(64, 96), (7, 5)])
def test_a_peer_multiplies_as_scipy_does(name, dtype, shape):
    csr, rng = a_matrix(shape, dtype), np.random.default_rng(2)
    product = made(name, csr)
    for k in ((), (), (3,)):  # a second vector, as some keep their y
        x = rng.random((shape[1], *k)).astype(dtype)
        y = product(x)
        assert y.dtype == dtype
        np.testing.assert_allclose(y, csr @ x, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-6)


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_multiplies_on_two_threads(name):
    csr, x = a_matrix((512, 512), "float64"), np.random.default_rng(2).random(512)
    np.testing.assert_allclose(made(name, csr, threads=2)(x), csr @ x, rtol=1e-12)


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_leaves_the_matrix_as_it_is(name):
    csr = a_matrix((32, 32), "float64")
    csr.indices, csr.indptr = csr.indices.astype(np.int64), csr.indptr.astype(np.int64)
    before = csr.copy()
    made(name, csr)(np.ones(32))
    for part in ("data", "indices", "indptr"):
        found, expected = getattr(csr, part), getattr(before, part)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_what_a_peer_needs_is_known_before_it_is_made():
    csr = a_matrix((64, 32), "float64")
    assert PEERS["numpy"].nbytes(csr, 16) == csr.toarray().nbytes
    assert PEERS["scipy-bsr"].nbytes(csr, 16) >= csr.tobsr((2, 2)).data.nbytes


def test_a_peer_that_is_not_installed_is_skipped_with_a_line(monkeypatch):
    def load():
        raise ImportError("No module named 'nothing'\nand more")

    absent = Peer("absent", PEERS["numpy"].make, PEERS["numpy"].nbytes, load)
    monkeypatch.setitem(PEERS, "absent", absent)
    said = []
    assert list(usable(["absent", "scipy-csr"], said.append)) == ["scipy-csr"]
    assert said == ["absent: skipped, No module named 'nothing'"]


def test_numpy_and_scipy_are_always_there():
    assert {"numpy", "scipy-csr", "scipy-bsr"} <= set(usable(say=lambda _: None))
