import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "name", ["", ".case", ".graph", ".moving", ".race", ".reduced_precision", ".summary", ".thread_width"]
)
def test_the_examples_in_the_docstrings_run(name):
    found = doctest.testmod(import_module(f"bench.toggles{name}"))
    assert found.attempted > 0
    assert found.failed == 0
