"""Parts of a measured set, joined again."""

import json
from copy import deepcopy

import pytest
from click.testing import CliRunner

from bench import join
from bench.optimizations import SET
from bench.results_table import RESULTS

CASE = "wire_compression"
LINKS = ("loopback", "1gbit", "100mbit")


@pytest.fixture(scope="module")
def whole():
    path = RESULTS / f"optimizations-{CASE}.json"  # measured at once
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def parts(whole):
    """Return what measuring link by link would have written."""
    return [part_of(whole, link) for link in LINKS]


def part_of(whole, link):
    summary = {name: one for name, one in whole["summary"][CASE].items() if name.startswith(link)}
    return {
        "summary": {CASE: summary | {SET: deepcopy(whole["summary"][CASE][SET])}},
        "rows": [row for row in whole["rows"] if row["program"].startswith(link)],
        "environment": whole["environment"]
        | {"links": {on: how for on, how in whole["environment"]["links"].items() if on.endswith(link)}},
    }


def as_written(found):
    return json.loads(json.dumps(found, default=lambda one: one.as_dict()))


def test_the_parts_of_a_set_are_the_set_again(whole, parts):
    found = as_written(join.joined(parts))
    assert found["rows"] == whole["rows"]
    assert found["environment"]["links"] == whole["environment"]["links"]
    assert list(found["summary"][CASE]) == list(whole["summary"][CASE])
    assert found["summary"] == whole["summary"]


def test_a_part_of_the_set_sums_up_that_part_alone(whole, parts):
    found = as_written(join.joined(parts[:2]))
    assert found["summary"][CASE][SET]["programs"] == 20
    one = found["summary"][CASE][SET]["off"]["over_adaptive_geometric_mean"]["median"]
    assert one != whole["summary"][CASE][SET]["off"]["over_adaptive_geometric_mean"]["median"]


@pytest.mark.parametrize(("name", "value"), [("commit", "another"), ("cores", 3), ("rounds", 1), ("cpu", "another")])
def test_parts_that_were_measured_otherwise_are_refused(parts, name, value):
    parts[1]["environment"] = {**parts[1]["environment"], name: value}
    with pytest.raises(ValueError, match=rf"the parts differ in {name}: .* and {value}"):
        join.joined(parts)


def test_a_part_that_is_given_twice_is_refused(parts):
    with pytest.raises(ValueError, match=r"measured twice: .*loopback text tasks"):
        join.joined([*parts, parts[0]])


def test_what_no_part_could_measure_is_told_once(parts):
    for k in (0, 2):
        parts[k]["summary"][CASE]["skipped"] = [f"no disk {k}"]
    assert join.joined(parts)["summary"][CASE]["skipped"] == ["no disk 0", "no disk 2"]


def test_what_is_no_set_is_refused(parts):
    del parts[2]["summary"][CASE][SET]
    with pytest.raises(ValueError, match=f"the parts are of {CASE}: join those of one case that is a set"):
        join.joined(parts)
    parts[2]["summary"] = {"queuing": {SET: {}}}
    with pytest.raises(ValueError, match=f"the parts are of queuing, {CASE}"):
        join.joined(parts)


def test_the_command_joins_files(parts, tmp_path):
    paths = []
    for k, part in enumerate(parts):
        paths.append(tmp_path / f"{k}.json")
        paths[-1].write_text(json.dumps(part), encoding="utf-8")
    to = tmp_path / "set.json"
    done = CliRunner().invoke(join.main, [*map(str, paths), "--json", str(to)])
    assert done.exit_code == 0, done.output
    assert json.loads(to.read_text(encoding="utf-8"))["summary"][CASE][SET]["programs"] == 30
    done = CliRunner().invoke(join.main, [str(paths[0]), str(paths[0]), "--json", str(to)])
    assert done.exit_code == 1
    assert "measured twice" in done.output
