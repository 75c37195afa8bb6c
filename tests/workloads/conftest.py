import sys
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

# `graph500_simple`, beside the tests that share it
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module")
def client():
    """Three worker processes: with two, a streaming panel would have only one place to go.

    Not the default client, so that nothing in other tests runs here by accident.
    """
    with (
        LocalCluster(n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client
