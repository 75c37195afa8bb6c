from pathlib import Path

import pytest

from bench.results_table import RESULTS, paper, policies, predictions, products, steady, table

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("made", [table, products, paper, policies, predictions, steady])
def test_the_tables_in_the_readme_are_what_the_script_prints(made):
    assert made() in README.read_text(encoding="utf-8")


def test_each_measurement_has_a_line():
    assert len(table().splitlines()) == 2 + len(list(RESULTS.glob("demo-*.json")))
