from pathlib import Path

import pytest

from bench.results_table import (
    RESULTS,
    measured,
    of_sets,
    paper,
    policies,
    predictions,
    products,
    quickest,
    steady,
    table,
    toggles,
)

ROOT = Path(__file__).parents[2]
README, OPTIMIZATIONS = ROOT / "README.md", ROOT / "docs" / "optimizations.md"
MEASUREMENTS = ROOT / "docs" / "measurements.md"


def test_the_table_in_the_readme_is_what_the_script_prints():
    assert table() in README.read_text(encoding="utf-8")


@pytest.mark.parametrize("made", [products, paper, policies, predictions, steady])
def test_the_tables_of_the_measurements_are_what_the_script_prints(made):
    assert made() in MEASUREMENTS.read_text(encoding="utf-8")


def test_each_measurement_has_a_line():
    assert len(table().splitlines()) == 2 + len(list(RESULTS.glob("demo-*.json")))


def test_every_optimization_that_is_measured_has_its_table():
    text = OPTIMIZATIONS.read_text(encoding="utf-8")
    assert {"all", "wire_compression", "queuing", "thread_width"} <= set(measured())
    assert [name for name in measured() if toggles(name) not in text] == []
    assert of_sets("wire_compression") in text
    on_loopback = "wire_compression-loopback"
    assert of_sets(on_loopback) in text
    assert quickest(on_loopback) in text
    on_more = "wire_compression-16cores"
    assert toggles(on_more) in text
    assert of_sets(on_more) in text
