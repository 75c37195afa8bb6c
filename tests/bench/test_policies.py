import doctest
import gzip
import json
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from asafess.bench import policies, policy_traces
from asafess.bench.policies import ROUNDING, TRACES, rows_of
from asafess.bench.policy_traces import AMPLITUDES, EXCESS, PHASES, Run
from click.testing import CliRunner

from asafess.core.assessment import Assessment
from asafess.core.declaration import Declaration
from asafess.core.domain import Domain
from asafess.core.moment import Moment
from asafess.core.score import Steps
from asafess.core.trace import header_line, moment_line

STATES = ("off", "light", "full")


def lengths(signal):
    return [len(list(group)) for _, group in groupby(signal > 0)]


def a_trace(costs, switch=(0.05,)):
    """Lines of a recorded run of an optimization with three states, beside one without costs."""
    declared = [Declaration(name, STATES, lambda rates: Domain(("a",), [])) for name in ("tiles", "other")]
    lines = [header_line({"excess": 0.1}, declared, 0.0, 0.0)]
    stay = {state: state for state in STATES}
    for number, one in enumerate(costs):
        seen = Assessment(stay, dict(zip(STATES, one, strict=True)), switch[min(number, len(switch) - 1)])
        off = {"tiles": "off", "other": "off"}
        of = {"tiles": seen, "other": Assessment(stay, None, 0.05)}
        lines.append(moment_line(Moment(0.05 * number, 0.05, {}, of, off, off, off, {})))
    return "".join(json.dumps(line) + "\n" for line in lines)


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> tuple[dict, str, Path]:
    folder = Path(tmp_path_factory.mktemp("policies"))
    recorded = a_trace([(0.05, 0.2, 0.2)] * 30 + [(0.2, 0.2, 0.05)] * 30)
    (folder / "phases.jsonl.gz").write_bytes(gzip.compress(recorded.encode()))
    (folder / "plain.jsonl").write_text(a_trace([(0.05, 0.2, 0.2)] * 3))
    (folder / "nothing.jsonl").write_text("{}\n")
    (folder / "free.jsonl").write_text(a_trace([(0.0, 0.2, 0.2)] * 3))
    (folder / "cut.jsonl.gz").write_bytes(gzip.compress(recorded.encode())[:200])
    options = ["--small", "--json", str(folder / "p.json"), "--plot", str(folder / "p.png"), "--traces", str(folder)]
    done = CliRunner().invoke(policies.main, options)
    assert done.exit_code == 0, done.output
    return json.loads((folder / "p.json").read_text()), done.output, folder / "p.png"


# ---- the measurement


def test_the_file_holds_the_promised_summary(small):
    document, _, _ = small
    summary = document["summary"]
    assert set(summary) == {*policies.POLICIES, "always_light", "always_full"}
    for found in summary.values():
        assert {"worst_ratio", "median_ratio", "median_ratio_short", "worst_ratio_long", "n"} <= set(found)
    assert summary["work_function"]["held"] == {"worst_ratio": True, "median_ratio": True}
    assert document["environment"]["job"] == {"seed": 1, "small": True}
    runs = {row["trace"] for row in document["rows"]}
    assert summary["work_function"]["n"] == len(runs)
    assert {"square small 5", "bursts large 1", "drift middle 80", "noisy square small 20", "walk large"} <= runs
    assert {row["family"] for row in document["rows"]} == {"square", "bursts", "drift", "noise", "recorded"}


def test_the_bound_holds_on_each_row(small):
    document, _, _ = small
    rows = policies.of(document["rows"], policy="work_function")
    assert rows
    for row in rows:
        assert 1 - 1e-9 <= row["bound_ratio"] <= row["bound"] == (5 if row["family"] == "recorded" else 3)
    assert min(row["ratio"] for row in document["rows"]) >= 1 - 1e-9


def test_alpha_beta_is_worse_than_the_policy_with_a_bound(small):
    summary = small[0]["summary"]
    worst = {name: found["worst_ratio"] for name, found in summary.items()}
    assert worst["work_function"] < 2 < worst["alpha_beta"]
    assert summary["work_function"]["median_ratio"] < summary["alpha_beta"]["median_ratio"]


