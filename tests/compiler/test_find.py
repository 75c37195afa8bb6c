"""What persons have said of a task, and whose word counts."""

import pytest
from dask._task_spec import Task

import asafess
from asafess.compiler.find import combined, find
from asafess.compiler.resolve import PrefixTable
from asafess.core.task_type import declare


@asafess.task(intensity=1.0)
def declared(x):
    return x


def plain(x):
    return x


NOTE = {"asafess": {"name": "noted", "loads": {"compute": 1.0}}}
TABLE = PrefixTable({"plain": {"loads": {"compute": 1.0}}, "declared": {"loads": {"compute": 1.0}}})
NO_TABLE = PrefixTable({})


@pytest.mark.parametrize(
    ("function", "note", "table", "source"),
    [
        (declared, NOTE, TABLE, "decorator"),
        (plain, NOTE, TABLE, "annotation"),
        (plain, None, TABLE, "table"),
        (plain, None, NO_TABLE, ""),
    ],
)
def test_the_strongest_word_counts(function, note, table, source):
    types, found, problem = find(Task("k", function, 1), note, "plain", table)
    assert (found, len(types), problem) == (source, bool(source), "")


def test_of_what_has_nothing_to_run_nothing_is_declared():
    assert find(None, None, "other", TABLE) == ([], "", "")


class Hostile:
    def __call__(self, x):
        return x

    def __getattr__(self, name):
        raise RuntimeError("don't look at me")


def test_nothing_raises_and_what_is_wrong_is_told():
    types, source, problem = find(Task("k", plain, 1), {"asafess": 5}, "plain", NO_TABLE)
    assert (types, source) == ([], "")
    assert "annotation 'asafess' is no task type" in problem
    assert find(Task("k", Hostile(), 1), None, "x", NO_TABLE)[2] == "RuntimeError: don't look at me"


def test_a_bad_declaration_leaves_the_table_its_say_as_in_the_scheduler():
    _, source, problem = find(Task("k", plain, 1), {"asafess": 5}, "plain", TABLE)
    assert source == "table"
    assert "is no task type" in problem


def test_parts_add_up_but_are_moved_once():
    a = declare(name="a", loads={"compute": 1.0, "communication": 10.0}, per_byte={"memory": 1.0})
    b = declare(name="b", loads={"compute": 2.0, "communication": 4.0})
    both = combined([a, b, b])
    assert both.name == "a + 2 × b"
    assert both.loads == {"compute": 5.0, "communication": 10.0}
    assert both.per_byte == {"memory": 1.0}
