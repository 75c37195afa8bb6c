"""The examples are run as a user runs them: each in a process of its own, with its own cluster."""

import re
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def story(name, *arguments, cwd):
    """Run an example; return what it printed."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_example_is_run_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {"phases", "own_optimization"}


def test_compression_follows_the_phases_of_a_program(tmp_path):
    told = story("phases", "--days", 4, "--stops", 512, "--seconds", 0.3, "--plot", "phases.png", cwd=tmp_path)
    phases = re.findall(r"^(\w+) +\d+ rounds in .* ratio (\S+) +state (\S+) +(\S+) of (\S+) MB sent$", told, re.M)
    assert [(name, state) for name, _, state, *_ in phases] == [
        ("settle", "off"),
        ("exchange", "full"),
        ("settle", "off"),
        ("exchange", "full"),
        ("settle", "off"),
    ], told
    for name, ratio, _, sent, whole in phases:
        if name == "settle":
            assert float(ratio) >= 10
            assert float(whole) == 0
        else:
            assert float(ratio) <= 0.5
            assert 0 < float(sent) < 0.2 * float(whole)
    switches = re.findall(r"^ *\S+ s  (\w+) → (\w+): (.+)$", told, re.M)
    # one at each boundary; before them, the start that the link implies and its end
    assert [after for _, after, _ in switches][-4:] == ["full", "off", "full", "off"], told
    assert len(switches) <= 6, told
    assert all("ratio" in cause for *_, cause in switches)
    assert "people: 2048.000000 of 2048" in told
    assert (tmp_path / "phases.png").stat().st_size > 10_000


def test_an_optimization_of_ones_own_follows_an_axis_of_ones_own(tmp_path):
    told = story("own_optimization", "--tasks", 6, cwd=tmp_path)
    ran = re.findall(r"^(with|without) asafess +(\w+) .* collector on in (\d+) of 6$", told, re.M)
    assert ran[:5] == [("without", name, "6") for name in ("crunch", "parse", "crunch", "parse", "crunch")]
    assert ran[5:] == [
        ("with", name, on)
        for name, on in (("crunch", "6"), ("parse", "0"), ("crunch", "6"), ("parse", "0"), ("crunch", "6"))
    ]
    switches = re.findall(r"^(running|paused) → (running|paused): objects", told, re.M)
    assert switches == [("running", "paused"), ("paused", "running")] * 2
