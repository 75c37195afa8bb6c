import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.workloads import graph500
from asafess.workloads.block_spmv import product
from asafess.workloads.placement import drop_replicas, homes, place, targets, worker_addresses

MATRIX = graph500.matrix(8, tile=16, panels=6, values="analytic")


def holders(client, futures):
    who_has = client.who_has(futures)
    return [sorted(who_has[f.key]) for f in futures]


def fetched(client):
    """Bytes of panels that workers have fetched so far, from their logs of transfers."""

    def incoming(dask_worker):
        return sum(
            size
            for transfer in dask_worker.transfer_incoming_log
            for key, size in transfer["keys"].items()
            if "panel" in str(key)
        )

    return sum(client.run(incoming).values())


def test_the_addresses_are_those_of_all_workers_whatever_a_client_renews_in_the_background(client, monkeypatch):
    """Dask's client fetches what its scheduler is, without workers, every two seconds, and shows the latest."""

    async def renewed(n_workers=-1):
        client._scheduler_identity = {"workers": {}}

    monkeypatch.setattr(client, "_update_scheduler_info", renewed)
    assert not client.scheduler_info(n_workers=-1)["workers"]
    assert worker_addresses(client) == sorted(client.run(lambda dask_worker: dask_worker.address).values())


@given(st.integers(1, 50), st.integers(2, 8), st.integers(0, 100))
def test_a_streaming_panel_never_stays_at_home(panels, w, sweep):
    """In a stream placement no panel is multiplied where it lives, and each worker gets as many as it sends."""
    workers = [str(h) for h in range(w)]
    home, target = homes(panels, workers), targets(panels, workers, sweep)
    assert all(h != t for h, t in zip(home, target, strict=True))
    if panels % w == 0:
        assert sorted(home) == sorted(target)


def test_a_streaming_panel_visits_every_other_worker():
    """Over W - 1 sweeps a panel is multiplied on each worker but its home."""
    assert {targets(1, "abcd", k)[0] for k in range(3)} == set("bcd")


def test_a_resident_panel_stays_at_home():
    """In a resident placement a panel is multiplied where it lives; with one worker that is all there is."""
    assert targets(5, "abc", 4, "resident") == homes(5, "abc") == list("abcab")
    assert targets(3, "a", 1, "stream") == list("aaa")


def test_an_unknown_placement_is_refused():
    """An unknown placement is refused with what is allowed."""
    with pytest.raises(ValueError, match="placement is 'scattered'; allowed are 'resident', 'stream'"):
        targets(3, "abc", 0, "scattered")


def test_panels_are_made_round_robin_where_they_live(client):
    """Panels are made on their homes, round robin, and each lives there only."""
    workers = worker_addresses(client)
    futures = place(client, MATRIX, "csr")
    assert holders(client, futures) == [[home] for home in homes(6, workers)]
    for p, future in enumerate(futures):
        np.testing.assert_array_equal(future.result().toarray(), MATRIX.panel_array(p))


def test_a_stream_moves_bytes_again_after_replicas_are_dropped(client):
    """A second pass moves nothing while workers keep their replicas, and everything once these are dropped."""
    client.amm.stop()  # it drops replicas too, every two seconds
    workers = worker_addresses(client)
    futures = place(client, MATRIX, "csr")
    x, target = MATRIX.vector(), targets(6, workers, 0)

    def moved():
        before = fetched(client)
        client.compute(product(futures, x, target)).result()
        return fetched(client) - before

    first = moved()
    assert first > 6 * 1000
    assert moved() == 0
    assert all(len(h) == 2 for h in holders(client, futures))
    assert drop_replicas(client, futures) == 6
    assert holders(client, futures) == [[home] for home in homes(6, workers)]
    assert moved() == first


def test_dropping_replicas_twice_drops_nothing_the_second_time(client):
    """Keys with a single replica, keys no longer there and no keys at all are left alone."""
    futures = place(client, MATRIX, "csr")
    assert drop_replicas(client, futures) == 0
    client.compute(product(futures, MATRIX.vector(), targets(6, worker_addresses(client), 1))).result()
    assert drop_replicas(client, futures[:2]) == 2
    assert drop_replicas(client, futures) == 4
    assert drop_replicas(client, []) == 0
    gone = client.submit(sum, [1, 2], pure=False)
    gone.result()
    gone.release()
    assert drop_replicas(client, [gone]) == 0


def test_data_without_a_home_keeps_one_copy(client):
    """Scattered data, which no task is restricted to, keeps exactly one of its copies."""
    (future,) = client.scatter([b"x" * 100], broadcast=True)
    assert drop_replicas(client, [future]) == 2
    assert len(holders(client, [future])[0]) == 1
    assert future.result() == b"x" * 100


def test_an_unknown_form_is_refused(client):
    """An unknown form is refused with what is allowed, before anything is sent."""
    with pytest.raises(ValueError, match="form is 'coo'; allowed are 'dense', 'sparse', 'light', 'full', 'csr'"):
        place(client, MATRIX, "coo")


def test_what_a_task_raises_is_raised_by_place(client):
    """An exception while making a panel is raised to the caller, not left in a future."""

    class Broken:
        panels = 1

        def panel_csr(self, p):
            raise RuntimeError("no such disk")

    with pytest.raises(RuntimeError, match="no such disk"):
        place(client, Broken(), "csr")
