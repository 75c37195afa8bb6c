"""Operations of products, factorizations and transforms, beside closed formulas."""

import math

import dask.array as da
import numpy as np
import pytest
import scipy.linalg
from graphs import called, graph_of, interpreted

from asafess.compiler.abstract.einsum import contraction
from asafess.compiler.abstract.values import Unknown, array_of

A, B = array_of((60, 40), "f8"), array_of((40, 30), "f8")
SQUARE = array_of((50, 50), "f8")
N = 50


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "flop"),
    [
        (np.matmul, (A, B), {}, 2 * 60 * 40 * 30),
        (np.dot, (A, array_of((40,), "f8")), {}, 2 * 60 * 40),
        (np.tensordot, (A, A), {"axes": ((0,), (0,))}, 2 * 40 * 60 * 40),
        (np.matmul, (array_of((7, 6, 5), "f8"), array_of((5, 4), "f8")), {}, 2 * 7 * 6 * 5 * 4),
        (np.matmul, (array_of((6, 5), "c16"), array_of((5, 4), "c16")), {}, 8 * 6 * 5 * 4),
        (np.outer, (array_of((5,), "f8"), array_of((6,), "f8")), {}, 30),
        (np.linalg.cholesky, (SQUARE,), {}, N**3 / 3),
        (np.linalg.inv, (SQUARE,), {}, 2 * N**3),
        (np.linalg.inv, (array_of((9, 5, 5), "f8"),), {}, 9 * 2 * 5**3),
        (np.linalg.solve, (SQUARE, array_of((N, 8), "f8")), {}, 2 / 3 * N**3 + 2 * N * N * 8),
        (scipy.linalg.solve_triangular, (SQUARE, array_of((N, 8), "f8")), {}, N * N * 8),
        (scipy.linalg.lu, (SQUARE,), {}, 2 / 3 * N**3),
        (np.linalg.qr, (array_of((200, 20), "f8"),), {}, 4 * (200 * 20**2 - 20**3 / 3)),
        (np.linalg.qr, (array_of((200, 20), "f8"),), {"mode": "r"}, 2 * (200 * 20**2 - 20**3 / 3)),
        (np.linalg.svd, (array_of((200, 20), "f8"),), {"full_matrices": False}, 6 * 200 * 20**2 + 20 * 20**3),
        (np.fft.fft, (array_of((4, 1024), "c16"),), {}, 4 * 5 * 1024 * 10),
        (np.fft.fft2, (array_of((4, 32, 64), "c16"),), {}, 4 * 5 * 2048 * 11),
        (np.fft.rfft, (array_of((1024,), "f8"),), {}, 2.5 * 1024 * 10),
        (np.fft.irfft, (array_of((513,), "c16"),), {}, 2.5 * 1024 * 10),
    ],
)
def test_operations_are_the_textbooks(function, args, kwargs, flop):
    found = called(function, *args, **kwargs)
    assert found.known, found.why
    assert math.isclose(found.flop, flop, rel_tol=1e-9)
    real = function(
        *(
            np.eye(one.shape[-1], dtype=one.dtype)
            if len(set(one.shape)) == 1 and len(one.shape) == 2
            else np.ones(one.shape, one.dtype) + _eye(one)
            for one in args
        ),
        **kwargs,
    )
    for value, array in zip(
        found.value if isinstance(found.value, tuple) else [found.value],
        real if isinstance(real, tuple) else [real],
        strict=True,
    ):
        assert (value.shape, value.dtype) == (array.shape, array.dtype)
    inputs = sum(one.nbytes for one in args)
    results = sum(array.nbytes for array in (real if isinstance(real, tuple) else [real]))
    assert found.nbytes >= inputs + results
    assert found.nbytes <= 4 * (inputs + results)


def test_products_of_integers_are_no_floating_point_operations():
    whole, real = array_of((6, 6), "i8"), array_of((6, 6), "f8")
    assert (called(np.matmul, whole, whole).flop, called(np.matmul, whole, real).flop) == (0, 2 * 6**3)


def _eye(one):
    return np.eye(*one.shape[-2:]) if len(one.shape) > 1 else 0.0


@pytest.mark.parametrize(
    "name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fft2", "rfft2", "irfft2", "fftn", "rfftn"]
)
def test_shapes_of_transforms_are_numpys(name):
    function = getattr(np.fft, name)
    for options in ({}, {"n": 7} if name.endswith("fft") else {"s": (6, 8), "axes": (0, 1)}):
        for dtype in ("f8", "f4"):
            real = function(np.ones((10, 12), dtype), **options)
            found = called(function, array_of((10, 12), dtype), **options).value
            assert (found.shape, found.dtype) == (real.shape, real.dtype)


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [("ij,jk->ik", ((2, 3), (3, 4))), ("ij,jk", ((2, 3), (3, 4))), ("ii->i", ((3, 3),)), ("abc->cab", ((2, 3, 4),))],
)
def test_einsum_is_numpys(subscripts, shapes):
    shape, _ = contraction(subscripts, shapes)
    assert shape == np.einsum(subscripts, *map(np.ones, shapes)).shape


def test_an_einsum_that_does_not_fit_is_not_known():
    for subscripts in ("ij,jk->ik", "i...->i", "ijk"):
        with pytest.raises(Unknown):
            contraction(subscripts, ((2, 3), (4, 5)))


def test_a_blocked_product_does_what_the_whole_one_does():
    n, chunk = 400, 100
    product = da.random.random((n, n), chunks=chunk) @ da.random.random((n, n), chunks=chunk)
    parts = [part for inferred in interpreted(graph_of(product)).values() for part in inferred.parts]
    assert sum(part.flop for part in parts if part.kind == "linalg") == 2 * n**3
    # and adds the blocks of a row and a column up
    assert sum(part.flop for part in parts if part.name == "numpy.add") == (n // chunk - 1) * n * n


def test_a_blocked_cholesky_does_what_the_whole_one_does():
    n = 400
    graph = graph_of(da.linalg.cholesky(da.from_array(np.eye(n), chunks=50), lower=True))
    flop = sum(inferred.flop for inferred in interpreted(graph).values())
    assert n**3 / 3 < flop < 1.3 * n**3 / 3


def test_shapes_that_can_not_be_multiplied_are_not_known():
    found = called(np.matmul, A, A)
    assert not found.known
    assert "can't be multiplied" in found.why
    assert not called(np.matmul, A, object()).known
