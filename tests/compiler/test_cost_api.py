"""What `cost` takes, refuses, leaves alone and prints."""

import pickle
import subprocess
import sys

import cloudpickle
import numpy as np
import pytest
from numba import njit, types, vectorize

from asafess.compiler import cost
from asafess.compiler.cost import NotCountedError, try_cost


@njit
def double(x):
    return x * 2.0


@njit
def doubled(a):
    total = 0.0
    for i in range(a.size):
        total += double(a[i])
    return total


def scaled(a, x, k=3):
    for i in range(k, a.size):
        a[i] *= x


def generator(a):
    yield a[0]


@njit
def recursive(n):
    return 1.0 if n < 2 else recursive(n - 1) * 2.0


@vectorize
def vectorized(x):
    return x + 1.0


def calls_vectorized(a):
    return vectorized(a)


def appends(a):
    found = []
    for i in range(a.size):
        found.append(a[i])  # noqa: PERF401
    return found


def no_such_method(a):
    return a.no_such_method()


def joins(text):
    return text + text


def catches(a):
    try:
        a[0] = 1.0
    except Exception:
        a[0] = 2.0


def objects(a):
    return {"a": a}["a"]


def records(r):
    for i in range(r.size):
        r[i].x += 1.0


def test_types_may_be_given_in_any_form():
    array = np.ones((3, 4))[0]
    for given in (["float64[:]", "float64"], [types.float64[:], np.float64], [array, 2.0], [array, np.dtype("f8")]):
        assert str(cost(scaled, *given, "int64").flop) == "a0 - k"
    assert str(cost(scaled, "float32[:]", "float32").bytes) == "8*a0 - 24"


def test_the_only_signature_of_a_dispatcher_is_the_default():
    one = njit("void(float64[:], float64, int64)")(scaled)
    assert cost(one).flop == cost(scaled, "float64[:]", "float64", "int64").flop
    with pytest.raises(NotCountedError, match="0 signatures"):
        cost(njit(scaled))


def test_kernels_are_neither_compiled_nor_changed():
    assert str(cost(doubled, "float64[:]").flop) == "2*a0"
    assert not doubled.overloads
    assert not double.overloads
    assert not doubled._compiler._failed_cache


@pytest.mark.parametrize(
    ("function", "given", "says"),
    [
        (generator, ["float64[:]"], "generator, line {1}: `yield` is not followed"),
        (recursive, ["int64"], "recursion"),
        (calls_vectorized, ["float64[:]"], "vectorize"),
        (appends, ["float64[:]"], "appends, line {3}: attribute `append`"),
        (no_such_method, ["float64[:]"], "no_such_method"),
        (joins, ["unicode_type"], "`add` with a result of type unicode_type"),
        (catches, ["float64[:]"], "catches, line"),
        (objects, ["float64[:]"], "objects, line"),
        (records, [np.zeros(3, [("x", "f8")])], "attribute `x`"),
        (scaled, ["no type"], "neither an argument nor a type"),
        (scaled, ["float64[:]"] * 4, "too many"),
        (len, ["float64[:]"], "neither a Numba kernel nor a plain"),
        (vectorized, ["float64[:]"], "neither a Numba kernel nor a plain"),
        (None, [], "neither"),
    ],
)
def test_what_cant_be_counted_says_why(function, given, says):
    code = getattr(function, "__code__", None)
    lines = [code.co_firstlineno + at for at in range(5)] if code else []
    with pytest.raises(NotCountedError, match=says.format(*lines) if lines else says):
        cost(function, *given)
    assert try_cost(function, *given) is None


def test_functions_without_a_source_file():
    names = {}
    exec("def f(a, k):\n for i in range(k):\n  a[i] += 1.0", names)
    assert str(cost(names["f"], "float64[:]", "int64").flop) == "k"
    again = cloudpickle.loads(cloudpickle.dumps(njit(names["f"])))
    assert str(cost(again, "float64[:]", "int64").flop) == "k"


