from pathlib import Path

from bench.results_table import RESULTS, table

README = Path(__file__).parents[2] / "README.md"


def test_the_table_in_the_readme_is_what_the_script_prints():
    assert table() in README.read_text(encoding="utf-8")


def test_each_measurement_has_a_line():
    assert len(table().splitlines()) == 2 + len(list(RESULTS.glob("demo-*.json")))
