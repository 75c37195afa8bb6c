"""`python -m bench.compiler`, small: everything works and the file holds what is promised."""

import doctest
import json
from importlib import import_module

import pytest
from click.testing import CliRunner
from dask._task_spec import Task, TaskRef

from asafess.core.mode import Rates
from bench.compiler import command as compiler
from bench.compiler.cluster import TIE, accepted, axes, communication, longest, slowdown
from bench.compiler.kernel_cost import compare
from bench.compiler.kernels import KERNELS
from bench.compiler.placement import fetched
from bench.compiler.predict import Prediction
from bench.compiler.rows import measured_bound, summary

SUMMARY = {"programs", "exact_affine", "within_2x", "right_bound", "ms_per_group"}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("compiler") / "c.json"
    done = CliRunner().invoke(compiler.main, ["--json", str(path), "--small"])
    assert done.exit_code == 0, done.output
    return json.loads(path.read_text()), done.output


def test_the_file_holds_the_promised_summary_and_a_row_of_each(small):
    document, output = small
    assert document["summary"].keys() >= SUMMARY
    names = [row["name"] for row in document["rows"]]
    assert sorted(names) == sorted([*compiler.SMALL_KERNELS, *compiler.SMALL_PROGRAMS])
    assert document["summary"]["programs"] == len(names)
    assert all(name in output for name in names)
    assert all(rate > 0 for rate in document["environment"]["rates"]["slow"].values() if isinstance(rate, float))


def test_affine_kernels_and_array_programs_are_predicted(small):
    rows = {row["name"]: row for row in small[0]["rows"]}
    assert rows["nstream"]["exact"]
    assert not rows["newton"]["affine"]
    assert rows["newton"]["flop_ratio"] == pytest.approx(1.0, abs=0.2)
    assert rows["add"]["flop_ratio"] == rows["add"]["bytes_ratio"] == 1.0
    assert rows["matmul"]["flop_ratio"] == pytest.approx(1.0, abs=0.01)
    assert rows["add"]["untyped"] == 0


def test_each_bound_was_measured_and_what_moved_was_seen(small):
    rows = small[0]["rows"]
    assert {row["bound_measured"] for row in rows} <= {"compute", "memory", "communication", "unclear"}
    assert all(row["bound_measured"] in row["bound_accepted"] for row in rows if row["axis_seconds"])
    assert all(row["fetching_seconds"] >= row["waited_seconds"] for row in rows if row["kind"] == "program")
    moved = {row["name"]: row["moved"] for row in rows if row["kind"] == "program"}
    # blocks below the diagonal and above it change places: 8 of 16 with two workers, unless Dask decides otherwise
    assert moved["mirror"] >= 4 * 8 * 96**2
    assert moved["add"] == 0


def test_a_name_that_is_none_is_refused():
    done = CliRunner().invoke(compiler.main, ["--only", "nothing"])
    assert done.exit_code == 1
    assert "no program nothing" in done.output


def test_the_summary_says_what_the_rows_say():
    row = {"kind": "kernel", "prk": False, "affine": True, "exact": True, "untyped": 0}
    row |= {"bound_predicted": "memory", "flop_ratio": 1.0, "bytes_ratio": 1.0}
    row |= measured_bound({"compute": 1.0, "memory": 3.0})
    other = row | {"kind": "program", "affine": False, "untyped": 2} | measured_bound({"compute": 3.0, "memory": 1.0})
    rows = [
        row,
        row | {"exact": False} | measured_bound(None),
        other | {"bytes_ratio": 2.5},
        other | {"flop_ratio": None},
        other
        | {"flop_ratio": 0.6, "group_milliseconds": [0.1, 0.3, 0.9]}
        | measured_bound({"compute": 1, "memory": 0.9}),
    ]
    found = summary(rows)
    assert found["programs"] == 5
    assert found["exact_affine"] == 1 / 2
    assert found["within_2x"] == 1 / 3
    # the tie counts in one and not in the other
    assert (found["right_bound"], found["right_bound_strict"], found["bounds_tied"]) == (2 / 4, 1 / 4, 1)
    assert found["bounds_unclear"] == 1
    assert found["untyped_programs"] == 3
    assert (found["ms_per_group"], found["ms_per_group_worst"]) == (0.3, 0.9)


def test_the_axis_that_takes_longest_is_the_bound():
    # twice as slow with large chunks: memory takes between once and twice as long as computing
    assert axes(2.0, 2.0) == {"compute": 1.0, "memory": 1.5, "communication": 0.0}
    assert longest(axes(1.0, 1.6)) == "memory"
    assert longest(axes(1.0, 1.4)) == "compute"
    assert longest(axes(1.0, 0.4)) == "compute"
    # neither part of the work is as long as fetching, though both together are
    assert longest(axes(1.0, 1.5, 0.8)) == "communication"
    assert longest(axes(1.0, None, 0.8)) == "unclear"
    assert longest(axes(1.0, None, 1.2)) == "communication"
    assert communication({"waited_seconds": 1.0, "fetching_seconds": 4.0}) == 2.5


def test_axes_that_take_about_as_long_are_a_tie_and_others_are_not():
    assert accepted({"compute": 1.0, "memory": 1.01 / TIE, "communication": 0.99 / TIE}) == ["compute", "memory"]
    assert accepted(None) == []


def test_where_little_is_computed_nothing_can_be_said():
    # nearly all of the small run is what Dask needs for a task
    assert slowdown(large=5.0, small=1.0, tiny=0.9, work=10.0) is None


def test_a_program_is_bound_by_what_takes_longest_and_untyped_when_nothing_is_known():
    rates = Rates(flop=1e9, memory=1e9, link=1e8)
    assert Prediction(flop=2.0, nbytes=1.0).bound(rates) == "compute"
    assert Prediction(flop=1.0, nbytes=2.0, fetched=0.1).bound(rates) == "memory"
    assert Prediction(flop=1.0, nbytes=2.0, fetched=0.3).bound(rates) == "communication"
    assert Prediction(tasks=2, untyped=2).bound(rates) == "untyped"


def test_tasks_run_where_most_of_their_inputs_are_and_fetch_each_of_the_others_once():
    nodes = {
        "c": Task("c", max, TaskRef("a"), TaskRef("b")),
        "d": Task("d", min, TaskRef("a"), TaskRef("b")),
        "e": Task("e", max, TaskRef("c"), TaskRef("b")),
    }
    sizes = {"a": 100.0, "b": 30.0, "c": 5.0, "d": 5.0, "e": 5.0}
    # c and d beside a, with b fetched once; e beside b, with c fetched
    assert fetched(nodes, {"a": 0, "b": 1}, 2, sizes.get) == 30.0 + 5.0


def test_averages_of_one_size_are_used_for_another():
    kernel = next(kernel for kernel in KERNELS if kernel.name == "newton")
    found = compare(kernel, 1000)
    assert found.averages
    assert found.sizes[0]["predicted_read"] == pytest.approx(found.sizes[0]["counted_read"])
    assert found.sizes[1]["predicted_read"] == pytest.approx(found.sizes[1]["counted_read"], rel=0.3)
    assert found.sizes[1]["predicted_read"] > 2 * found.sizes[0]["predicted_read"]


@pytest.mark.parametrize("name", ["command", "cluster", "placement", "rows", "counting.counter"])
def test_the_examples_in_the_docstrings_run(name):
    found = doctest.testmod(import_module(f"bench.compiler.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
