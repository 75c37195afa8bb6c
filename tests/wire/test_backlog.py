"""What the link is busy with, from when and where frames are encoded."""

import asyncio
import threading
from contextvars import copy_context

from distributed.utils import offload
from hypothesis import given
from hypothesis import strategies as st

from asafess.wire.backlog import FASTER, Backlog

LINK = 1e8


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def message(backlog, *frames):
    """Let frames of a message of its own leave; return what each of them found."""

    def encode():
        found = []
        for nbytes in frames:
            found.append(backlog.busy(LINK))
            backlog.add(nbytes, LINK)
        return found

    return copy_context().run(encode)


def test_frames_of_one_message_do_not_wait_for_each_other_and_those_of_the_next_do():
    backlog = Backlog(Clock())
    assert message(backlog, 1e6, 1e6) == [False, False]
    assert message(backlog, 1e6, 1e6) == [True, True]


@given(st.lists(st.floats(1e5, 1e8), min_size=1, max_size=10), st.floats(1.001, 10.0))
def test_who_waits_until_a_message_has_arrived_finds_the_link_free(sizes, slower):
    clock = Clock()
    backlog = Backlog(clock)
    for nbytes in sizes:
        assert message(backlog, nbytes) == [False]
        clock.now += slower * nbytes / LINK


@given(st.lists(st.floats(1e5, 1e8), min_size=1, max_size=10), st.floats(0.0, 0.99))
def test_who_does_not_wait_finds_it_busy(sizes, share):
    clock = Clock()
    backlog = Backlog(clock)
    message(backlog, 1e5)
    left = 1e5
    for nbytes in sizes:
        waited = share * left / LINK / FASTER
        clock.now += waited
        assert message(backlog, nbytes) == [True]
        left += nbytes - waited * FASTER * LINK


def test_what_is_on_its_way_leaves_while_the_next_message_is_encoded():
    clock = Clock()
    backlog = Backlog(clock)
    message(backlog, 1e6)

    def encode():
        before = backlog.busy(LINK)
        clock.now += 0.01
        return before, backlog.busy(LINK)

    assert copy_context().run(encode) == (True, False)


def test_messages_that_dask_serializes_in_its_thread_are_messages_of_their_own():
    backlog = Backlog(Clock())

    async def send():
        def encode():
            found = backlog.busy(LINK)
            backlog.add(1e6, LINK)
            return found

        encode()  # a small one before: what is run in a thread inherits this context
        return [await offload(encode) for _ in range(3)]

    assert asyncio.run(send()) == [True, True, True]


def test_tasks_that_begin_in_another_have_messages_of_their_own():
    backlog = Backlog(Clock())

    async def send():
        found = backlog.busy(LINK)
        backlog.add(1e6, LINK)
        return found

    async def all_of_them():
        first = await send()
        again = await send()  # waits for the answer to its own
        return first, again, await asyncio.gather(asyncio.create_task(send()), asyncio.create_task(send()))

    assert asyncio.run(all_of_them()) == (False, False, [True, True])


def test_any_number_of_threads_may_use_one():
    backlog = Backlog(Clock())

    def many():
        for _ in range(500):
            message(backlog, 1.0)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert message(backlog, 1.0) == [True]
    assert backlog._bytes == 2000.0
