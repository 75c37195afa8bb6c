"""Workers of which one has no lz4 and no zstd: they send each other raw frames; those that have the same compress."""

import itertools
import os

import pytest
from distributed import Client
from processes import cluster, process, wait_for

import asafess

#: puts a stone in the way of the libraries, as on a machine where they are not installed
WITHOUT = """
import sys

class NotHere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("lz4", "zstandard"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NotHere())
"""
RATES = {"flop": 1e9, "memory": 1e9, "link": 1e7, "wire_scan": 1e10, "wire_copy": 1.4e9, "wire_general": 3e8}
WORDS = 100_000


def for_workers():
    """Return functions that travel whole: workers do not find this module."""

    def make(kind, seed):
        import numpy as np

        generator = np.random.default_rng(seed)
        if kind == "text":
            return b" ".join(generator.choice([b"tile", b"panel", b"mode", b"ratio"], WORDS))
        a = generator.standard_normal(WORDS)
        a[WORDS // 20 :] = 0
        return a

    def digest(block):
        import hashlib

        return hashlib.sha256(memoryview(block).cast("B")).hexdigest()

    def share(dask_worker, to):
        """Return which share of the bytes that a worker has sent to another one was on the wire."""
        sent = [one for one in dask_worker.transfer_outgoing_log if one["who"] == to]
        return sum(one["compressed"] for one in sent) / sum(one["total"] for one in sent)

    def codec():
        """Return what a worker's codec is called, and what went wrong in it."""
        from asafess.wire import connections

        counted = connections.codec.counters()
        return connections.NAME, counted["wire_faults"] + counted["wire_corrupted_frames"]

    return make, digest, share, codec


def test_frames_are_readable_everywhere_and_raw_where_the_libraries_differ(tmp_path):
    pytest.importorskip("zstandard")
    make, digest, share, codec = for_workers()
    folder = tmp_path / "without"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(WITHOUT)
    bare = {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    with cluster(tmp_path) as file, Client(scheduler_file=file) as client:
        late = ["worker", "--scheduler-file", file, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
        with process([*late, "--host", "127.0.0.9"], tmp_path / "late.log", bare):
            wait_for(lambda: len(client.scheduler_info()["workers"]) == 3, "the workers did not come")
            asafess.install(client, ["wire_compression"], rates=RATES)
            asafess.wait(client)
            asafess.pin(client, "wire_compression", "general")
            workers = sorted(client.nthreads())
            poor = next(one for one in workers if "127.0.0.9" in one)
            names = {worker: name for worker, (name, _) in client.run(codec).items()}
            assert len({names[one] for one in workers if one != poor}) == 1
            assert names[poor] not in {names[one] for one in workers if one != poor}
            for kind in ("sparse", "text"):
                expected = [digest(make(kind, seed)) for seed in range(2)]
                for source, target in itertools.permutations(workers, 2):
                    made = client.map(make, [kind] * 2, range(2), workers=[source], pure=False)
                    came = client.gather(client.map(digest, made, workers=[target], pure=False))
                    assert came == expected, (kind, source, target)
            for source, target in itertools.permutations(workers, 2):
                found = client.run(share, to=target, workers=[source])[source]
                assert found > 0.99 if poor in (source, target) else found < 0.5, (source, target, found)
            assert {wrong for _, wrong in client.run(codec).values()} == {0}
            assert asafess.status(client)["fault"] is None
            asafess.uninstall(client)