def test_the_summary_comes_from_the_rows(small):
    document, _, _ = small
    for policy, found in document["summary"].items():
        rows = policies.of(document["rows"], policy=policy)
        long = [row["ratio"] for row in rows if row["phase_ticks"] >= 20]
        assert found["median_ratio"] == pytest.approx(np.median(long))
        assert found["worst_ratio"] == max(row["bound_ratio"] for row in rows)
        for row in rows:
            assert row["ratio"] == row["cost"] / row["optimum"]


def test_recorded_traces_are_scored_with_each_of_their_states(small):
    document, output, _ = small
    rows = {row["policy"]: row for row in policies.of(document["rows"], trace="phases: tiles")}
    assert set(rows) == {*policies.POLICIES, "always_light", "always_full"}
    assert rows["always_on"]["cost"] == rows["always_full"]["cost"] == pytest.approx(30 * 0.25 + 0.05)
    assert rows["work_function"]["optimum"] == pytest.approx(60 * 0.05 + 0.05)
    assert {row["phase_ticks"] for row in rows.values()} == {30}
    assert policies.of(document["rows"], trace="plain: tiles")
    assert "phases.jsonl.gz: optimization 'other' predicts no costs" in output
    assert "nothing.jsonl: skipped: this is no trace" in output
    assert "cut.jsonl.gz: skipped: " in output
    assert "free.jsonl: 'tiles' costs nothing in its best state" in output


def test_tables_bars_and_a_picture(small):
    _, output, picture = small
    assert "square waves, ticks of a phase" in output
    assert "bound: held: worst_ratio 1." in output
    assert "median_ratio ≤ 1.1: held: 1.0" in output
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_without_recorded_traces_one_line_says_so(tmp_path):
    said = []
    assert list(policy_traces.recorded(tmp_path / "missing", said.append)) == []
    assert len(said) == 1
    assert said[0].startswith("no recorded traces")


def test_what_a_rise_of_the_switch_may_add_is_taken_off_before_the_bound():
    costs = [dict(zip(STATES, one, strict=True)) for one in [(2.0, 1.0, 1.0)] * 4]
    stay = {state: state for state in STATES}
    assessments = [Assessment(stay, one, switch) for one, switch in zip(costs, (0.1, 0.1, 0.2, 0.3), strict=True)]
    [row] = policies.of(
        policies.rows_of(Run("a", "b", 4, Steps(STATES, range(4), assessments, "off"))), policy="always_off"
    )
    assert row["bound"] == 5
    assert row["bound_ratio"] == pytest.approx((8 - 4 * 0.2) / 4.1)


def test_a_decision_that_comes_late_is_paid():
    stay = {state: state for state in STATES}
    seen = [Assessment(stay, dict(zip(STATES, one, strict=True)), 0.1) for one in [(1.0, 0.25, 1.0)] * 2 + [(0, 0, 1)]]
    rows = policies.rows_of(Run("a", "b", 4, Steps(STATES, range(3), seen, "off")))
    [row] = policies.of(rows, policy="work_function")
    assert row["ratio"] == 1
    assert row["late_ratio"] == pytest.approx((1.0 + 0.1 + 0.25) / 0.6)


def test_bars_that_do_not_hold_are_said_not_to():
    row = {"policy": "work_function", "trace": "t", "phase_ticks": 20, "ratio": 3.5, "bound": 3.0}
    row |= {"bound_ratio": 3.5, "late_ratio": 3.5}
    rows = [{**row, "policy": policy} for policy in policies.POLICIES]
    summary = policies.summarize(rows)
    assert summary["work_function"]["held"] == {"worst_ratio": False, "median_ratio": False}
    assert [line.count("not held") for line in policies._bars(rows, summary)] == [1, 1, 0]


def test_the_examples_in_the_docstrings_run():
    assert doctest.testmod(policy_traces) == (0, 1)


# ---- generated runs are what their names say


@pytest.mark.parametrize("phase", PHASES)
def test_square_waves_have_phases_of_their_length(phase):
    signal = policy_traces.square(10 * phase, phase, 0.2)
    assert lengths(signal) == [phase] * 10
    assert set(signal) == {-0.2, 0.2}
    assert signal[0] < 0


