"""Thread width on a real worker process under a nanny: the threads of its BLAS pools."""

import os

import pytest
from distributed import Client, LocalCluster
from helpers import RATES
from processes import wait_for

import asafess

pytestmark = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="with one core there is nothing to widen")


def widths(dask_worker=None):
    """Return the threads of each BLAS pool of this process."""
    import threadpoolctl

    pools = [one for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"]
    return sorted((one["filepath"].rpartition("/")[2], one["num_threads"]) for one in pools)


@pytest.fixture(scope="module")
def client():
    cluster = LocalCluster(n_workers=1, threads_per_worker=2, processes=True, dashboard_address=":0")
    with cluster, Client(cluster) as client:
        yield client


@pytest.fixture
def thread_width(client):
    """The optimization, ready on the worker; what a graph is worth is far above what a switch may cost here."""
    asafess.install(client, ["thread_width"], rates=RATES, window="60s")
    asafess.wait(client)
    yield client
    asafess.uninstall(client)


def load_copy(folder):
    """Load one more BLAS library, as an import in a task may do at any time."""
    import ctypes
    import shutil

    import threadpoolctl

    pools = [one for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"]
    ctypes.CDLL(shutil.copy(pools[0]["filepath"], folder + "/libopenblas_copy.so"))


def on_worker(client, count):
    [found] = client.run(widths).values()
    return [threads for _, threads in found] if len(found) == count else None


def test_the_pools_of_a_worker_are_narrow_wide_and_as_before(client, tmp_path):
    asafess.install(client, ["thread_width"], rates=RATES)
    asafess.wait(client)
    [before] = client.run(widths).values()
    count = len(before)
    assert count
    assert on_worker(client, count) == [1] * count  # the nanny has pinned them
    asafess.pin(client, "thread_width", "wide")
    wait_for(lambda: on_worker(client, count) == [2] * count, "the pools did not become wide")
    count += 1
    client.run(load_copy, str(tmp_path))
    assert sorted(on_worker(client, count)) == [1] + [2] * (count - 1)
    asafess.pin(client, "thread_width", "narrow")
    wait_for(lambda: on_worker(client, count) == [1] * count, "the pools did not become narrow")
    asafess.pin(client, "thread_width", "wide")
    wait_for(lambda: on_worker(client, count) == [2] * count, "a pool that was loaded later did not become wide")
    asafess.uninstall(client)
    wait_for(lambda: on_worker(client, count) == [1] * count, "the pools are not as they were")


def test_one_product_is_wide_and_many_are_narrow_as_they_see_it_themselves(thread_width):
    client = thread_width

    @asafess.task(loads={"compute": 1e11}, name="product")
    def product(number, seen=widths):
        return {threads for _, threads in seen()}

    for _ in range(2):
        asafess.reset(client)  # the products are over sooner than they say, which it would learn
        assert client.submit(product, 0, pure=False).result() == {2}, asafess.status(client)
        asafess.reset(client)
        asafess.pin(client, "thread_width", "wide")
        asafess.auto(client, "thread_width")
        assert client.gather(client.map(product, range(12), pure=False)) == [{1}] * 12
    assert asafess.status(client)["fault"] is None
