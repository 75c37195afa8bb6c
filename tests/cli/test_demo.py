"""The command, as a person would start it."""

import json
import subprocess
import sys
from itertools import pairwise

import pytest
from click.testing import CliRunner

from asafess.cli import main

ARMS = {"dense", "sparse", "light", "full", "adaptive"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "asafess", "demo", "--scale", "10", "--workers", "2", "--iterations", "2"]
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


def test_the_story_begins_pinned_and_is_told_phase_by_phase(demo):
    printed, document, _ = demo
    phases, events = document["summary"]["phases"], document["events"]
    assert [phase["control"] for phase in phases] == ["pinned", "auto", "auto", "auto"]
    assert all(phase["sweeps"] >= 1 and phase["sweep_seconds"] > 0 for phase in phases)
    assert [phase["t"] for phase in phases] == sorted(phase["t"] for phase in phases)
    pinned = [event for event in events if event["control"] == "pinned"]
    assert pinned[0] is events[0]
    assert {event["state"] for event in pinned} == {"off"}
    assert "pinned to off as without asafess" in printed
    assert "What was switched" in printed
    # whether a switch pays on this machine is not ours to say; but when one was made, its cause is told
    states = [event["state"] for event in events]
    switches = sum(a != b for a, b in pairwise(states))
    story = printed.partition("The picture's run, which begins")[2].partition("What was slow")[0]
    assert story.count(" → ") == switches


def test_the_picture_is_a_png(demo):
    assert demo[2].read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "wrong", [["--scale", "3"], ["--workers", "1"], ["--dense-share", "2"], ["--iterations", "0"], ["--tile", "x"]]
)
def test_a_value_out_of_range_is_refused_with_what_is_allowed(wrong):
    done = CliRunner().invoke(main, ["demo", *wrong])
    assert done.exit_code == 2
    assert wrong[0] in done.output


def test_the_version_is_the_packages():
    import asafess

    assert asafess.__version__ in CliRunner().invoke(main, ["--version"]).output
