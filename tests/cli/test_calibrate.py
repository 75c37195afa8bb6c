"""``asafess calibrate``: what it shows, what it keeps, and what it can't do."""

import json
import os
import re
import subprocess
import sys

import dask
import pytest
from click.testing import CliRunner
from distributed import Client
from hypothesis import given
from hypothesis import strategies as st
from processes import cluster

from asafess.cli import main
from asafess.cli.calibrate import arithmetic
from asafess.cli.outputs import check_configuration
from asafess.cluster.config import OWN_RATES, settings
from asafess.core.mode import Rates
from asafess.kernels.prepare import prepare
from asafess.optimizations.tile_compression import thresholds

ALL = ("flop", "memory", "link", "loops", *OWN_RATES["tile_compression"])


def evaluated(lines):
    """Check each line's arithmetic by doing it again; return what they say, by name."""
    said = {}
    for line in lines:
        name, *parts = re.sub(r"\s*\([a-z][^()]*\)$", "", line).split(" = ")
        if len(parts) > 1:
            said[name.strip()] = float(parts[-1])
            done = eval(parts[-2].replace("÷", "/").replace("×", "*").replace("−", "-"), {"max": max})
            assert done == pytest.approx(said[name.strip()], rel=5e-3, abs=5e-3), line
    return said


@given(st.fixed_dictionaries({name: st.floats(1e7, 1e11) for name in ALL}))
def test_the_arithmetic_that_is_shown_gives_the_thresholds(rates):
    extra = {name: rates[name] for name in OWN_RATES["tile_compression"]}
    at = thresholds(Rates(rates["flop"], rates["memory"], rates["link"], extra))
    shown = {"alpha": at.alpha, "beta": at.beta, "alpha_full": at.alpha_full, "beta_full": at.beta_full}
    if at.zeros_off < 1:
        shown |= {"zeros_on": at.zeros_on, "zeros_off": at.zeros_off}
    lines = list(arithmetic(rates, {**shown, "zeros_on": at.zeros_on, "zeros_off": at.zeros_off}))
    # numbers are shown with four digits, of which a difference may leave fewer
    for name, value in shown.items():
        (line,) = [one for one in lines if one.startswith(f"{name} = ")]
        assert float(re.sub(r"\s*\([a-z][^()]*\)$", "", line).split(" = ")[-1]) == pytest.approx(value, rel=1e-3)


def test_a_cluster_of_processes_is_measured_and_the_configuration_has_what_was_shown(tmp_path):
    (tmp_path / "asafess.yaml").write_text("# mine\nasafess:\n  tick: 20ms\n  rates: {link: 1.5}\n")
    env = {**os.environ, "DASK_CONFIG": str(tmp_path)}
    with cluster(tmp_path) as file:
        with open(file) as opened:
            address = json.load(opened)["address"]
        with Client(address, set_as_default=False) as client:
            client.run(prepare, ["float64"])  # which takes as long as it takes on a busy machine
        command = [sys.executable, "-m", "asafess", "calibrate", address, "--seconds", "0.2"]
        done = subprocess.run([*command, "--no-write"], capture_output=True, text=True, timeout=60, env=env)
        assert done.returncode == 0, done.stderr
        assert sorted(one.name for one in tmp_path.glob("asafess*")) == ["asafess.yaml"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
    assert done.returncode == 0, done.stderr
    assert "2 workers measured in" in done.stdout
    assert f"written to {tmp_path / 'asafess.yaml'}; as it was, with its comments: {tmp_path}" in done.stdout
    assert "asafess.rates.link was 1.5, is now " in done.stdout
    for name in ALL:
        assert re.search(rf"^{name} +\S+ \S+ +\S+ \S+ +\S+ \S+$", done.stdout, re.MULTILINE), name
    said = evaluated(line for line in done.stdout.splitlines() if line.startswith("  "))
    with dask.config.set(dask.config.collect([str(tmp_path)], env={})):
        made = settings()
    assert (made.tick, set(made.rates), made.all_rates_given) == (0.02, set(ALL), True)
    extra = {name: made.rates[name] for name in OWN_RATES["tile_compression"]}
    in_force = made.optimizations[0].thresholds(
        Rates(made.rates["flop"], made.rates["memory"], made.rates["link"], extra)
    )
    for name, value in in_force.items():
        assert said[name] == pytest.approx(value, rel=1e-3), name


@pytest.mark.parametrize(
    "arguments", [["calibrate", "tcp://127.0.0.1:1", "--timeout", "0.2"], ["break-even", "--write", "--seconds", "0"]]
)
def test_a_configuration_that_can_not_be_written_is_said_before_anything_is_measured(tmp_path, monkeypatch, arguments):
    (tmp_path / "file").write_text("")
    for path, says in (
        (tmp_path / "file", "is a file where Dask's folder should be; move it away, or name"),
        (tmp_path / "file" / "below", "file is no folder that can be written to; name another"),
    ):
        monkeypatch.setattr(dask.config, "PATH", str(path))
        done = CliRunner().invoke(main, arguments)
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert says in done.stderr
    for path in (tmp_path, tmp_path / "new" / "folder", tmp_path / "mine.yaml", tmp_path / "new" / "mine.yaml"):
        monkeypatch.setattr(dask.config, "PATH", str(path))
        check_configuration()


def test_what_can_not_be_done_is_one_line():
    runner = CliRunner()
    for arguments, code, says in (
        (["tcp://127.0.0.1:1", "--timeout", "0.2"], 1, "no Dask scheduler could be reached"),
        (["tcp://127.0.0.1:1", "--seconds", "11"], 2, "--seconds"),
        (["tcp://127.0.0.1:1", "--seconds", "nan"], 2, "--seconds"),
    ):
        done = runner.invoke(main, ["calibrate", *arguments])
        assert done.exit_code == code
        assert says in done.stderr
    with dask.config.set({"asafess.tick": "soon"}):
        done = runner.invoke(main, ["calibrate", "tcp://127.0.0.1:1"])
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "asafess.tick" in done.stderr
