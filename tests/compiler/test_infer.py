"""A task → what it does → its type; and that nothing raises, and nothing is guessed."""

import operator
import subprocess
import sys

import dask
import numpy as np
import pytest
from dask._task_spec import Alias, DataNode, Dict, List, Task, TaskRef
from graphs import called, graph_of, interpreted

from asafess.compiler.abstract.parts import KINDS, Inferred, Part
from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf, array_of
from asafess.compiler.infer import found_type, infer

A = array_of((100, 50), "f8")


def mine(block):
    raise RuntimeError("a user's function is never called")


def test_nodes_that_are_no_calls_hand_values_on():
    assert infer(DataNode("x", np.zeros(3)), {}.get).value.shape == (3,)
    assert infer(Alias("y", "x"), {"x": A}.get) == Inferred(A)
    assert infer(TaskRef("x"), {"x": A}.get).value == A
    assert infer(List(TaskRef("x"), 5), {"x": A}.get).value == [A, 5]
    assert infer(Dict({"a": TaskRef("x")}), {"x": A}.get).value == {"a": A}
    for inferred in (infer(Alias("y", "x"), {"x": A}.get), infer(DataNode("x", object()), {}.get)):
        assert found_type(inferred, "x").type.loads == {"compute": 0, "memory": 0}


def test_a_fused_task_is_the_sum_of_its_parts():
    first = Task("first", np.exp, TaskRef("x"))
    second = Task("second", operator.add, TaskRef("first"), TaskRef("z"))
    fused = Task.fuse(first, second)
    found = infer(fused, {"x": A, "z": A}.get)
    assert [part.name for part in found.parts] == ["numpy.exp", "numpy.add"]
    assert found.flop == 25 * 5000
    assert found.nbytes == (2 + 3) * 40_000
    assert found.value == A


def test_a_long_fused_chain_is_no_recursion():
    tasks = [Task(0, operator.add, TaskRef("x"), 1)]
    tasks += [Task(k, operator.add, TaskRef(k - 1), 1) for k in range(1, 300)]
    found = infer(Task.fuse(*tasks), {"x": A}.get)
    assert found.flop == 300 * 5000
    too_many = [*tasks, *[Task(k, operator.add, TaskRef(k - 1), 1) for k in range(300, 500)]]
    assert "parts are more than" in infer(Task.fuse(*too_many), {"x": A}.get).why


@pytest.mark.parametrize("function", [mine, print, lambda x: x, type("Callable", (), {"__call__": mine})()])
def test_a_users_function_is_not_known_and_not_called(function):
    found = called(function, A)
    assert not found.known
    assert "no rule" in found.why
    assert found_type(found, "mine") is None


def test_one_part_that_is_not_known_leaves_the_whole_task_untyped():
    fused = Task.fuse(Task("first", np.exp, TaskRef("x")), Task("second", mine, TaskRef("first")))
    found = infer(fused, {"x": A}.get)
    assert [part.known for part in found.parts] == [True, False]
    assert found_type(found, "f") is None
    assert "mine" in found.why


def test_an_item_of_what_nobody_knows_costs_nothing():
    found = called(operator.getitem, UNKNOWN, 1)
    assert found.known
    assert found.value is UNKNOWN
    assert found.nbytes == 0
    assert not called(operator.getitem, UNKNOWN, "key").known


class Nasty:
    """Does anything when it is looked at."""

    def __getattr__(self, name):
        raise SystemError(name)

    def __index__(self):
        raise SystemError("index")

    __len__ = __iter__ = __eq__ = __hash__ = __index__


@pytest.mark.parametrize("value", [Nasty, object(), None, float("nan"), -1, "text", {}, [], [[]], np.int64(3), ...])
def test_nothing_raises(value):
    value = Nasty() if value is Nasty else value
    for function in (np.add, np.sum, np.dot, np.sort, np.fft.fft, np.concatenate, operator.getitem, np.reshape, len):
        for args in ((value,), (value, A), (A, value), (A, A, A, value)):
            found = infer(Task("y", function, *args), {}.get)
            assert found.known or found.why


class Untouched(list):
    """A list that nobody goes through."""

    def __iter__(self):
        raise AssertionError("gone through")


def test_a_long_list_is_not_gone_through():
    numbers = Untouched(range(100_000))
    assert called(np.sum, numbers).nbytes == 800_000 + 8
    assert called(np.sort, numbers).value.shape == (100_000,)
    assert "more than" in called(sum, numbers).why
    assert called(sum, [1, 2]).value == 3


def test_a_dependency_that_can_not_be_had_is_not_known():
    def nobody(key):
        raise KeyError(key)

    assert not infer(Task("y", np.exp, TaskRef("x")), nobody).known
    assert not infer(Task("y", np.exp, TaskRef("x")), lambda key: UNKNOWN).known
    assert not infer(object(), nobody).parts


def test_types_have_two_loads_and_say_why():
    found = found_type(called(np.matmul, A, array_of((50, 20), "f8")), "product", confidence=0.9)
    assert found.type.name == "product"
    assert found.type.loads == {"compute": 2 * 100 * 50 * 20, "memory": 64_000.0}
    assert (found.source, found.confidence, found.why) == ("compiler", 0.9, "linalg numpy.matmul")
    assert found_type(Inferred(None, (Part("f", "linalg", float("inf")),)), "f") is None


def test_delayed_and_submitted_functions_of_numpy_are_typed():
    x = dask.delayed(np.ones)((100, 50))
    product = dask.delayed(np.dot)(x, dask.delayed(np.transpose)(x))
    inferred = interpreted(graph_of(product))
    assert sum(one.flop for one in inferred.values()) == 2 * 100 * 100 * 50
    submitted = Task("sum-1", np.sum, TaskRef("x"))  # what `client.submit(np.sum, future)` sends
    assert infer(submitted, lambda key: ArrayOf(None, None, 8e6)).flop == 1e6


def test_every_part_is_of_a_kind():
    for found in (called(np.add, A, A), called(mine, A), called(np.sort, A), called(np.copy, A)):
        assert all(part.kind in KINDS for part in found.parts)
        assert all(part.bytes == part.nbytes for part in found.parts)


def test_frames_and_arrays_do_not_mix_silently():
    frame = FrameOf("frame", 100, 800.0, ("a",))
    assert not called(np.dot, frame, A).known
    assert called(np.exp, frame).confidence < 1


def test_the_scheduler_imports_nothing_for_it():
    code = (
        "import sys, asafess.compiler.inference; print({'numpy', 'pandas', 'numba', 'dask.array'} & set(sys.modules))"
    )
    before = "import sys, distributed.utils; print({'numpy', 'pandas', 'numba', 'dask.array'} & set(sys.modules))"
    outputs = [subprocess.run([sys.executable, "-c", text], capture_output=True, text=True) for text in (before, code)]
    assert outputs[0].stdout == outputs[1].stdout != ""