@pytest.mark.parametrize("phase", PHASES)
def test_ramps_cross_the_band_once_per_phase(phase):
    signal = policy_traces.ramps(10 * phase, phase, 1.0)
    assert lengths(signal) == [phase] * 10
    assert signal[0] < 0
    assert abs(np.diff(signal)).max(initial=0) <= 2 / phase + 1e-9


def test_bursts_are_rare_and_short():
    assert lengths(policy_traces.bursts(1000, 7, 1.0)) == [200, 7, 200, 7, 200, 7, 200, 7, 172]


def test_noise_and_walks_stay_in_their_range_and_cross_it():
    rng = np.random.default_rng(1)
    for signal in (policy_traces.noise(4000, 0.2, rng), policy_traces.walk(4000, 0.2, rng)):
        assert abs(signal).max() <= 0.2
        assert signal.min() < -0.15 < 0.15 < signal.max()
    steps = np.diff(policy_traces.walk(4000, 0.2, rng))
    assert abs(steps).max() < 0.06


@pytest.mark.parametrize("amplitude", AMPLITUDES.values())
def test_the_worse_state_costs_as_much_more_as_the_signal_says(amplitude):
    run = policy_traces.recorded_from(policy_traces.square(12, 3, amplitude))
    for tick, costs in enumerate(run.costs):
        better = tick // 3 % 2
        assert costs[better] == pytest.approx(0.05)
        assert costs[1 - better] == pytest.approx(0.05 * (1 + amplitude))
    assert run.switch == [0.05] * 12
    assert policy_traces.phase_length(run) == 3


def test_the_domain_sees_the_windowed_mode():
    # computing for two seconds, then moving: the window of one second still holds some of the computing
    run = policy_traces.recorded_from(policy_traces.square(80, 40, 1.0))
    says = [one.domain for one in run.assessments]
    assert says[39] == {"off": "off", "on": "off"}
    assert says[42] == {"off": "off", "on": "off"}
    assert says[79] == {"off": "on", "on": "on"}


def test_inside_the_band_the_domain_leaves_both_states():
    run = policy_traces.recorded_from(np.full(4, 0.9 * EXCESS))
    assert {tuple(one.domain.items()) for one in run.assessments} == {(("off", "off"), ("on", "on"))}


def test_a_seed_gives_the_same_runs():
    first = next(run for run in policy_traces.generated(small=True, seed=3) if run.name == "noise small")
    again = next(run for run in policy_traces.generated(small=True, seed=3) if run.name == "noise small")
    other = next(run for run in policy_traces.generated(small=True, seed=4) if run.name == "noise small")
    assert first.steps.costs == again.steps.costs != other.steps.costs


def test_a_signal_beyond_what_the_model_knows_is_refused():
    with pytest.raises(ValueError, match="less than 8 times the better one, not 8"):
        policy_traces.ratio(7.0)


def test_half_of_all_samples_lie_in_phases_as_long_as_the_length_that_is_told():
    seen = [{"off": 1.0, "on": 2.0}] * 6 + [{"off": 2.0, "on": 1.0}] * 3 + [{"off": 1.0, "on": 2.0}] * 2
    # within the band a phase goes on
    seen += [{"off": 1.04, "on": 1.0}] * 2
    run = Steps(("off", "on"), range(13), [Assessment({}, one, 0.1) for one in seen], "off")
    assert policy_traces.phase_length(run) == 4


@pytest.mark.parametrize("path", sorted(TRACES.glob("*.jsonl.gz")), ids=lambda path: path.name)
def test_the_bound_holds_on_runs_recorded_on_real_clusters(path, tmp_path):
    (tmp_path / path.name).symlink_to(path)
    runs = list(policy_traces.recorded(tmp_path, print, every=True))  # whether or not their predictions are right
    assert runs
    for row in (row for run in runs for row in rows_of(run)):
        assert row["bound_ratio"] >= 1 - 1e-9
        if row["policy"] == "work_function":
            assert row["bound_ratio"] <= row["bound"] * ROUNDING


def test_a_trace_whose_predictions_are_wrong_is_left_out_and_said_to_be(tmp_path):
    said = []
    count = len(list(TRACES.glob("*.jsonl.gz")))
    kept = list(policy_traces.recorded(TRACES, said.append))
    assert len(kept) + len(said) == count
    assert len(kept) > count / 2
    assert all("a score of it does not count: predicted" in line for line in said)
