"""The order in which a type is looked for."""

import pytest
from dask._task_spec import Task

import asafess
from asafess.compiler.find import combined, find
from asafess.compiler.resolve import PrefixTable
from asafess.core.found_type import FoundType
from asafess.core.task_type import declare


@asafess.task(intensity=1.0)
def declared(x):
    return x


def plain(x):
    return x


def named(name, source):
    return FoundType(declare(name=name, loads={"compute": 1.0}), source)


NOTE = {"asafess": {"name": "noted", "loads": {"compute": 1.0}}}
TABLE = PrefixTable({"plain": {"loads": {"compute": 1.0}}, "declared": {"loads": {"compute": 1.0}}})
NO_TABLE = PrefixTable({})


def by_rule():
    return named("derived", "compiler"), ""


def no_rule():
    return None, "no rule for plain"


@pytest.mark.parametrize(
    ("function", "note", "table", "derive", "learned", "source"),
    [
        (declared, NOTE, TABLE, by_rule, named("seen", "measured"), "decorator"),
        (plain, NOTE, TABLE, by_rule, named("seen", "measured"), "annotation"),
        (plain, None, TABLE, by_rule, named("seen", "measured"), "table"),
        (plain, None, NO_TABLE, by_rule, None, "compiler"),
        (plain, None, NO_TABLE, by_rule, named("corrected", "measured"), "measured"),
        (plain, None, NO_TABLE, no_rule, named("seen", "measured"), "measured"),
    ],
)
def test_the_strongest_word_counts(function, note, table, derive, learned, source):
    found, _ = find(Task("k", function, 1), note, "plain", table, derive, learned)
    assert found.source == source


def test_without_a_type_there_is_a_reason():
    assert find(Task("k", plain, 1), None, "plain", NO_TABLE, no_rule) == (None, "no rule for plain")
    assert find(None, None, "plain", NO_TABLE) == (None, "nothing is declared for it")


class Hostile:
    def __call__(self, x):
        return x

    def __getattr__(self, name):
        raise RuntimeError("don't look at me")


def test_nothing_raises_and_what_is_wrong_is_told():
    found, why = find(Task("k", plain, 1), {"asafess": 5}, "plain", NO_TABLE, no_rule)
    assert found is None
    assert "annotation 'asafess' is no task type" in why
    assert "no rule for plain" in why
    assert find(Task("k", Hostile(), 1), None, "x", NO_TABLE)[1] == "RuntimeError: don't look at me"

    def broken():
        raise KeyError("lost")

    assert find(Task("k", plain, 1), None, "x", NO_TABLE, broken)[1] == "KeyError: 'lost'"


def test_a_bad_declaration_leaves_the_table_its_say_as_in_the_scheduler():
    assert find(Task("k", plain, 1), {"asafess": 5}, "plain", TABLE)[0].source == "table"


def test_parts_add_up_but_are_moved_once():
    a = declare(name="a", loads={"compute": 1.0, "communication": 10.0}, per_byte={"memory": 1.0})
    b = declare(name="b", loads={"compute": 2.0, "communication": 4.0})
    both = combined([a, b, b])
    assert both.name == "a + 2 × b"
    assert both.loads == {"compute": 5.0, "communication": 10.0}
    assert both.per_byte == {"memory": 1.0}
