"""NumPy's functions inside kernels: operations and bytes by definition."""

import math

import numpy as np
import pytest

from asafess.compiler import cost

V, A, I = "float64[::1]", "float64[:,::1]", "int64[::1]"  # noqa: E741
SIZES = {"a": (6, 4), "b": (4, 5), "v": (7,), "w": (7,), "i": (3,), "n": 9}


def _named(text):
    """Return a function of the arguments that a text uses, and their types."""
    used = [name for name in SIZES if name in set(compile(text, "", "eval").co_names)]
    names = {"np": np, "math": math}
    exec(f"def f({', '.join(used)}):\n return {text}", names)
    kinds = {"a": A, "b": A, "v": V, "w": V, "i": I, "n": "int64"}
    return names["f"], [kinds[name] for name in used], {name: SIZES[name] for name in used}


# text → flop, bytes read, bytes written
CASES = {
    "np.sum(v)": (7, 56, 0),
    "v.sum()": (7, 56, 0),
    "v.mean()": (8, 56, 0),
    "v.max()": (7, 56, 0),
    "a.prod()": (24, 192, 0),
    "np.argmax(v)": (0, 56, 0),
    "np.any(v > 0.5)": (0, 56 + 7, 7),
    "a.sum(axis=0)": (24, 192, 32),
    "np.sum(a, axis=1)": (24, 192, 48),
    "np.cumsum(v)": (7, 56, 56),
    "np.dot(v, w)": (14, 112, 0),
    "a @ b": (2 * 6 * 4 * 5, 192 + 160, 240),
    "np.dot(a, b)": (240, 352, 240),
    "a.T @ a": (2 * 4 * 6 * 4, 384, 128),
    "np.outer(v, w)": (49, 112, 392),
    "np.linalg.norm(v)": (15, 56, 0),
    "np.trace(a)": (6, 48, 0),
    "np.diff(v)": (6, 56, 48),
    "np.zeros(n)": (0, 0, 72),
    "np.zeros((n, 2), np.float32)": (0, 0, 72),
    "np.empty(n)": (0, 0, 0),
    "np.ones_like(a)": (0, 0, 192),
    "np.full(n, 2.0)": (0, 0, 72),
    "np.arange(n)": (0, 0, 72),
    "np.arange(1, n, 3)": (0, 0, 24),
    "np.linspace(0.0, 1.0, n)": (18, 0, 72),
    "np.eye(n)": (0, 0, 648),
    "a.copy()": (0, 192, 192),
    "a.astype(np.float32)": (0, 192, 96),
    "a.flatten()": (0, 192, 192),
    "a.ravel()": (0, 0, 0),
    "a.reshape(3, -1)": (0, 0, 0),
    "a.reshape((8, 3))[1:3].sum()": (6, 48, 0),
    "a.T": (0, 0, 0),
    "np.transpose(a)[1].sum()": (6, 48, 0),
    "np.concatenate((v, w))": (0, 112, 112),
    "np.array([1.0, 2.0])": (0, 0, 16),
    "v[1:-1]": (0, 0, 0),
    "v[::2].sum()": (4, 32, 0),
    "v[-3:].sum()": (3, 24, 0),
    "v[:100].sum()": (7, 56, 0),
    "a[:, 1].sum()": (6, 48, 0),
    "a[2].sum()": (4, 32, 0),
    "a[..., 0].sum()": (6, 48, 0),
    "v[i]": (0, 24 + 24, 24),
    "v[3] + a[1, 2]": (1, 16, 0),
    "v + w": (7, 112, 56),
    "v + 2.0 * w - 1.0": (21, 112, 56),
    "v * v": (7, 112, 56),
    "np.sqrt(v)": (7, 56, 56),
    "-np.abs(v)": (0, 56, 56),
    "np.maximum(v, w)": (7, 112, 56),
    "v / 3 > w": (7, 112, 7),
    "v ** 2": (7, 56, 56),
    "i + 1": (0, 24, 24),
    "i / 2": (3, 24, 24),
    "np.where(v > 0.0, v, w)": (0, 56 + 7 + 112, 7 + 56),
    "a + v[:4]": (24, 384, 192),
    "len(v) + v.size + v.shape[0] + v.ndim + a.nbytes": (0, 0, 0),
    "math.sqrt(v[0]) + abs(v[1]) + min(v[2], 1.0)": (4, 24, 0),
    "v[0] ** 3": (2, 8, 0),
    "np.float64(n) / 2": (1, 0, 0),
}


@pytest.mark.parametrize("text", CASES)
def test_counts_by_definition(text):
    function, kinds, sizes = _named(text)
    counts = cost(function, *kinds).evaluate(**sizes)
    assert (counts.flop, counts.read, counts.written) == CASES[text]


def test_complex_numbers_are_several_operations():
    def f(z):
        for i in range(z.size):
            z[i] = z[i] * z[i] + 1.0

    counts = cost(f, "complex128[:]").evaluate(z=(10,))
    assert counts.operations == {"mul": 40, "add": 40}
    assert (counts.read, counts.written) == (320, 160)


def test_elementary_functions_are_counted_by_name():
    def f(v):
        return np.exp(v) * np.sin(v)

    found = cost(f, V)
    assert {name: str(count) for name, count in found.operations.items()} == {"exp": "v0", "sin": "v0", "mul": "v0"}
    assert found.evaluate(v=(10,)).flop > 100  # each is many operations


def test_in_place_operations_write_where_they_read():
    def f(a, v):
        a += 1.0
        a[1:-1, 0] *= 2.0
        v[:] = a[:, 0]
        a[0] = 3.0

    counts = cost(f, A, V).evaluate(a=(6, 4), v=(6,))
    assert (counts.flop, counts.read, counts.written) == (24 + 4, 192 + 32 + 48, 192 + 32 + 48 + 32)


def test_a_mask_lets_through_a_share():
    def f(v):
        return v[v > 0.5].sum()

    found = cost(f, V)
    assert list(found.estimated) == ["n_1"]
    assert found.evaluate(v=(10,), n_1=4).flop == 4
