import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.cluster.probe import cluster_rates, local_rates
from asafess.optimizations.null import Null

positive = st.floats(1.0, 1e12)


class Source(Null):
    def rates(self):
        return {"scan": 7.0}


def test_a_thread_measures_itself_and_asks_the_optimizations():
    rates = local_rates([Source()])
    assert rates["scan"] == 7.0
    assert rates["flop"] > 1e6
    assert rates["memory"] > 1e6


class Again(Source):
    name = "again"


class Otherwise(Source):
    name = "otherwise"

    def rates(self):
        return {"scan": 8.0}


def test_what_two_optimizations_measure_together_counts_once_and_contradictions_are_refused():
    assert local_rates([Source(), Again()])["scan"] == 7.0
    with pytest.raises(ValueError, match=r"otherwise.rates\(\) has 'scan', which another optimization has too"):
        local_rates([Source(), Otherwise()])


@given(st.lists(positive, min_size=1, max_size=9), positive)
def test_the_typical_worker_counts_and_the_order_does_not(links, flop):
    local = [{"flop": flop, "memory": 2.0}]
    rates = cluster_rates(local, links, {})
    assert rates == cluster_rates(local, list(reversed(links)), {})
    assert min(links) <= rates.link <= max(links)


def test_what_is_given_is_not_overruled_by_what_is_measured():
    assert cluster_rates([{"flop": 1.0, "memory": 2.0}], [3.0], {"link": 9.0, "flop": 8.0}).link == 9.0


@pytest.mark.parametrize("local", [[], [{"flop": 1.0}], [{"memory": 1.0}]])
def test_without_a_measurement_there_are_no_rates(local):
    assert cluster_rates(local, [1.0], {}) is None


def test_workers_that_have_no_neighbour_do_not_count():
    assert cluster_rates([{"flop": 1.0, "memory": 2.0}], [None, 5.0], {}).link == 5.0
