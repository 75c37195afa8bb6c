import json
import sys

import pytest
from asafess.bench.harness import write_json
from asafess.bench.report import main, table
from click.testing import CliRunner

PNG = b"\x89PNG\r\n\x1a\n"


def make(**arms):
    """Rows of arms from their seconds; None is a failed run."""
    return [
        {
            "arm": arm.replace("_", " "),
            "round": i,
            "order": place,
            "warmup": False,
            "seconds": s,
            "ok": s is not None,
            "error": None if s is not None else "row 3 is wrong",
            "bytes_moved": 10 * 2**20,
        }
        for place, (arm, numbers) in enumerate(arms.items())
        for i, s in enumerate(numbers)
    ]


@pytest.fixture
def rows():
    return make(dense=[4.0] * 5, sparse=[3.0] * 5, adaptive=[2.0] * 5, adaptive_again=[2.02] * 5)


@pytest.fixture
def events():
    common = {"alpha": 0.8, "beta": 1.2, "cause": None}
    return [
        {"t": 0.1 * k, "ratio": None if k == 3 else 0.3 if k < 10 else 4.0, "state": "off" if k >= 10 else "full"}
        | common
        for k in range(20)
    ]


def line(text, arm):
    return next(found for found in text.splitlines() if found.split()[:1] == [arm])


def test_a_against_a_stands_on_the_first_line(rows):
    first = table(rows).splitlines()[0]
    assert first.startswith("A against A (adaptive again ÷ adaptive, 5 rounds): median 1.010")
    assert "half-width ±1.0 %" in first


def test_each_arm_shows_seconds_bytes_in_mib_ratio_and_time_saved_against_adaptive(rows):
    dense = line(table(rows), "dense").split()
    assert dense[1] == "4.000"
    assert "10.0" in dense
    assert "2.000" in dense
    assert dense[-2:] == ["+50.0", "%"]


def test_the_second_run_of_the_same_arm_is_not_an_arm_of_the_table(rows):
    assert "adaptive again" not in table(rows).split("\n\n")[1]


def test_an_arm_with_two_failed_runs_has_no_number_and_every_failure_is_listed():
    text = table(make(dense=[4.0, None, 4.0, None, 4.0], adaptive=[2.0] * 5, adaptive_again=[2.0] * 5))
    assert "2 failed" in line(text, "dense")
    assert "4.000" not in text
    assert text.count("failed: dense, round") == 2
    assert "row 3 is wrong" in text


def test_an_arm_with_one_failed_run_keeps_its_number_and_the_failure_is_listed():
    text = table(make(dense=[4.0, None, 4.0, 4.0, 4.0], adaptive=[2.0] * 5, adaptive_again=[2.0] * 5))
    assert line(text, "dense").split()[1] == "4.000"
    assert "failed: dense, round 1" in text


def test_without_a_number_for_the_reference_there_are_no_ratios():
    text = table(make(adaptive=[None, None, 2.0], adaptive_again=[2.0] * 3, dense=[4.0] * 3))
    assert "×" not in line(text, "dense")


def test_noise_beyond_three_per_cent_is_said(rows):
    noisy = make(adaptive=[2.0] * 5, adaptive_again=[2.2] * 5, dense=[4.0] * 5)
    assert "nothing near 1 is decided here" in table(noisy)
    assert "nothing near 1 is decided here" not in table(rows)


def test_columns_line_up(rows):
    body = table(rows).split("\n\n")[1].splitlines()
    assert len({found.index(found.split()[1]) + len(found.split()[1]) for found in body[1:]}) == 1


def test_an_unknown_arm_to_compare_with_names_the_known_ones(rows):
    with pytest.raises(ValueError, match="dense, sparse, adaptive"):
        table(rows, against="sprase")


def test_no_timed_rows_is_an_error_that_says_so():
    with pytest.raises(ValueError, match="at least one round"):
        table([])


def test_a_file_is_printed_and_drawn(tmp_path, rows, events):
    path, plain, timeline = tmp_path / "m.json", tmp_path / "arms.png", tmp_path / "timeline.png"
    write_json(path, {"speedup": 2.0}, rows, {"cpu": "X", "versions": {}})
    done = CliRunner().invoke(main, [str(path), "--plot", str(plain)])
    assert done.exit_code == 0, done.output
    assert "speedup: 2.0" in done.output
    assert plain.read_bytes().startswith(PNG)
    write_json(path, {}, rows, {}, events)
    done = CliRunner().invoke(main, [str(path), "--plot", str(timeline)])
    assert done.exit_code == 0, done.output
    assert timeline.read_bytes().startswith(PNG)


def test_a_failed_arm_and_an_unknown_state_can_be_drawn(tmp_path, events):
    from asafess.bench.report import plot_timeline

    rows = make(dense=[None] * 3, adaptive=[2.0, None, 2.0, 2.0], adaptive_again=[2.0] * 4)
    events[-1]["state"] = "mine"
    plot_timeline(events, tmp_path / "x.png", rows=rows)
    assert (tmp_path / "x.png").read_bytes().startswith(PNG)


def test_a_file_that_is_no_measurement_is_an_error_without_a_traceback(tmp_path):
    path = tmp_path / "x.json"
    for text in ("{", "[]", json.dumps({"rows": [{"a": 1}]})):
        path.write_text(text)
        done = CliRunner().invoke(main, [str(path)])
        assert done.exit_code == 1
        assert "is not a measurement of ours" in done.output


def test_without_matplotlib_drawing_says_what_to_install(tmp_path, rows, monkeypatch):
    from asafess.bench.plots import plot_arms

    for name in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'asafess\[plot\]'"):
        plot_arms(rows, tmp_path / "x.png")
