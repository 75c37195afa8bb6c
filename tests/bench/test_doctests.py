import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["environment", "harness", "namespaces", "plots", "report", "scores"])
def test_the_examples_in_the_docstrings_run(name):
    found = doctest.testmod(import_module(f"asafess.bench.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
