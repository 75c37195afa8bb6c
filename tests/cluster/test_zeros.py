from hypothesis import given
from hypothesis import strategies as st

from asafess.cluster.zeros import Zeros

reports = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 1000), st.floats(0, 1)), min_size=1, max_size=30)


@given(reports)
def test_the_share_is_that_of_all_words_sampled_in_the_window(steps):
    zeros, totals, words, found = Zeros(1000.0), {}, 0, 0
    for time, (worker, more, share) in enumerate(steps):
        before = totals.get(worker, (0, 0))
        totals[worker] = (before[0] + more, before[1] + int(more * share))
        words, found = words + more, found + int(more * share)
        zeros.report(float(time), worker, {"sampled_words": totals[worker][0], "sampled_zeros": totals[worker][1]})
    assert zeros.share == (found / words if words else None)


def test_what_is_older_than_the_window_is_forgotten_but_the_last_knowledge_stays():
    zeros = Zeros(1.0)
    zeros.report(0.0, "a", {"sampled_words": 100, "sampled_zeros": 100})
    zeros.report(5.0, "a", {"sampled_words": 200, "sampled_zeros": 100})
    assert zeros.share == 0.0
    zeros.report(50.0, "a", {"sampled_words": 200, "sampled_zeros": 100})
    assert zeros.share == 0.0


def test_a_report_that_was_overtaken_or_says_nothing_changes_nothing():
    zeros = Zeros(1.0)
    zeros.report(0.0, "a", {"sampled_words": 100, "sampled_zeros": 50})
    zeros.report(0.1, "a", {"sampled_words": 60, "sampled_zeros": 60})
    zeros.report(0.2, "a", {})
    assert zeros.share == 0.5


def test_after_forgetting_only_what_is_new_counts():
    zeros = Zeros(1.0)
    zeros.report(0.0, "a", {"sampled_words": 100, "sampled_zeros": 100})
    zeros.clear()
    zeros.begin("a", {"sampled_words": 150, "sampled_zeros": 150})
    assert zeros.share is None
    zeros.report(0.1, "a", {"sampled_words": 140, "sampled_zeros": 140})
    assert zeros.share is None
    zeros.report(0.2, "a", {"sampled_words": 250, "sampled_zeros": 150})
    assert zeros.share == 0.0


def test_a_worker_that_returns_counts_from_zero():
    zeros = Zeros(10.0)
    zeros.report(0.0, "a", {"sampled_words": 1000, "sampled_zeros": 0})
    zeros.lost("a")
    zeros.report(0.1, "a", {"sampled_words": 1000, "sampled_zeros": 1000})
    assert zeros.share == 0.5
