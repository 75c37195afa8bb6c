"""``asafess break-even``: what it prints and what it keeps."""

import dask
import pytest
from click.testing import CliRunner

from asafess.cli import main


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
