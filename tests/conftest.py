"""Settings of all tests."""

import sys
from pathlib import Path

from hypothesis import settings

# strategies and helpers beside the tests that share them
for folder in ("core", "cluster", "optimizations", "testing"):
    sys.path.insert(0, str(Path(__file__).parent / folder))

# a shared machine is slow now and then: that is no failure
settings.register_profile("asafess", deadline=None, max_examples=60)
settings.load_profile("asafess")
