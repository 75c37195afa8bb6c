"""Helpers of the tests of tiles; the door and the break-even densities are put back after every test."""

import sys
import time
from pathlib import Path

import pytest

from asafess.tiles import densities, door

# `tile_strategies`, beside the tests that share it
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def closed_door():
    door.set_form("off")
    door.reset_counters()
    densities.reset()
    yield
    door.set_form("off")
    door.reset_counters()
    densities.reset()


@pytest.fixture
def wait_until():
    def wait(condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "waited too long"
            time.sleep(0.01)

    return wait
