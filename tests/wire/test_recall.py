"""What is remembered of the last frame."""

import threading

from asafess.wire.recall import LARGER, Recall


def test_each_thread_remembers_its_own():
    recall, other = Recall(), []
    recall.keep("mask8", 100, 1000)

    def look():
        other.append((recall.name, recall.kept, recall.took_sample))
        recall.keep("mask1", 1, 2)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert other == [(None, 1.0, False)]
    assert (recall.name, recall.kept) == ("mask8", 0.1)


def test_a_frame_may_leave_a_little_more_than_the_last_one():
    recall = Recall()
    recall.keep("mask8", 200, 1000)
    assert recall.fits(int(0.2 * LARGER * 5000), 5000)
    assert not recall.fits(int(0.2 * LARGER * 5000) + 1, 5000)
    recall.forget()
    assert recall.name is None
