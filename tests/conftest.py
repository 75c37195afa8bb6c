"""Settings of all tests."""

import sys
from pathlib import Path

import pytest
from hypothesis import settings

# strategies and helpers beside the tests that share them
for folder in ("core", "cluster", "optimizations", "testing"):
    sys.path.insert(0, str(Path(__file__).parent / folder))

# a shared machine is slow now and then: that is no failure
settings.register_profile("asafess", deadline=None, max_examples=60)
settings.load_profile("asafess")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Let what a test has printed or logged be sent to the process that reports: some write what is no UTF-8."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report
