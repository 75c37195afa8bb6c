"""Compiling ahead, in the foreground and in the background."""

import logging
import time

import pytest

from asafess.kernels import prepare
from asafess.kernels.prepare import prepare_later, ready


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def test_prepared_means_ready():
    prepare.prepare(["float32"])
    assert ready("float32")


def test_unsupported_dtypes_are_refused_by_name():
    with pytest.raises(TypeError, match=r"complex64.*allowed are bool, int8"):
        prepare.prepare(["complex64"])


def test_what_is_asked_for_later_becomes_ready_in_the_background():
    # Wide indices of a type that no other test uses.
    assert not ready("uint16", 300)
    prepare_later("uint16", 300)
    prepare_later("uint16", 300)
    wait_until(lambda: ready("uint16", 300))


def test_a_fault_in_the_background_is_logged_and_hurts_nobody(caplog):
    with caplog.at_level(logging.WARNING, "asafess"):
        prepare_later("complex128")
        wait_until(lambda: caplog.records)
    assert "complex128" in caplog.text
