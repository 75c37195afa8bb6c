"""Plain Python functions, interpreted over shapes, beside what they do when they run on arrays that count."""

import operator

import numpy as np
import pytest
from dask._task_spec import Task, TaskRef

from asafess.compiler import plain as module
from asafess.compiler.abstract.values import UNKNOWN, array_of
from asafess.compiler.plain import STEPS, FunctionInterpreter

ARITHMETIC = (np.add, np.subtract, np.multiply, np.divide, np.negative)
WEIGHTS = (0.5, 0.25)


class Counted(np.ndarray):
    """An array that counts the arithmetic done with it, of all arrays together."""

    flop = 0

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        arrays = [np.asarray(one) if isinstance(one, Counted) else one for one in inputs]
        more = {} if out is None else {"out": tuple(np.asarray(one) for one in out)}
        found = getattr(ufunc, method)(*arrays, **more, **kwargs)
        if ufunc in ARITHMETIC and ufunc is not np.negative:
            Counted.flop += found.size if method == "__call__" else arrays[0].size
        return found.view(Counted) if isinstance(found, np.ndarray) else found


def smoothed(x, weights=WEIGHTS):
    out = np.zeros_like(x)
    for k, weight in enumerate(weights, start=1):
        out[2:-2] += weight * (x[2 + k : len(x) - 2 + k] - x[2 - k : -2 - k])
    return out


def star(block):
    """Return a star stencil."""
    out = np.zeros_like(block)
    inside = (slice(2, -2), slice(2, -2))
    for k, weight in ((1, 0.25), (2, 0.125)):
        right, left = block[2:-2, 2 + k : block.shape[1] - 2 + k], block[2:-2, 2 - k : -2 - k]
        below, above = block[2 + k : block.shape[0] - 2 + k, 2:-2], block[2 - k : -2 - k, 2:-2]
        out[inside] += weight * (right - left + below - above)
    return out


def with_tests(x, factor=None):
    if factor is None and x.ndim > 1:
        factor = 2.0 if not x.shape[0] % 2 else 3
    elif factor:
        return x
    else:
        pass
    return (x.T * factor)[::2]


def grows_a_list(x):
    import numpy as xp

    found = [x * k for k in range(1, 3) if k != 5]
    for axis in range(x.ndim):
        found.append(x + axis)  # noqa: PERF401
    return xp.stack(found)


def makes_a_list(x):
    parts = []
    for k in (1, 2, 3):
        parts.append(k * x[::k].sum(axis=-1))  # noqa: PERF401
    return parts[0] + sum([1.0, 2.0]), {"last": parts[-1]}["last"]


def helper(x, *more, scale=1.0, **named):
    return x * scale + named["offset"] if named else x * scale


def calls_others(x):
    arguments = {"scale": 3.0}
    total = helper(x, 1, 2, **arguments)
    total -= helper(*[x])
    return double(total)


def closing_over(n):
    bias = 1.5

    def inner(x):
        y = x
        for _ in range(n):
            y = y * bias + x
        return y

    return inner


def decorated(function):
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@decorated
def with_a_decorator(x):
    return x + x


double = lambda x: 2 * x  # noqa: E731


@pytest.mark.parametrize(
    "function",
    [smoothed, star, with_tests, grows_a_list, makes_a_list, calls_others, closing_over(3), with_a_decorator, double],
)
@pytest.mark.parametrize(("shape", "dtype"), [((12, 9), "f8"), ((7, 8), "f4")])
def test_flop_shapes_and_data_types_are_those_of_the_run(function, shape, dtype):
    Counted.flop = 0
    expected = function(np.ones(shape, dtype).view(Counted))
    on = FunctionInterpreter(None)
    found = on.call(function, (array_of(shape, dtype),), {})
    assert [part.why for part in on.parts if not part.known] == []
    assert sum(part.flop for part in on.parts) == Counted.flop
    pairs = zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]
    assert [(one.shape, one.dtype) for one, _ in pairs] == [
        (one.shape, one.dtype) for one in (expected if isinstance(expected, tuple) else (expected,))
    ]


def branches_on_data(x):
    if x[0, 0] > 0:
        return x
    return x + 1


def loops_over_data(x):
    total = 0
    for row in x:
        total += row
    return total


def loops_while(x):
    while x.shape[0] > 3:
        x = x[::2]
    return x


def raises(x):
    if x.ndim == 2:
        raise ValueError("two")
    return x


def too_early(x):
    y = later  # noqa: F821
    later = x
    return y + later


def imports(x):
    import a_module_that_is_not_there as other

    return other.f(x)


def for_ever(x):
    return for_ever(x)


def for_long(x):
    for _ in range(10**9):
        x = x[:]
    return x


def generator(x):
    yield x


def huge_number(x):
    return x * 10**10**9


def huge_list(x):
    return x[[0] * 10**10]


def huge_text(x):
    return x, "%1000000000d" % 5  # noqa: UP031


def nested(x):
    t = (1,)
    for _ in range(60):
        t = (t, t)
    return x * (t == t)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (branches_on_data, "line {1}: the test `x[0, 0] > 0` depends on data"),
        (loops_over_data, "line {2}: a loop over `x`"),
        (loops_while, "line {1}: `while` is not followed"),
        (raises, "line {2}: `raise` is not followed"),
        (too_early, "line {1}: later has no value yet"),
        (imports, "line {1}: a_module_that_is_not_there is not imported yet"),
        (for_ever, "nest deeper"),
        (for_long, f"more than {STEPS} steps"),
        (generator, "no rule"),
        (huge_number, "large number"),
        (huge_list, "repeated often"),
        (huge_text, "large number"),
        (nested, "line {3}: a container of more than"),
    ],
)
def test_what_can_not_be_followed_is_not_known_and_says_why(function, says):
    on = FunctionInterpreter(None)
    on.call(function, (array_of((6, 6), "f8"),), {})
    [*why] = [part.why for part in on.parts if not part.known]
    assert why
    first = function.__code__.co_firstlineno
    expected = says.format(*range(first, first + 5))
    assert any(word in reason for word in expected.split("|") for reason in why)


def test_nothing_is_called_and_nothing_of_the_users_is_changed():
    called = []

    def remembers(x, into):
        called.append(x)
        into.append(x)
        return x

    mine = []
    on = FunctionInterpreter(None)
    assert on.call(remembers, (array_of((3,), "f8"), mine), {}) is UNKNOWN
    assert called == mine == []


def test_functions_with_rules_are_left_to_them():
    on = FunctionInterpreter(None)
    assert on.call(operator.add, (array_of((3,), "f8"), 1), {}).shape == (3,)
    assert [part.name for part in on.parts] == ["numpy.add"]


def test_a_task_that_calls_a_plain_function_is_the_sum_of_what_that_does():
    on = FunctionInterpreter({"x": array_of((10,), "f8")}.get)
    assert on.node(Task("key", double, TaskRef("x"))).shape == (10,)
    assert sum(part.flop for part in on.parts) == 10
    assert module.FunctionInterpreter(None).call(double, (UNKNOWN,), {}) is UNKNOWN
