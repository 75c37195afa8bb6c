"""Syntax trees of functions, and that they are those of what was compiled."""

import ast
import statistics
import textwrap

import cloudpickle
import numpy as np

from asafess.compiler.source import tree


def plain(x, n=3):
    return np.sum(x[:n])


def several():
    return (lambda x: x + 1), (lambda x: x + 2)


def closing(n):
    def inner(x, *more, last=None, **named):
        return x[n] + inner.__defaults__ if more else named

    return inner


def from_file(path, source, name="f"):
    path.write_text(textwrap.dedent(source))
    names = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    return names[name]


def test_functions_have_a_tree():
    assert tree(plain).name == "plain"
    assert tree(closing(1)).name == "inner"
    assert tree(statistics.fmean).name == "fmean"
    assert tree(plain) is tree(plain)


def test_lambdas_of_one_line_are_told_apart():
    first, second = map(tree, several())
    assert (ast.unparse(first.body), ast.unparse(second.body)) == ("x + 1", "x + 2")


def test_a_function_that_was_sent_has_the_tree_of_its_file():
    assert tree(cloudpickle.loads(cloudpickle.dumps(closing(2)))).name == "inner"


def test_imported_names_and_others_are_read_alike(tmp_path):
    source = """
        import math
        from math import sqrt
        other = math
        def f(x):
            return math.exp(x) + sqrt(other.exp(x))
    """
    assert tree(from_file(tmp_path / "one.py", source)).name == "f"


def test_another_source_than_that_which_was_compiled_is_not_taken(tmp_path):
    before = "def f(x):\n    if x:\n        x = x + 1\n        x = x * 2\n    return x\n"
    for at, after in enumerate(
        [
            before.replace("+ 1", "+ 2"),
            before.replace("        x = x * 2", "    x = x * 2"),
            before.replace("x * 2", "x - 2"),
            before.replace("if x:", "if not x:"),
            before.replace("def f(x)", "def f(*x)"),
            "def f(x):\n    return x\n",
            "x = 5\n",
            "",
        ]
    ):
        path = tmp_path / f"edited_{at}.py"
        function = from_file(path, before)
        path.write_text(after)
        assert tree(function) is None, after
    unchanged = from_file(tmp_path / "unchanged.py", before)
    assert tree(unchanged) is not None


def test_what_has_no_source_has_no_tree():
    names = {}
    exec("def f(x):\n    return x + 1", names)
    assert tree(names["f"]) is None


def test_generators_and_coroutines_have_none():
    def generator(x):
        yield x

    async def coroutine(x):
        return x

    assert tree(generator) is tree(coroutine) is None
