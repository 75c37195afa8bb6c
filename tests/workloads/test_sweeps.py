import asyncio

import numpy as np
import pytest
from distributed import Client

from asafess.workloads import graph500
from asafess.workloads.placement import drop_replicas, place
from asafess.workloads.sweeps import Sweeps, inner_product

MATRIX = graph500.matrix(7, tile=16, panels=4)
X = np.arange(1.0, 129.0)
Y = np.concatenate([MATRIX.panel_csr(p) @ X for p in range(4)])


def test_a_description_is_made_in_threads_without_a_client():
    """Without a client the panels of a description are made here, and multiplied in threads."""
    a = Sweeps(MATRIX)
    assert a.width == 128
    np.testing.assert_array_equal(a.multiply(X), Y)
    assert a.sweeps == 1


def test_each_sweep_of_a_stream_moves_the_panels_on(client):
    """In a stream, sweeps go to other workers and leave no replica behind; the result stays the same."""
    a = Sweeps(MATRIX, client, "stream", "csr")
    for _ in range(3):
        np.testing.assert_array_equal(a.multiply(X), Y)
        assert all(len(holders) == 1 for holders in client.who_has(a.panels).values())
    assert a.sweeps == 3


def test_a_stream_really_moves(client):
    """Each sweep of a stream fetches every panel once."""

    def fetches(dask_worker):
        log = dask_worker.transfer_incoming_log
        return sum("panel-" in str(key) for transfer in log for key in transfer["keys"])

    a = Sweeps(MATRIX, client, "stream", "csr")
    before = sum(client.run(fetches).values())
    for _ in range(3):
        a.multiply(X)
    assert sum(client.run(fetches).values()) - before == 3 * 4


def test_a_resident_matrix_does_not_move(client):
    """Resident panels are fetched by nobody."""
    a = Sweeps(place(client, MATRIX, "csr"), client, "resident")
    for _ in range(2):
        a.multiply(X)
    assert all(len(holders) == 1 for holders in client.who_has(a.panels).values())


def test_a_placement_without_a_client_is_refused():
    """A placement needs a client, and says so."""
    with pytest.raises(ValueError, match="placement is 'stream' without a client"):
        Sweeps(MATRIX, placement="stream")


def test_an_unknown_placement_is_refused_at_once(client):
    """An unknown placement is refused before the first sweep."""
    with pytest.raises(ValueError, match="placement is 'left'; allowed are 'resident', 'stream'"):
        Sweeps(MATRIX, client, "left", "csr")


def test_no_panels_are_refused():
    """An empty list of panels is refused."""
    with pytest.raises(ValueError, match="panels is empty"):
        Sweeps([])


def test_an_asynchronous_client_is_refused_by_name(client):
    """A client of an event loop is refused with what to do instead, before anything is sent."""

    async def attempt():
        async with Client(client.scheduler.address, asynchronous=True) as asynchronous:
            for work in (
                lambda: place(asynchronous, MATRIX, "csr"),
                lambda: drop_replicas(asynchronous, []),
                lambda: Sweeps(MATRIX, asynchronous),
            ):
                with pytest.raises(TypeError, match="is asynchronous; give a synchronous Client"):
                    work()

    asyncio.run(attempt())


def test_inner_product_does_not_depend_on_alignment():
    """The same numbers at another address give the same bits."""
    values = np.random.default_rng(0).random(10_001)
    shifted = np.concatenate([[0.0], values])[1:]
    assert inner_product(values, values) == inner_product(shifted, shifted)
