"""Helpers of the tests of the wire."""

import sys
from pathlib import Path

import pytest

from asafess.wire import mask

# `wire_strategies`, beside the tests that share it
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def _compiled():
    mask.prepare()
