from dataclasses import replace

import pytest
from distributed import Client

import asafess
from asafess.core.replay import replay
from asafess.core.score import check
from asafess.core.trace_reader import read
from bench import record
from bench.links import local_cluster
from bench.record_checks import OPTIMIZATION, summary

#: how fast kernels are is nothing to these tests, and unoptimized ones are compiled in a third less time
QUICK = {"NUMBA_OPT": "0"}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("traces")
    short = {name: [replace(phase, sweeps=2) for phase in phases] for name, phases in record.PROGRAMS.items()}
    with (
        pytest.MonkeyPatch.context() as patch,
        local_cluster(2, env=QUICK) as cluster,
        Client(cluster.address, set_as_default=False) as client,
    ):
        patch.setattr(record, "PROGRAMS", short)
        asafess.install(client, [OPTIMIZATION], rates={"flop": 1e10, "memory": 1e10, "link": 1e8})
        asafess.wait(client)
        return record.record(client, 9, ["phases"], rounds=1, seed=1, folder=folder), folder


def test_every_run_is_right_and_has_a_trace_that_predicts_the_fixed_states(found):
    [one] = found[0].values()
    assert all(row["ok"] for row in one["rows"]), [row["error"] for row in one["rows"]]
    assert {(check["from"], check["state"]) for check in one["checks"]} >= {
        ("adaptive", "off"),
        ("adaptive", "full"),
        ("dense", "full"),
        ("full", "off"),
    }
    for line in one["checks"]:
        assert line["predicted"] > 0
        # a trace of a pinned run predicts that run itself, to the last digit
        if {"dense": "off", "light": "light", "full": "full"}.get(line["from"]) == line["state"]:
            assert line["predicted"] == pytest.approx(line["measured"])


def test_what_is_kept_is_a_trace_with_the_measured_arms_that_gives_the_same_decisions_again(found):
    import gzip

    kept = record.keep(found[0], "loopback", found[1] / "kept")
    with gzip.open(kept[0], "rt", encoding="utf-8") as lines:
        trace = read(lines)
    assert {one.state for one in check(trace, OPTIMIZATION)} == {"off", "light", "full"}
    assert all(one.same for one in replay(trace).decided)
    assert summary(found[0])[0]["program"] == "phases"
