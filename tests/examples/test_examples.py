"""The examples are run as a user runs them: each in a process of its own, with its own cluster."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
#: of a machine like many, whatever this one does meanwhile: thresholds follow from them
RATES = {
    "flop": 4e9,
    "memory": 1e10,
    "link": 1e9,
    "scan": 1.5e10,
    "copy": 4.5e9,
    "sample": 9e10,
    "dense_product": 2e10,
    "sparse_product": 1e9,
}


def story(name, *arguments, cwd, rates=None):
    """Run an example; return what it printed."""
    given = {f"DASK_ASAFESS__RATES__{name.upper()}": str(rate) for name, rate in (rates or {}).items()}
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_each_example_is_run_here():
    scripts = {path.stem for path in EXAMPLES.glob("*.py") if "__main__" in path.read_text()}
    assert scripts == {"phases", "own_optimization", "budget_and_trace", "fixed_point"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("work_function", ["off", "full", "full", "full", "full"]), ("alpha_beta", ["off", "full", "off", "full", "off"])],
)
def test_compression_goes_on_when_it_pays_and_off_again_only_by_alpha_and_beta(tmp_path, policy, expected):
    small = ["--days", 4, "--stops", 512, "--seconds", 0.3]
    told = story("phases", *small, "--policy", policy, "--plot", "phases.png", cwd=tmp_path, rates=RATES)
    phases = re.findall(r"^(\w+) +\d+ rounds in .* ratio (\S+) +state (\S+) +(\S+) of (\S+) MB sent$", told, re.M)
    assert [name for name, *_ in phases] == ["settle", "exchange", "settle", "exchange", "settle"]
    assert [state for _, _, state, *_ in phases] == expected, told
    for name, ratio, _, sent, whole in phases:
        if name == "settle":
            assert float(ratio) >= 10
            assert float(whole) == 0
        else:
            assert float(ratio) <= 0.5
            assert 0 < float(sent) < 0.2 * float(whole)
    switches = re.findall(r"^ *\S+ s  (\w+) → (\w+): (.+)$", told, re.M)
    # before those at the boundaries: the start that the link implies, and its end
    changes = [after for before, after in pairwise(expected) if before != after]
    assert [after for _, after, _ in switches][-len(changes) :] == changes, told
    assert len(switches) <= len(changes) + 2, told
    assert all("ratio" in cause for *_, cause in switches)
    assert "people: 2048.000000 of 2048" in told
    assert (tmp_path / "phases.png").stat().st_size > 10_000


def test_an_optimization_of_ones_own_follows_an_axis_of_ones_own_until_it_knows_its_costs(tmp_path):
    told = story("own_optimization", "--tasks", 8, cwd=tmp_path)
    ran = re.findall(
        r"^(without asafess|the domain alone|with costs) +(\w+) .* collector on in (\d+) of 8$", told, re.M
    )
    names = ["crunch", "parse", "crunch", "parse", "crunch"]
    assert [name for _, name, _ in ran] == names * 3
    on = [int(count) for *_, count in ran]
    assert on[:5] == [8] * 5
    assert on[5:10] == [8, 0, 8, 0, 8]
    # how many tasks it takes until the pause has paid for itself depends on how fast the machine is
    assert on[10] == 8
    assert on[14] == 0
    switches = re.findall(r"^ +(running|paused) → (running|paused): (.*)", told, re.M)
    assert [after for _, after, _ in switches] == ["paused", "running"] * 2 + ["paused"]
    assert all(cause.startswith("objects") for *_, cause in switches[:4])
    assert switches[4][2].startswith("running has cost")


def test_a_budget_admits_the_unit_that_saves_more_and_a_person_overrules_it(tmp_path):
    told = story("budget_and_trace", cwd=tmp_path)
    phases = re.findall(r"^(\w+ \w+) +\S+ s   \{'fourier': '(\w+)', 'unpack': '(\w+)'\}$", told, re.M)
    assert phases == [
        ("mostly fourier", "on", "off"),
        ("mostly unpack", "off", "on"),
        ("fourier pinned", "on", "off"),
        ("fourier shadow", "off", "on"),
        ("fourier auto", "on", "off"),
    ], told
    assert "unpack would be on: budget watts: 110 of 100 wanted, 60 of it pinned" in told
    same, decisions = re.search(r"replayed: (\d+) of (\d+) decisions", told).groups()
    assert same == decisions
    assert int(decisions) > 50
    assert int(re.search(r"with 110 watts both were on in (\d+)", told).group(1)) > 0
    ratios = {policy: float(x) for policy, x in re.findall(r"^ +(\w+) +\S+ s, (\S+) × the optimum", told, re.M)}
    assert ratios["optimum"] == 1.0
    assert ratios["work_function"] <= 3.0 < 3.0 * ratios["always_off"]


def test_a_unit_is_powered_while_its_work_is_not_rare_and_two_never_are(tmp_path):
    told = story("fixed_point", "--seconds", 0.8, cwd=tmp_path)
    pattern = (
        r"^(\w[\w ]*\w) +(float|bit)_unit +(on|off) +(\d+) by it, +(\d+) in software "
        r"+off for +(\S+) s +switches (\d+) +results (\w+)$"
    )
    lines = re.findall(pattern, told, re.M)
    states = {(phase, unit): state for phase, unit, state, *_ in lines}
    assert len(states) == len(lines) == 10, told
    assert {result for *_, result in lines} == {"equal"}
    expected = {"simulate": ("on", "off"), "index": ("off", "on"), "few floats": ("off", "on"), "read": ("off", "off")}
    found = {phase: (states[phase, "float"], states[phase, "bit"]) for phase in expected}
    assert found == expected, told
    assert (states["half and half", "float"], states["half and half", "bit"]) != ("on", "on")
    assert "budget units: 2 of 1 wanted" in told
    numbers = {(phase, unit): list(map(float, rest)) for phase, unit, _, *rest, _ in lines}
    by_it, in_software, off, _ = numbers["few floats", "float"]
    assert in_software > by_it  # fixed point, while floats are rare
    assert off > 0.8  # of at least twice 0.8 s, the two workers' together
    by_it, in_software, _, _ = numbers["simulate", "float"]
    assert by_it > in_software
