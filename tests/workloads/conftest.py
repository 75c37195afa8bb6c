import pytest
from distributed import Client, LocalCluster


@pytest.fixture(scope="session")
def client():
    """Three worker processes; three, because two workers leave a streaming panel only one place to go."""
    with (
        LocalCluster(n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client
