"""What bounds a task at given rates."""

import dask
import pytest

from asafess.compiler.bound import NOMINAL, bound, rates_from
from asafess.core.mode import Rates


def test_threads_of_a_worker_share_its_link():
    load, rates = {"compute": 100.0, "communication": 50.0}, Rates(flop=1.0, memory=1.0, link=1.0)
    assert bound(load, rates, threads=1) == "compute"
    assert bound(load, rates, threads=4) == "communication"


def test_loops_have_a_rate_of_their_own_where_it_is_known():
    load = {"compute": 1e9, "loops": 1e9, "memory": 1e9}
    assert bound(load, Rates(flop=1e10, memory=2e9, link=1.0)) == "memory"
    assert bound(load, Rates(flop=1e10, memory=2e9, link=1.0, extra={"loops": 1e9})) == "compute"


def test_what_has_no_rate_bounds_nothing():
    assert bound({"watts": 5.0}) == bound({}) == bound({"memory": 0.0}) == "nothing"


def test_what_is_given_counts_before_the_configuration_and_that_before_nominal_rates():
    with dask.config.set({"asafess.rates": {"flop": 3, "memory": 4.0, "link": None}}):
        rates, origin = rates_from({"flop": 2.0, "memory": None})
    assert (rates.flop, rates.memory, rates.link) == (2.0, 4.0, NOMINAL.link)
    assert origin == {"flop": "given", "memory": "configured", "link": "nominal", "loops": "nominal"}


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf"), "fast", True])
def test_a_rate_that_is_none_is_named(bad):
    with pytest.raises(ValueError, match=r"the rate 'link' \(given\) must be"):
        rates_from({"link": bad})
