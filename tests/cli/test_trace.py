"""`asafess replay` and `asafess score`, on traces of runs without a cluster."""

import gzip
import json
import math
import os
import sys

import pytest
from click.testing import CliRunner
from recording import Recording, at, codec, phases, tiles

from asafess.cli import main
from asafess.cluster.trace_file import TraceFile
from asafess.core.replay import replay
from asafess.core.score import check
from asafess.core.trace import measured_line
from asafess.core.trace_reader import read

PNG = b"\x89PNG"


def call(*arguments):
    """Return exit code and output; nothing may end in a traceback."""
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def save(path, lines):
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def program(**settings):
    """Lines of three optimizations through five phases, one of them pinned in the middle."""
    run = Recording([codec(), tiles(), codec("plain", costs=lambda sample: None)], **settings)
    run.start(1000.01)
    for tick in range(100):
        time = 1000.05 + 0.05 * tick
        run.observe(at(time, 5.0 if tick // 20 % 2 else 0.1))
        if tick == 50:
            run.control(time, "tiles", "light")
    return run.lines


def measured(lines, **seconds):
    return [*lines, *(json.dumps(measured_line("codec", arm, s)) for arm, runs in seconds.items() for s in runs)]


@pytest.fixture
def trace(tmp_path):
    return save(tmp_path / "trace", program())


# ---- replay


def test_a_replay_shows_each_switch_and_that_nothing_differs(trace, tmp_path):
    code, said = call("replay", trace, "--json", tmp_path / "found.json")
    assert code == 0
    assert "all 100 decisions are as recorded" in said
    assert "100 decisions in 5.0 s, recorded with policy work_function\n" in said
    recorded = read(trace.read_text().splitlines())
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["differing"] == []
    start = recorded.moments[0].time
    assert [
        (one["seconds"], one["optimization"], one["before"], one["after"], one["cause"]) for one in found["switches"]
    ] == [(one.time - start, one.optimization, one.before, one.after, one.cause) for one in recorded.switches]
    for one in recorded.switches:
        assert f"{one.time - start:9.3f} s  {one.before} -> {one.after}  {one.cause}" in said
    for name in ("codec", "tiles", "plain"):
        assert f"{name}: {sum(one.optimization == name for one in recorded.switches)} switches" in said
    assert "full -> light  pinned" in said


def test_a_decision_that_comes_out_differently_is_a_failure_and_the_first_is_shown(tmp_path):
    lines = phases(0.1, 5.0)
    number = [number for number, line in enumerate(lines) if '"moment"' in line][20]
    lines[number] = lines[number].replace('"wanted": "on", "after": "on"', '"wanted": "off", "after": "off"')
    code, said = call("replay", save(tmp_path / "t", lines))
    assert code == 1
    assert "1 of 40 decisions are not as recorded, first at 1.000 s:\n  codec: recorded off; replayed on\n" in said


def test_another_policy_is_compared_and_no_failure(trace, tmp_path):
    code, said = call("replay", trace, "--policy", "alpha_beta", "--json", tmp_path / "found.json")
    assert code == 0
    recorded = read(trace.read_text().splitlines())
    theirs = replay(recorded, policy="alpha_beta")
    differing = sum(not one.same for one in theirs.decided)
    assert differing > 0
    assert f"switches: {len(recorded.switches)} recorded, {len(theirs.switches)} replayed; {differing} of 100" in said
    assert "the efficiency domain, ratio 0.1, zeros 0.5" in said
    assert json.loads((tmp_path / "found.json").read_text())["settings"]["policy"] == "alpha_beta"


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        (["--excess", "2"], {"excess": 2.0}),
        (["--switches-per-minute", "2"], {"switches_per_minute": 2}),
        (["--budget", "watts=50", "--budget", "a=b=1e3"], {"budgets": {"bytes": 1.0, "watts": 50.0, "a=b": 1000.0}}),
    ],
)
def test_other_settings_are_those_of_the_controller(tmp_path, options, settings):
    demands = {"on": {"watts": 60, "bytes": 0.5}}
    run = Recording([codec(demands=demands)], budgets={"watts": 60.0, "bytes": 1.0}, policy="alpha_beta")
    run.start(1000.01)
    for tick in range(60):
        run.observe(at(1000.05 + 0.05 * tick, (0.1, 0.9, 5.0)[tick // 5 % 3]))
    path = save(tmp_path / "t", run.lines)
    code, said = call("replay", path, *options, "--json", tmp_path / "found.json")
    assert code == 0, said
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["settings"] == {**json.loads(run.lines[0])["settings"], **settings}
    assert len(found["switches"]) == len(replay(read(run.lines), **settings).switches)
    assert len(found["differing"]) == sum(not one.same for one in replay(read(run.lines), **settings).decided)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--policy", "best"], "'best'"),
        (["--excess", "3"], "between 0 and 2, not 3"),
        (["--excess", "nan"], "not nan"),
        (["--switches-per-minute", "0"], "1<=x<=1000000"),
        (["--switches-per-minute", "99999999999999999999"], "1<=x<=1000000"),
        (["--budget", "watts"], "NAME=AMOUNT"),
        (["--budget", "=3"], "NAME=AMOUNT"),
        (["--budget", "watts=-3"], "finite number ≥ 0"),
    ],
)
def test_a_setting_that_is_not_allowed_is_a_mistake_with_what_is(trace, options, said):
    code, output = call("replay", trace, *options)
    assert code in (1, 2)
    assert said in output


# ---- files


def test_a_gzipped_trace_is_read_and_a_cut_one_as_far_as_it_goes(tmp_path):
    lines = program()
    packed = gzip.compress("\n".join(lines).encode())
    (tmp_path / "t.gz").write_bytes(packed)
    assert call("replay", tmp_path / "t.gz")[1] == call("replay", save(tmp_path / "t", lines))[1]
    (tmp_path / "t.gz").write_bytes(packed[: len(packed) // 2])
    code, said = call("replay", tmp_path / "t.gz")
    assert code == 0
    assert "damaged and left out" in said


def _rotated(path, limit):
    header, *lines = map(json.loads, program())
    file = TraceFile(path, header, limit)
    for line in lines:
        file.write(line)
    file.close()
    return len(read(path.read_text().splitlines()).moments)


def test_a_rotated_trace_is_read_in_order(tmp_path):
    assert _rotated(tmp_path / "t", 120_000) < 100
    code, said = call("replay", tmp_path / "t")
    assert code == 0
    assert "all 100 decisions are as recorded" in said
    # the second half alone goes on from where the first ended, with what is pinned
    (tmp_path / "t.1").unlink()
    assert call("replay", tmp_path / "t", "--json", tmp_path / "found.json")[1].count("all") <= 1
    moments = read((tmp_path / "t").read_text().splitlines()).moments
    assert json.loads((tmp_path / "found.json").read_text())["decisions"] == len(moments)
    assert moments[-1].after["tiles"] == "light"


def test_what_an_older_trace_has_left_behind_is_not_read(trace):
    header, *rest = program(policy="alpha_beta")
    save(trace.with_name("trace.1"), [header, *rest])
    assert "100 decisions" in call("replay", trace)[1]


@pytest.mark.parametrize("command", ["replay", "score"])
def test_what_is_no_trace_is_a_mistake_with_what_to_do(tmp_path, command):
    lines = program()
    cases = {
        "missing": (None, "there is no file"),
        "folder": ("folder", "can't be read"),
        "empty": ([], "none of its 0 lines is a header; record one with asafess.trace"),
        "other": (["hello", "{}"], "none of its 2 lines is a header"),
        "headless": (lines[1:], "is a header"),
        "newer": ([lines[0].replace('"format": 1', '"format": 2'), *lines[1:]], "format 2; this version"),
        "idle": (lines[:3], "holds no decision"),
    }
    for name, (content, said) in cases.items():
        if content == "folder":
            (tmp_path / name).mkdir()
        elif content is not None:
            save(tmp_path / name, content)
        code, output = call(command, tmp_path / name)
        assert code == 1, name
        assert said in output, name


@pytest.mark.parametrize("command", ["replay", "score"])
def test_damaged_lines_are_mentioned(tmp_path, command):
    lines = program()
    path = save(tmp_path / "t", [*lines[:-1], "{", "\x00", lines[-1][:-20]])
    said = call(command, path)[1]
    assert said.startswith("99 decisions in ")
    assert "recorded with policy work_function; 3 lines damaged and left out\n" in said


@pytest.mark.parametrize("command", ["replay", "score"])
@pytest.mark.parametrize(
    "settings",
    [
        {"windows": 0.2},
        {"window": "long"},
        {"excess": 9},
        {"excess": {}},
        {"excess": "\ud800"},
        {"excess": True},
        {"policy": "\ud800"},
        {"policy": math.inf},
        {"budgets": 5},
        {"budgets": {"watts": "lots"}},
        {"switches_per_minute": 99999999999999999999},
    ],
)
def test_settings_that_no_controller_takes_are_a_damaged_header(tmp_path, command, settings):
    header, *rest = program()
    line = json.loads(header)
    line["settings"].update(settings)
    code, said = call(command, save(tmp_path / "t", [json.dumps(line), *rest]))
    assert code == 1
    assert "the header of this trace is damaged" in said


def test_a_cause_that_no_encoding_has_is_shown_with_a_mark_in_place_of_what_it_has_not(tmp_path):
    lines = [line.replace('"cause": "', '"cause": "\\ud800') for line in program()]
    code, said = call("replay", save(tmp_path / "t", lines))
    assert code == 0
    assert "codec: 5 switches\n" in said
    assert "off -> on  ?" in said


@pytest.mark.skipif(sys.platform == "win32", reason="devices are no files there")
@pytest.mark.parametrize("command", ["replay", "score"])
def test_what_is_no_regular_file_is_refused_and_not_read(tmp_path, command):
    (tmp_path / "device").symlink_to(os.devnull)
    code, said = call(command, tmp_path / "device")
    assert code == 1
    assert "can't be read: it is no regular file" in said


@pytest.mark.parametrize(("command", "option"), [("replay", "--json"), ("score", "--json"), ("score", "--plot")])
def test_a_folder_that_is_not_there_is_said_before_the_work(trace, tmp_path, command, option):
    code, said = call(command, trace, option, tmp_path / "nope" / "found")
    assert code == 2
    assert "there is no folder" in said
    assert "decisions in" not in said


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a disk that is full is a device of Linux")
@pytest.mark.parametrize("command", ["replay", "score"])
def test_a_disk_that_is_full_is_one_line(trace, command):
    code, said = call(command, trace, "--json", "/dev/full")
    assert code == 1
    assert said.splitlines()[-1].startswith("Error: --json: /dev/full could not be written")


def test_a_picture_of_a_kind_that_there_is_not_is_one_line(trace, tmp_path):
    code, said = call("score", trace, "--plot", tmp_path / "picture.kind")
    assert code == 1
    assert "Error: --plot: " in said


# ---- score


def test_every_policy_is_beside_the_optimum(trace, tmp_path):
    code, said = call("score", trace, "--json", tmp_path / "found.json")
    assert code == 0
    found = json.loads((tmp_path / "found.json").read_text())["optimizations"]
    assert set(found) == {"codec", "tiles"}
    for name, states in (("codec", ("off", "on")), ("tiles", ("off", "light", "full"))):
        rows = {one["policy"]: one for one in found[name]["scores"]}
        fixed = [f"always_{state}" for state in states]
        assert set(rows) == {"optimum", *fixed, "work_function", "alpha_beta", "recorded"}
        assert all(one["cost"] >= rows["optimum"]["cost"] for one in rows.values())
        assert rows["optimum"]["ratio"] == 1.0
        assert min(rows[one]["regret"] for one in fixed) == 0.0
        for one in rows.values():
            cells = f"{one['cost']:.3f} {one['ratio']:.3f} {one['regret']:+.3f} {one['switches']}"
            assert f"{one['policy']} {cells}" in " ".join(said.split())
    # nothing overruled it
    codec_rows = {one["policy"]: one for one in found["codec"]["scores"]}
    assert codec_rows["recorded"]["cost"] == codec_rows["work_function"]["cost"]
    assert said.count("a person was in charge") == 1
    assert "optimization 'plain' predicts no costs in this trace" in said
    assert said.count("a prediction that was not checked") == 2


def test_one_optimization_can_be_asked_for(trace):
    code, said = call("score", trace, "--optimization", "codec")
    assert (code, said.count("÷ optimum")) == (0, 1)
    code, said = call("score", trace, "--optimization", "code")
    assert code == 2
    assert "unknown 'code'; in this trace: codec, tiles, plain" in said
    code, said = call("score", trace, "--optimization", "plain")
    assert (code, said.count("÷ optimum")) == (0, 0)
    assert "there is nothing to score" in said


def _checked(tmp_path, off, on, recorded=(4.0,)):
    """Score a trace beside runs that took so many times what it predicts."""
    lines = phases(0.1, 5.0, 0.1)
    predicted = {
        x.state: x.predicted for x in check(read(measured(lines, recorded=recorded, off=[1], on=[1])), "codec")
    }
    runs = {"off": [x * predicted["off"] for x in off], "on": [x * predicted["on"] for x in on]}
    path = save(tmp_path / "t", measured(lines, recorded=recorded, **runs))
    code, said = call("score", path, "--json", tmp_path / "found.json")
    assert code == 0
    assert said.index("predicted") < said.index("÷ optimum")
    return said, json.loads((tmp_path / "found.json").read_text())["optimizations"]["codec"]


def test_a_prediction_within_ten_percent_counts(tmp_path):
    said, found = _checked(tmp_path, off=[1.05], on=[0.95, 0.96, 0.97])
    assert found["counts"] is True
    assert said.count("within 10 %") == 2
    assert "not within" not in said
    assert "(1 run), error -4.8%: within 10 %" in said
    assert "(3 runs), error +4.2%" in said


def test_a_prediction_that_misses_by_more_does_not(tmp_path):
    said, found = _checked(tmp_path, off=[1.0], on=[1.2])
    assert found["counts"] is False
    assert "not within 10 %: the score below does not count" in said


def test_where_runs_of_one_arm_differ_by_more_that_is_the_measure(tmp_path):
    said, found = _checked(tmp_path, off=[1.0], on=[0.9, 1.2, 1.5])
    assert found["counts"] is True
    assert "error -16.7%: within A against A: half the runs of an arm are off their median by up to 25.0%" in said
    # a single run that went wrong is no measure
    assert _checked(tmp_path, off=[1.0], on=[1.2, 1.2, 1.2, 9.0])[1]["counts"] is False


def test_the_picture_is_a_png(trace, tmp_path):
    assert call("score", trace, "--plot", tmp_path / "s.png")[0] == 0
    assert (tmp_path / "s.png").read_bytes().startswith(PNG)
    code, said = call("score", trace, "--optimization", "plain", "--plot", tmp_path / "none.png")
    assert code == 0
    assert "there is nothing to draw" in said
    assert not (tmp_path / "none.png").exists()


def test_one_moment_can_be_drawn(tmp_path):
    lines = phases(0.1, ticks=1)
    assert call("score", save(tmp_path / "t", lines), "--plot", tmp_path / "s.png")[0] == 0
    assert (tmp_path / "s.png").read_bytes().startswith(PNG)


def test_the_lines_of_the_picture_end_at_the_scores(trace):
    from asafess.bench.score_plot import running

    from asafess.core.score import scores, steps

    seen = steps(read(trace.read_text().splitlines()), "tiles")
    for one in scores(seen):
        assert running(one.states, seen)[-1] == pytest.approx(one.cost)


def test_without_matplotlib_drawing_says_what_to_install(trace, tmp_path, monkeypatch):
    monkeypatch.setattr("asafess.cli.trace.find_spec", lambda name: None)
    code, said = call("score", trace, "--plot", tmp_path / "s.png")
    assert code == 2
    assert "pip install 'asafess[plot]'" in said
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    assert call("score", trace)[0] == 0  # everything else works without it
