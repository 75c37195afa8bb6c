"""Counting what is not zero, by words of three sizes."""

import threading
import time
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asafess.kernels.nonzero import COUNT, count
from asafess.wire import mask


@given(st.binary(max_size=200).map(lambda one: one.replace(b"\x01", b"\x00")), st.integers(0, 7))
def test_counts_are_those_of_numpy_wherever_the_bytes_lie(raw, offset):
    data = np.frombuffer(bytes(offset) + raw, np.uint8)[offset:]
    found = mask.nonzero(data)
    for width, kind in mask.WORDS.items():
        assert found[width] == np.count_nonzero(data[: data.size - data.size % width].view(kind))


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_the_kernel_counts_what_plain_python_does(words):
    array, compiled = np.array(words, np.uint64), np.empty(3, np.int64)
    COUNT[()](array, compiled)
    raw = array.tobytes()
    fours = [raw[k : k + 4] for k in range(0, len(raw), 4)]
    assert compiled.tolist() == [sum(map(bool, words)), sum(map(any, fours)), len(raw) - raw.count(0)]
    with np.errstate(over="ignore"):  # what a machine word does
        count(array, found := np.empty(3, np.int64))
    assert found.tolist() == compiled.tolist()


def test_no_other_thread_runs_python_while_it_counts():
    words, found = np.ones(1 << 23, np.uint64), np.empty(3, np.int64)
    COUNT.compile()
    seen, stop = [], threading.Event()

    def watch():
        while not stop.is_set():
            seen.append(time.perf_counter())
            time.sleep(0)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        start = time.perf_counter()
        COUNT[()](words, found)
        end = time.perf_counter()
    finally:
        stop.set()
        thread.join()
    # it may get turns just before and after, but between two of them the whole of it has passed
    turns = [start, *(one for one in seen if start < one < end), end]
    assert max(after - before for before, after in pairwise(turns)) > 0.5 * (end - start)
    assert found.tolist() == [1 << 23, 1 << 23, 1 << 23]
