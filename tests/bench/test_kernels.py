import json

import pytest
from asafess.bench import kernel_product, kernels
from asafess.bench.kernel_summary import METRIC
from asafess.bench.scores import estimate, paired_ratios
from click.testing import CliRunner


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("kernels") / "k.json"
    done = CliRunner().invoke(kernels.main, ["--json", str(path), "--small", "--peers", "numpy,scipy-csr"])
    assert done.exit_code == 0, done.output
    return json.loads(path.read_text()), done.output


def test_the_file_holds_the_promised_summary(small):
    document, _ = small
    summary = document["summary"]
    for name in ("ratio_vs_best_peer", "ratio_vs_dense", "bandwidth_fraction", "same_bits"):
        assert {scale: set(by) for scale, by in summary[name].items()} == {"7": {"0", "20"}, "8": {"0", "20"}}
    assert set(summary["ratio_vs_best_peer_block"]) == {"7"}
    assert all(same for by in summary["same_bits"].values() for same in by.values())
    assert set(summary["compress_over_read"]) == {"float64", "float32"}
    assert set(summary["compress_over_read"]["float32"]) == {"64", "128"}
    assert set(summary["compress_over_read"]["float32"]["64"]) == {"0", "0.0001", "0.001", "0.01"}
    assert set(summary["passed_over"]) == {"light", "full"}
    assert summary["compile_seconds"] >= 0
    assert {r["error"] for r in document["rows"]} == {None}
    assert document["environment"]["job"] == {"threads": 1, "small": True}


def test_a_ratio_is_what_the_rows_say(small):
    document, _ = small
    rows = [r for r in document["rows"] if (r.get("scale"), r.get("percent"), r.get("columns")) == (8, 20, None)]
    best = document["summary"]["best_peer"]["8"]["20"]
    found = estimate(paired_ratios(rows, best, "asafess", METRIC))
    assert document["summary"]["ratio_vs_best_peer"]["8"]["20"] == pytest.approx(found.median)


def test_tables_and_bars_are_printed(small):
    _, output = small
    assert "scale, % dense" in output
    assert "recode ÷ np.sum" in output
    assert "at_least_bar: " in output


@pytest.mark.parametrize("words", [["--scales", "7", "8", "--json"], ["--scales", "7,8", "--json"]])
def test_lists_are_taken_as_words_or_with_commas(words, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(kernel_product, "race", lambda scale, *_: seen.append(scale) or [])
    options = [*words, str(tmp_path / "k.json"), "--part", "product", "--block", "0", "--shares", "0"]
    done = CliRunner().invoke(kernels.main, options)
    assert done.exit_code == 0, done.output
    assert seen == [7, 8]


def test_a_word_that_is_no_number_is_refused():
    done = CliRunner().invoke(kernels.main, ["--scales", "7", "many"])
    assert done.exit_code == 2
    assert "no list of numbers" in done.output


def test_without_rows_the_file_keeps_the_summary(tmp_path):
    path = tmp_path / "k.json"
    options = ["--json", str(path), "--small", "--part", "product", "--no-rows", "--threads", "2", "--peers", "numpy"]
    done = CliRunner().invoke(kernels.main, options)
    assert done.exit_code == 0, done.output
    document = json.loads(path.read_text())
    assert document["rows"] == []
    assert set(document["summary"]["ratio_vs_one_thread"]["8"]) == {"0", "20"}
    assert "compress_over_read" not in document["summary"]


def test_different_bits_end_with_an_error(monkeypatch):
    monkeypatch.setattr(kernel_product, "same_bits", lambda *_: False)
    done = CliRunner().invoke(kernels.main, ["--small", "--part", "product", "--peers", "scipy-csr"])
    assert done.exit_code == 1
    assert "different bits" in done.output
