"""``asafess types``: programs, modules, functions, and what is wrong with them."""

import json
import sys

import dask
import pytest
from click.testing import CliRunner

from asafess.cli import main

PROGRAM = """
import asafess
import dask
import dask.array as da


@asafess.task(intensity=2.0)
def work(x):
    return x


x = da.ones((40, 40), chunks=20)
total = x.map_blocks(work).sum()
several = [dask.delayed(work)(1), dask.delayed(abs)(2)]
_private = dask.delayed(abs)(3)


def build():
    return x + 1


def number():
    return 5


def needs(n):
    return x + n


def broken():
    raise KeyError("lost")


class Holder:
    inside = total


if __name__ == "__main__":
    raise AssertionError("executed as a program")
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def run(*arguments):
    return CliRunner().invoke(main, ["types", *map(str, arguments)])


def test_all_collections_and_functions_at_the_top_level_are_explained(program):
    done = run(program)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert [line for line in lines if line.startswith(("x:", "total:", "several:", "_private:"))] == [
        "x: Array",
        "total: Array",
        "several: list",
    ]
    assert "work(): declared: compute 2/B, memory 1/B" in lines
    assert sum("asafess.task on work" in line for line in lines) == 2
    assert sum(line.startswith("Bound by: 4 threads a worker") for line in lines) == 1


def test_an_object_is_named_by_its_path(program):
    assert run(f"{program}:Holder.inside").output.startswith("Holder.inside: Array\n")


def test_a_function_without_arguments_is_called(program):
    done = run(f"{program}:build")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("build: Array\n")


def test_a_declared_function_is_listed_and_not_called(program):
    assert run(f"{program}:work").output == "work(): declared: compute 2/B, memory 1/B\n"


def test_a_module_is_imported(tmp_path, monkeypatch):
    (tmp_path / "package_of_types").mkdir()
    (tmp_path / "package_of_types" / "inner.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    done = run("package_of_types.inner:total")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("total: Array\n")


def test_a_script_finds_what_lies_beside_it_and_sees_no_arguments_of_ours(tmp_path):
    (tmp_path / "beside_it.py").write_text("import dask\none = dask.delayed(abs)(1)\n")
    script = tmp_path / "script.py"
    script.write_text("import sys\nfrom beside_it import one\nassert len(sys.argv) == 1, sys.argv\nagain = one\n")
    before = list(sys.path)
    done = run(script, "--json", tmp_path / "found.json")
    assert sys.path == before
    assert done.exit_code == 0, done.output
    assert "again:" not in done.output  # the same object
    assert list(json.loads((tmp_path / "found.json").read_text())["collections"]) == ["one"]


def test_json_holds_everything(program, tmp_path):
    path = tmp_path / "found.json"
    assert run(program, "--json", path).exit_code == 0
    told = json.loads(path.read_text())
    assert set(told["collections"]) == {"x", "total", "several"}
    groups = told["collections"]["total"]["groups"]
    assert {"decorator"} <= {group["source"] for group in groups}
    assert set(groups[0]) >= {"group", "tasks", "loads", "source", "confidence", "why", "bound", "after"}
    assert told["functions"]["work"]["declared"]["per_byte"] == {"compute": 2.0, "memory": 1.0}


def test_each_collection_is_drawn(program, tmp_path):
    pytest.importorskip("matplotlib")
    done = run(f"{program}:total", "--plot", tmp_path / "one.png")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "one.png").stat().st_size > 5000
    done = run(program, "--plot", tmp_path / "all.png")
    assert f"several: drawn to {tmp_path / 'all-several.png'}" in done.output
    assert sorted(path.name for path in tmp_path.glob("all*")) == ["all-several.png", "all-total.png", "all-x.png"]


def test_kernels_are_listed_with_what_they_cost(tmp_path):
    script = tmp_path / "kernels.py"
    script.write_text(
        "import numba\n"
        "@numba.njit('void(float64[:], float64)')\n"
        "def scale(a, x):\n"
        "    for i in range(a.size):\n"
        "        a[i] *= x\n"
        "@numba.njit\n"
        "def later(a):\n"
        "    return a\n"
    )
    done = run(script)
    assert done.exit_code == 0, done.output
    assert "scale(Array(float64, 1, 'A', False, aligned=True), float64): flop: a0, bytes: 16*a0" in done.output
    assert "later(): not compiled for any types yet" in done.output


def test_a_cluster_that_the_program_has_opened_is_asked_for_sizes(tmp_path):
    script = tmp_path / "clustered.py"
    script.write_text(
        "import dask.array as da, distributed\n"
        "client = distributed.Client(n_workers=1, processes=False, dashboard_address=':0')\n"
        "x = da.random.random((8, 8), chunks=4).persist()\n"
        "distributed.wait(x)\n"
        "y = x + 1\n"
    )
    try:
        done = run(f"{script}:y", "--json", tmp_path / "found.json")
        assert done.exit_code == 0, done.output
    finally:
        import distributed

        client = distributed.default_client()
        client.cluster.close()
        client.close()
    told = json.loads((tmp_path / "found.json").read_text())
    assert told["collections"]["y"]["groups"][0]["input_bytes"] == 4 * 4 * 8


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (":lost", "has no 'lost'; it has work, x, total, several"),
        (":number", "number() returned an object of type int; looked for are Dask collections"),
        (":needs", "needs takes arguments; name a function without any that returns Dask collections"),
        (":broken", "fails: KeyError: 'lost' (line 31 of"),
        (":Holder.inside.shape", "Holder.inside.shape is of type tuple; looked for are Dask collections"),
        ("x", "there is no such file"),
    ],
)
def test_what_can_not_be_found_is_told(program, after, message):
    done = run(f"{program}{after}")
    assert done.exit_code == 1
    assert message in done.output


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("no_such_module_here", "there is neither a file nor a module 'no_such_module_here'"),
        ("json.nothing", "there is neither a file nor a module 'json.nothing'"),
        ("not a name", "names neither a file that is there nor a module"),
        ("json", "holds neither Dask collections"),
        ("/tmp", "is a folder"),
        ("some.ipynb", "is a notebook; write asafess.explain(collection) into one of its cells"),
    ],
)
def test_what_is_no_program_is_told(target, message):
    done = run(target)
    assert done.exit_code == 1
    assert message in done.output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n1 / 0\n", "fails: ZeroDivisionError: division by zero (line 2 of"),
        ("import sys\nsys.exit(3)\n", "fails: SystemExit: 3 (line 2 of"),
        ("import argparse\np = argparse.ArgumentParser()\np.add_argument('n')\np.parse_args()\n", "without arguments"),
        ("def f(:\n", "fails: SyntaxError"),
        ("import not_installed_anywhere\n", "fails: ModuleNotFoundError: No module named 'not_installed_anywhere'"),
        ("x = 1\n", "asafess types"),
    ],
)
def test_a_program_that_fails_is_told_with_the_line(tmp_path, text, message):
    path = tmp_path / "bad.py"
    path.write_text(text)
    done = run(path)
    assert done.exit_code == 1
    assert message in done.output
    assert "Traceback" not in done.output


def test_a_wrong_table_in_the_configuration_is_the_users_mistake(program):
    with dask.config.set({"asafess.types": {"x": {"speed": 3}}}):
        done = run(program)
    assert done.exit_code == 1
    assert "Error: asafess.types['x']: unknown entries" in done.output


def test_nested_collections_are_found_and_what_contains_itself_is_not(tmp_path):
    script = tmp_path / "nested.py"
    script.write_text(
        "import dask\none = dask.delayed(abs)(1)\nnested = {'a': [one], 'b': ({'c': one},)}\n"
        "loop = [one]\nloop.append(loop)\n"
    )
    done = run(script)
    assert done.exit_code == 0, done.output
    assert "nested: dict" in done.output
    assert "loop:" not in done.output


def test_nothing_to_draw_is_told(tmp_path):
    path = tmp_path / "functions.py"
    path.write_text("import asafess\n@asafess.task(intensity=1.0)\ndef f(x):\n    return x\n")
    done = run(path, "--plot", tmp_path / "x.png")
    assert done.exit_code == 1
    assert "has no Dask collection to draw the graph of" in done.output


def test_the_help_says_that_the_program_is_imported():
    told = " ".join(run("--help").output.split())
    assert 'what stands under `if __name__ == "__main__"` is not executed' in told