def test_functions_of_main():
    script = (
        "from asafess.compiler import cost\n"
        "def f(a):\n    for i in range(a.size):\n        a[i] += 1.0\n"
        "print(cost(f, 'float64[:]').flop)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "a0\n"


def test_importing_the_compiler_loads_neither_numba_nor_sympy():
    script = "import sys, asafess, asafess.compiler; print({'numba', 'sympy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_cost_can_be_sent():
    found = pickle.loads(pickle.dumps(cost(scaled, "float64[:]", "float64", "int64")))
    assert found.evaluate(a=(10,), k=4).flop == 6
    assert found.evaluate(a=(2,), k=4).flop == 0  # an empty range


def test_missing_numbers_are_named():
    def walk(indptr, a):
        for i in range(indptr.size - 1):
            for k in range(indptr[i], indptr[i + 1]):
                a[k] += 1.0

    found = cost(walk, "int64[:]", "float64[:]")
    assert list(found.estimated) == ["n_1"]
    assert found.evaluate(indptr=(11,), a=(50,), n_1=5).flop == 50
    with pytest.raises(ValueError, match="n_1: mean number of turns of the loop `for k`"):
        found.evaluate(indptr=(11,), a=(50,))
    # rows of 0, 3 and 1
    assert found.bind(np.array([0, 0, 3, 4]), np.ones(4)).flop == 4
    assert found.bind(np.array([0, 0, 3, 4]), np.ones(4), n_1=2).flop == 6


def test_a_mean_is_not_taken_of_what_the_kernel_writes():
    def filled(n, a):
        for i in range(n.size):
            n[i] = i
            for j in range(n[i]):
                a[j] += 1.0

    found = cost(filled, "int64[:]", "float64[:]")
    with pytest.raises(ValueError, match="n_1"):
        found.bind(np.zeros(4, np.int64), np.ones(4))


def test_the_printed_form():
    text = str(cost(doubled, "float64[:]"))
    assert text.splitlines()[:2] == ["cost of doubled", "  flop         2*a0"]
    assert "for i: 2*a0 flop, 8*a0 read, 0 written" in text


def test_loops_add_up():
    def two(a, b):
        for i in range(a.size):
            a[i] += 1.0
        for j in range(b.size):
            b[j] = a[j] * 2.0 + 1.0

    found = cost(two, "float64[:]", "float64[:]")
    assert [(row.loops, str(row.flop)) for row in found.per_loop] == [("for i", "a0"), ("for j", "2*b0")]
    assert sum(row.read for row in found.per_loop) == found.read
    assert str(found.intensity) == "(a0 + 2*b0)/(16*a0 + 16*b0)"


def test_footprint_is_a_box_around_what_is_touched():
    def triangle(a, b):
        for i in range(2, a.shape[0] - 1):
            for j in range(3):
                a[i, j] = b[i]

    counts = cost(triangle, "float64[:,:]", "float64[:]").evaluate(a=(10, 5), b=(20,))
    assert counts.footprint == 8 * (7 * 3 + 7)


def test_either_way_is_a_share():
    def either(a, b):
        for i in range(a.size):
            if a[i] > 0.0:
                b[i] += 1.0
            else:
                b[i] -= 1.0

    def one(a, b):
        for i in range(a.size):
            if b[i] > 0.0:
                b[i] += 1.0

    assert not cost(either, "float64[:]", "float64[:]").estimated  # both cost the same
    found = cost(one, "float64[:]", "float64[:]")
    assert list(found.estimated) == ["p_1"]
    assert found.evaluate(a=(8,), b=(8,), p_1=0.25).flop == 2


def test_a_step_of_unknown_sign_may_turn_nowhere():
    def down(a, b, step):
        for i in range(a.size - 1, -1, step):
            b[i] = a[i]

    found = cost(down, "float64[:]", "float64[:]", "int64")
    counts = {step: found.bind(np.ones(10), np.ones(10), step) for step in (-1, -3, 1, 2)}
    assert [one.bytes for one in counts.values()] == [160.0, 64.0, 0.0, 0.0]
    assert all(0 <= one.traffic <= one.bytes for one in counts.values())


def test_an_empty_array_has_no_element_to_look_at():
    def leading(a, b):
        i = 0
        while i < a.size and a[i] > 0.0:
            b[i] = a[i]
            i += 1

    found = cost(leading, "float64[:]", "float64[:]")
    for size in (0, 1):  # how often it turns, the data does not tell in advance
        with pytest.raises(ValueError, match="evaluate needs n_1"):
            found.bind(np.ones(size), np.ones(size))
        assert found.bind(np.ones(size), np.ones(size), n_1=size).bytes >= 0.0
