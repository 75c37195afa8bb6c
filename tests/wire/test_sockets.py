"""What moving bytes costs processors."""

import itertools
import socket
import threading
import time

import numpy as np
import pytest

from asafess.wire import sockets
from asafess.wire.backlog import Backlog
from asafess.wire.codec import Codec


def test_what_is_measured_lies_between_the_fastest_memory_and_the_slowest_machine():
    assert 1e-12 < sockets.measure() < 1e-6


def test_what_is_moved_comes_whole():
    data = np.random.default_rng(0).integers(0, 256, 1_000_003, np.uint8)
    here, there = socket.socketpair()
    with here, there:
        seconds, received = sockets._moved(here, there, data, time.monotonic() + 60)
    assert seconds > 0
    assert (received == data).all()


def test_the_seconds_of_both_ends_are_added(monkeypatch):
    data = np.ones(1 << 16, np.uint8)
    clocks = {sockets.SENDER: itertools.count(0, 3), threading.current_thread().name: itertools.count(0, 4)}
    monkeypatch.setattr(time, "thread_time", lambda: next(clocks[threading.current_thread().name]))
    here, there = socket.socketpair()
    with here, there:
        assert sockets._moved(here, there, data, time.monotonic() + 60)[0] == 7


def left():
    return [one for one in threading.enumerate() if one.name == sockets.SENDER]


def test_no_socket_and_no_thread_is_left():
    made = []

    def pair():
        made.extend(socket.socketpair())
        return made[-2], made[-1]

    assert sockets.measure(pair, 1 << 16) > 0
    assert all(one.fileno() == -1 for one in made)
    assert not left()


def refused():
    raise OSError("no sockets here")


def starved():
    raise MemoryError


def closed_there():
    here, there = socket.socketpair()
    there.shutdown(socket.SHUT_RD)
    return here, there


def closed_here():
    here, there = socket.socketpair()
    here.shutdown(socket.SHUT_WR)
    return here, there


@pytest.mark.parametrize("pair", [refused, starved, closed_there, closed_here])
def test_a_system_that_refuses_is_no_fault(pair):
    assert sockets.measure(pair) is None
    assert not left()


def test_without_threads_nothing_is_said(monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert sockets.measure() is None


def test_what_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(sockets, "PATIENCE", 0.1)
    (here, other), (another, there) = socket.socketpair(), socket.socketpair()
    began = time.monotonic()
    with other, another:
        assert sockets.measure(lambda: (here, there)) is None
    assert time.monotonic() - began < 60
    assert not left()


def test_what_comes_too_slowly_is_given_up(monkeypatch):
    monkeypatch.setattr(sockets, "PATIENCE", 0.0001)
    assert sockets.measure(size=1 << 26) is None
    assert not left()


def test_a_clock_that_stands_still_says_nothing(monkeypatch):
    monkeypatch.setattr(time, "thread_time", lambda: 1.0)
    assert sockets.measure() is None


@pytest.mark.parametrize(("found", "copying"), [(3e-9, 3e-9), (None, sockets.COPYING)])
def test_a_codec_takes_what_was_measured_or_what_it_knew(found, copying, monkeypatch):
    monkeypatch.setattr("asafess.wire.sockets.measure", lambda: found)
    one = Codec(Backlog())
    one.measure()
    one.set_link(1e9)
    one.set_state("mask")
    assert one._active.copying == copying


def test_a_codec_of_a_disk_does_not_ask(monkeypatch):
    monkeypatch.setattr("asafess.wire.sockets.measure", lambda: pytest.fail("nothing moves"))
    assert Codec().measure()
