"""Round trips: answers of workers that answer, that do not, and that answer too late; bounds of what is believed."""

import asyncio
import math

import pytest
from distributed.utils_test import gen_cluster
from helpers import RATES, installed, until
from hypothesis import given
from hypothesis import strategies as st

import asafess
from asafess.cluster import round_trips
from asafess.cluster.messages import PING
from asafess.cluster.round_trips import LEAST, MOST, MOST_WORKERS, RUNS, RoundTrips, typical
from asafess.cluster.worker_plugin import ignore
from asafess.optimizations.queuing import Queuing

seconds = st.floats(0, 1e3)
#: what else queuing measures
GIVEN = {**RATES, "kept_memory": 1e9, "spill_disk": 1e8}


@given(st.lists(st.lists(seconds, max_size=9), max_size=9))
def test_what_is_believed_has_bounds_and_the_order_does_not_matter(found):
    rate = typical(found)
    assert rate == typical([sorted(one) for one in reversed(found)])
    assert (rate is None) == (not any(found))
    assert rate is None or LEAST <= rate <= MOST


@given(st.floats(1e-3, 0.5), st.lists(st.floats(0, math.inf), max_size=7))
def test_a_minority_of_strays_changes_nothing(usual, strays):
    assert typical([[usual] * (len(strays) + 1) + strays]) == pytest.approx(1 / usual)
    assert typical([[usual]] * (len(strays) + 1) + [[one] for one in strays]) == pytest.approx(1 / usual)


def pair(answers):
    """Return round trips whose workers answer in the next turn of the event loop, where `answers` says so."""
    sent = []

    def send(worker, number):
        sent.append((worker, number))
        if answers(worker, number):
            asyncio.get_running_loop().call_soon(trips.answered, worker, number)

    trips = RoundTrips(send)
    return trips, sent


def test_some_messages_go_to_each_worker_one_after_the_other_each_with_a_number_of_its_own():
    trips, sent = pair(lambda worker, number: True)
    assert LEAST <= asyncio.run(trips.measure(["a", "b"])) <= MOST
    assert len(set(sent)) == len(sent) == 2 * RUNS
    assert not trips._waiting


def test_of_many_workers_only_some_are_asked():
    trips, sent = pair(lambda worker, number: True)
    asyncio.run(trips.measure([str(number) for number in range(10 * MOST_WORKERS + 1)]))
    assert 1 < len({worker for worker, _ in sent}) <= MOST_WORKERS


def test_who_does_not_answer_is_left_out_and_a_late_answer_is_dropped(monkeypatch):
    monkeypatch.setattr(round_trips, "PATIENCE", 0.01)
    trips, sent = pair(lambda worker, number: worker == "a")
    assert asyncio.run(trips.measure(["a", "b"])) is not None
    assert [worker for worker, _ in sent].count("b") == 1
    late, lost = pair(lambda worker, number: False)
    assert asyncio.run(late.measure(["a"])) is None
    assert len(lost) == 1
    late.answered(*lost[0])
    assert not late._waiting


@gen_cluster(client=True)
async def test_they_are_measured_over_the_streams_of_real_workers_and_used(c, s, a, b):
    plugin = await installed(c, s, ["queuing"], rates=GIVEN)
    (queuing,) = plugin.settings.optimizations
    trips = plugin.rates.extra["round_trips"]
    assert LEAST < trips < MOST
    assert queuing.round_trip == 1 / trips
    assert (await asafess.status(c))["rates"]["round_trips"] == trips
    assert plugin.round_trips._number >= 2 * 2  # both workers, more than once
    assert plugin.fault is None


@gen_cluster(client=True)
async def test_what_is_configured_is_used_and_what_is_given_is_not_measured(c, s, a, b):
    plugin = await installed(c, s, [Queuing(round_trip=0.25)], rates={**GIVEN, "round_trips": 50.0})
    (queuing,) = plugin.settings.optimizations
    assert queuing.round_trip == 0.25
    assert plugin.rates.extra["round_trips"] == 50.0
    assert plugin.round_trips._number == 0


@gen_cluster(client=True)
async def test_where_nobody_wants_them_nothing_is_sent(c, s, a, b):
    plugin = await installed(c, s, ["null"], rates={})
    assert "round_trips" not in plugin.rates.extra
    assert plugin.round_trips._number == 0


@gen_cluster(client=True)
async def test_a_ping_after_the_uninstallation_closes_no_worker(c, s, a, b):
    plugin = await installed(c, s, ["queuing"], rates={**GIVEN, "round_trips": 50.0})
    await asafess.uninstall(c)
    workers = sorted(s.workers)
    assert {a.stream_handlers[PING], b.stream_handlers[PING]} == {ignore}
    for worker in workers:
        plugin._ping(worker, 1)
    assert await c.submit(sum, [1, 2], workers=[workers[0]]) == 3
    assert await c.submit(sum, [1, 3], workers=[workers[1]]) == 4
    await until(lambda: sorted(s.workers) == workers)


@gen_cluster(client=True)
async def test_a_worker_that_has_gone_is_not_sent_anything(c, s, a, b):
    plugin = await installed(c, s, ["queuing"], rates={**GIVEN, "round_trips": 50.0})
    address = a.address
    await a.close()
    await until(lambda: address not in plugin.ready)
    plugin._ping(address, 1)
    assert plugin.fault is None
    assert await c.submit(sum, [1, 2]) == 3
