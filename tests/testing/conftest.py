"""What tests of flawed optimizations need: a cluster, and a process that is as before."""

import gc
import os
import warnings

import dask
import flawed
import numpy as np
import pytest
from distributed import Client, LocalCluster
from distributed.protocol.compression import compressions
from distributed.protocol.serialize import dask_serialize


@pytest.fixture(autouse=True)
def _as_before():
    """Put back what flawed optimizations do not."""
    found = (gc.isenabled(), np.geterr(), dict(os.environ), dict(compressions), dict(dask_serialize._lookup))
    with warnings.catch_warnings(), dask.config.set({"distributed.comm.compression": False}):
        yield
    gc.enable() if found[0] else gc.disable()
    np.seterr(**found[1])
    os.environ.clear()
    os.environ.update(found[2])
    compressions.clear()
    compressions.update(found[3])
    # what Dask has registered meanwhile, once, when it first met a class, stays
    registered = {cls: one for cls, one in dask_serialize._lookup.items() if one.__module__.startswith("distributed.")}
    dask_serialize._lookup.clear()
    dask_serialize._lookup.update({**registered, **found[4]})
    flawed.SETTING.update(form="float")
    flawed.Unit.found = ()


@pytest.fixture
def client():
    here = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "protocol": "tcp://"}
    with LocalCluster(**here, dashboard_address=":0") as cluster, Client(cluster) as connected:
        yield connected
