"""An explanation as text, HTML and plain data."""

import json
import math

import pytest

from asafess.compiler.bound import NOMINAL
from asafess.compiler.explain.explanation import Explanation, Row
from asafess.compiler.explain.table import cut
from asafess.core.found_type import FoundType
from asafess.core.task_type import declare

TOKEN = "5cb8d0d1b1b09f1f2f9d3d1c7a0a6c11"


def explanation(*rows):
    return Explanation(rows, NOMINAL, {"flop": "given", "memory": "configured", "link": "nominal"}, 4)


def row(group="sum", found=None, loads=None, why="", bound="untyped", **more):
    values = {"tasks": 3, "inputs": 1.5, "after": (), "layer": 0, "input_bytes": None, "output_bytes": 8.0} | more
    return Row(group=group, found=found, loads=loads or {}, why=why, bound=bound, **values)


def typed(**declared):
    return FoundType(declare(**declared), "compiler", 0.75, "rule")


def test_a_row_shows_loads_with_units_and_what_is_not_known():
    found = typed(name="adding", loads={"compute": 2.5e9}, per_byte={"memory": 2})
    text = str(explanation(row(f"sum-{TOKEN}", found, {"compute": 2.5e9}, "a rule", "compute")))
    lines = text.splitlines()
    assert lines[0] == "1 of 1 task groups (3 tasks) have a type: 1 compiler"
    assert lines[1].split() == ["compute", "memory", "commun."]
    assert lines[3].split() == ["sum-5cb8d0…", "3", "2.5", "G", "2/B", "?", "compute"]
    assert lines[4].strip() == "type adding from compiler, sure 0.75: a rule. 1.5 inputs, 8 B out"
    rates = "flop 10 Gflop/s (given), memory 5 GB/s (from the configuration), link 1.25 GB/s (default, not measured)"
    assert rates in " ".join(text.split())


def test_the_table_fits_into_eighty_columns():
    name = f"a-very-long-name-of-something-{TOKEN}"
    found = typed(name=name, loads={"compute": 2.345e10, "memory": 1.23e12, "communication": 4.56e9})
    loads = {"compute": 2.345e10, "memory": 1.23e12, "communication": 4.56e9}
    one = row(name, found, loads, "words " * 60, "communication", tasks=123_456, input_bytes=1.0)
    assert max(map(len, str(explanation(one)).splitlines())) <= 80


def test_an_axis_of_ones_own_has_a_column():
    from asafess.core.task_type import TaskType

    own = FoundType(TaskType("own", {"watts": 3.0}), "decorator")
    found = explanation(row(found=own, loads={"watts": 3.0}), row())
    assert "watts" in found.table[0].split()
    assert "<th>watts [" in found._repr_html_()


def test_columns_are_aligned():
    lines = explanation(row("short", why="x"), row("a-longer-name", tasks=100_000, why="x")).table
    places = [line.index("untyped") for line in lines if line.endswith("untyped")]
    assert len(places) == 2
    assert len(set(places)) == 1


def test_everything_in_html_is_escaped():
    bad = "<script>alert('&')</script>"
    found = FoundType(declare(name=bad, loads={"compute": 1.0}), "decorator", 1.0, bad)
    html = explanation(row(bad, found, {"compute": 1.0}, bad, "compute"))._repr_html_()
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 3
    assert html.count("<tr>") == 2


def test_a_name_with_line_breaks_stays_in_its_line():
    table = "\n".join(explanation(row("a\nb\x1b[31m", why="c\nd")).table)
    assert len(table.splitlines()) == 4
    assert "a?b?[31m" in table
    assert "\x1b" not in table
    assert cut("x" * 100 + "the end", 30) == "x" * 21 + "…xthe end"
    assert len(cut("x" * 100, 30)) == 30


def test_plain_data_is_json_that_knows_no_infinity():
    told = explanation(row(found=typed(loads={"compute": 1.0}), loads={"compute": math.inf}), row("b")).to_dict()
    read = json.loads(json.dumps(told, allow_nan=False))
    assert read["untyped"] == ["b"]
    assert read["groups"][0]["loads"] == {"compute": None}
    assert read["groups"][0]["type"]["name"] == "task"
    assert read["rates_from"]["link"] == "nominal"


def test_it_is_a_sequence_of_rows():
    one, two = row("a"), row("b", typed(loads={"compute": 1.0}))
    found = explanation(one, two)
    assert (len(found), list(found), found[1], found.untyped) == (2, [one, two], two, ("a",))
    assert "What is untyped is read and measured by a cluster" in str(found)
    assert "What is untyped" not in str(explanation(two))
    assert (one.type, one.source, one.confidence) == (None, "untyped", None)
    assert (two.type, two.source, two.confidence) == ("task", "compiler", 0.75)


def test_nothing_at_all_can_be_shown():
    assert explanation().headline == "0 of 0 task groups (0 tasks) have a type"
    assert str(explanation()).startswith(explanation().headline)
    assert "<table>" in explanation()._repr_html_()
    with pytest.raises(ValueError, match="nothing to draw"):
        explanation().plot()
