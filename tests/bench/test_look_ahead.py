import pytest
from distributed import Client

from bench import look_ahead
from bench.links import local_cluster
from bench.toggles.case import Phased


def test_a_switch_is_told_from_the_barrier_at_which_its_phase_begins():
    times = [0.0, 1.0, 3.0, 4.0, 7.0]
    assert look_ahead.delay(times, [0.1, 2.75], first=2) == pytest.approx(-0.25)
    assert look_ahead.delay(times, [4.5, 0.5], first=1) == pytest.approx(0.0)
    assert look_ahead.delay(times, [], first=1) is None


def test_a_short_run_says_all_that_a_long_one_does():
    phases = look_ahead.parts(20, 8, 1000)
    with local_cluster(2) as cluster, Client(cluster.address, set_as_default=False) as client:
        program = Phased(client, cluster.workers, phases * 2, phases)
        result = look_ahead.race(client, 1, 1, "500ms", program)
    assert [row["error"] for row in result.rows if not row["ok"]] == []
    found = look_ahead.summarize(result)
    for arm in ("queued", "open", "adaptive", "reactive"):
        seconds = [row["seconds"] for row in result.rows if row["arm"] == arm]
        phases_of_arm = sum(found[f"{arm}_{kind}_seconds"] for kind in look_ahead.KINDS)
        assert 0 < phases_of_arm < seconds[0]
    assert found["bound"] >= 1
    assert found["better_fixed"] in look_ahead.FIXED
