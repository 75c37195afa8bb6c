import gzip
import json

import pytest
from distributed import Client

from asafess.core.policies import POLICIES
from asafess.optimizations.registry import BUILT_IN, make
from bench import flapping
from bench.links import local_cluster
from bench.results_table import RESULTS

TRACES = sorted((RESULTS / "traces").glob("steady-*.jsonl.gz"))


def lines_of(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        found = flapping.moments([json.loads(line) for line in lines])
    # a recorded run begins cold; one that goes on does not forget again and again what was measured
    return [one for one in found if "overhead" in one["sample"]["measured"]]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name)
@pytest.mark.parametrize("optimization", make(BUILT_IN), ids=lambda one: one.name)
def test_five_minutes_of_a_recorded_steady_program_make_at_most_one_switch(optimization, path, policy):
    lines = lines_of(path)
    assert flapping.replayed(optimization, policy, {"off": lines, "on": lines}) <= 1


def test_the_recorded_steady_programs_are_there():
    assert TRACES


def test_a_short_run_on_a_cluster_says_all_that_a_long_one_does(tmp_path, monkeypatch):
    monkeypatch.setattr(flapping, "REPLAYED", 10.0)  # five minutes are replayed above
    # how fast kernels are is nothing to this test, and unoptimized ones are compiled in a third less time
    with local_cluster(2, env={"NUMBA_OPT": "0"}) as cluster, Client(cluster.address, set_as_default=False) as client:
        found = flapping.measure(client, 9, 1.0, tmp_path, say=lambda line: None)
    assert {(row["optimization"], row["policy"]) for row in found["switches"]} == {
        (name, policy) for name in flapping.TOGETHER for policy in POLICIES
    }
    assert set(found["vectors"]) == {"ratio", "zeros"}
    # what moves the ratio is the data, not the state
    assert found["vectors"]["ratio"]["on"][1] == pytest.approx(found["vectors"]["ratio"]["off"][1], rel=0.1)
