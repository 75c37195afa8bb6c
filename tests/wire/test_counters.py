import threading

import pytest

from asafess.wire.counters import COUNTERS, Counters


def test_every_counter_begins_with_the_codecs_word_and_at_zero():
    assert Counters().read() == dict.fromkeys(COUNTERS, 0.0)
    assert all(name.startswith("wire_") and meaning for name, meaning in COUNTERS.items())


def test_an_unknown_counter_is_refused():
    with pytest.raises(KeyError):
        Counters().add(wires=1)


def test_threads_lose_nothing():
    counters = Counters()
    threads = [threading.Thread(target=lambda: [counters.add(wire_faults=1) for _ in range(1000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.read()["wire_faults"] == 8000
