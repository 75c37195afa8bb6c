"""The command, as a person would start it."""

import json
import subprocess
import sys

import dask
import pytest
from click.testing import CliRunner

from asafess.cli import main

ARMS = {"dense", "sparse", "light", "full", "adaptive"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "asafess.cli", "demo", "--scale", "10", "--workers", "2", "--iterations", "2"]
    command += ["--rounds", "1", "--json", str(folder / "demo.json"), "--plot", str(folder / "demo.png")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads((folder / "demo.json").read_text()), folder / "demo.png"


def test_the_summary_has_what_others_compare(demo):
    _, document, _ = demo
    summary = document["summary"]
    assert {"speedup_vs_dense", "speedup_vs_sparse", "speedup_vs_best_fixed", "max_abs_error", "switches"} <= set(
        summary
    )
    assert set(summary["bytes_moved"]) == ARMS
    assert summary["max_abs_error"] < 1e-6
    assert document["environment"]["job"]["scale"] == 10


def test_every_run_of_every_arm_is_among_the_rows_and_right(demo):
    _, document, _ = demo
    rows = document["rows"]
    assert {row["arm"] for row in rows} == ARMS | {"adaptive again"}
    assert all(row["ok"] for row in rows)


def test_compressed_arms_move_fewer_bytes(demo):
    moved = demo[1]["summary"]["bytes_moved"]
    assert moved["full"] <= moved["light"] < moved["dense"]
    assert moved["adaptive"] < moved["dense"]


def test_the_table_the_mode_and_the_machine_are_shown(demo):
    printed, _, _ = demo
    for words in ("A against A", "÷ adaptive", "mode: ratio", "state: full", "moved MiB", "cores"):
        assert words in printed


def test_the_picture_is_a_png(demo):
    assert demo[2].read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "wrong", [["--scale", "3"], ["--workers", "1"], ["--dense-share", "2"], ["--iterations", "0"], ["--tile", "x"]]
)
def test_a_value_out_of_range_is_refused_with_what_is_allowed(wrong):
    done = CliRunner().invoke(main, ["demo", *wrong])
    assert done.exit_code == 2
    assert wrong[0] in done.output


def test_break_even_prints_the_arithmetic_and_keeps_the_densities(tmp_path, monkeypatch):
    monkeypatch.setattr(dask.config, "PATH", str(tmp_path))
    command = ["break-even", "--dtype", "float32", "--seconds", "0.01"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    assert "4 bytes of a dense word ÷ 7 of a sparse entry" in done.output
    assert not list(tmp_path.iterdir())
    done = CliRunner().invoke(main, [*command, "--write"])
    assert str(tmp_path / "asafess.yaml") in done.output
    (read,) = dask.config.collect_yaml([str(tmp_path)])
    kept = read["asafess"]["tile-compression"]["break-even"]["float32"]
    assert kept["full"] == pytest.approx(4 / 7, abs=1e-6)
    assert 0 <= kept["light"] <= 1


def test_break_even_says_what_it_can_not_do(tmp_path, monkeypatch):
    done = CliRunner().invoke(main, ["break-even", "--dtype", "complex128"])
    assert done.exit_code == 2
    assert "allowed are bool" in done.output
    (tmp_path / "asafess.yaml").write_text("a: [1")
    monkeypatch.setattr(dask.config, "PATH", str(tmp_path))
    done = CliRunner().invoke(main, ["break-even", "--seconds", "0.01", "--write"])
    assert done.exit_code == 1
    assert str(tmp_path / "asafess.yaml") in done.output


def test_the_version_is_the_packages():
    import asafess

    assert asafess.__version__ in CliRunner().invoke(main, ["--version"]).output
