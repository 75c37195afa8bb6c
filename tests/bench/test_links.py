import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from asafess.bench.links import allowed, local_cluster, shaped_cluster
from asafess.bench.namespaces import bits_per_second, bridged, burst_bytes
from asafess.bench.processes import own_folder, worker_environment
from distributed import Client

ok, reason = allowed()
needs_links = pytest.mark.skipif(not ok, reason=f"no shaped links: {reason}")

HOLD = """
import signal, sys, threading
# a test run in the background may hand on that Ctrl-C is ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
from asafess.bench.links import local_cluster, shaped_cluster
make = {make}
with make as cluster:
    print(*(a for a in (cluster.address, cluster.folder)), flush=True)
    threading.Event().wait()
"""


def left_over(address):
    """Return what exists on this machine of the links behind an address, 10.78.<slot>.x: namespaces and devices."""
    slot = address.rsplit(".", 2)[1]
    names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout.split()
    devices = [p.name for p in Path("/sys/class/net").iterdir()]
    return {n for n in [*names, *devices] if re.match(rf"(asafess|asf){slot}(w\d+)?$", n)}


def processes_of(folder):
    """Return the ids of the processes whose command line names a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if folder in path.read_text():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def eventually(check, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def transfer_seconds(cluster, megabytes):
    """Return the seconds that one transfer from worker 0 to worker 1 takes, the best of three."""
    taken = []
    with Client(cluster.address, set_as_default=False) as client:
        for _ in range(3):
            here = client.submit(np.ones, megabytes * 125_000, workers=cluster.workers[0], pure=False)
            here.result()
            start = time.perf_counter()
            there = client.submit(len, here, workers=cluster.workers[1], pure=False)
            assert there.result() == megabytes * 125_000
            taken.append(time.perf_counter() - start)
    return min(taken)


def test_a_bucket_holds_two_milliseconds_but_never_less_than_two_large_packets():
    assert burst_bytes("10gbit") == 2_500_000
    assert burst_bytes("1mbit") == 2 * 65536


@pytest.mark.parametrize("rate", ["fast", "1", "0gbit", "-1gbit", "1 gigabyte"])
def test_a_rate_that_is_none_is_refused_with_an_example(rate):
    with pytest.raises(ValueError, match="such as '1gbit'"):
        bits_per_second(rate)


def test_workers_get_the_environment_that_a_nanny_gives_and_ours_on_top():
    found = worker_environment({"X": "1"})
    assert found["OMP_NUM_THREADS"] == found["OPENBLAS_NUM_THREADS"] == "1"
    assert found["X"] == "1"


def test_a_local_cluster_has_separate_processes_on_addresses_of_their_own_and_leaves_nothing():
    with local_cluster(2, env={"SEEN": "yes"}) as cluster:
        hosts = [address.split("//")[1].split(":")[0] for address in cluster.workers]
        assert hosts == ["127.0.0.2", "127.0.0.3"]
        with Client(cluster.address, set_as_default=False) as client:
            pids = client.run(os.getpid)
            assert len({*pids.values(), os.getpid()}) == 3
            assert set(client.run(os.getenv, "SEEN").values()) == {"yes"}
            assert set(client.run(os.getenv, "OMP_NUM_THREADS").values()) == {"1"}
        assert cluster.describe()["workers"] == 2
        assert "Registered to" in cluster.log("worker-0")
    assert not cluster.folder.exists()
    assert processes_of(str(cluster.folder)) == []


def test_a_worker_that_cannot_start_is_an_error_with_the_end_of_its_log():
    with (
        pytest.raises(RuntimeError, match=r"(?s)worker-\d ended with status.*no-such-option"),
        local_cluster(1, worker_args=["--no-such-option"]),
    ):
        pass


def test_a_scheduler_that_cannot_start_is_an_error_with_the_end_of_its_log():
    with (
        pytest.raises(RuntimeError, match=r"(?s)scheduler ended with status.*no-such-option"),
        local_cluster(1, scheduler_args=["--no-such-option"]),
    ):
        pass


def test_no_workers_is_refused():
    with pytest.raises(ValueError, match="at least one worker"), local_cluster(0):
        pass


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_program_that_is_told_to_stop_or_killed_leaves_no_process_behind(sent):
    code = HOLD.format(make="local_cluster(1)")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as program:
        try:
            folder = program.stdout.readline().split()[1]
            assert processes_of(folder)
            program.send_signal(sent)
            program.wait(20)
        finally:
            program.kill()
        assert eventually(lambda: not processes_of(folder))
    # after SIGKILL it stays until somebody, this test or another program, starts a cluster
    assert sent == signal.SIGKILL or not Path(folder).exists()
    with local_cluster(1) as cluster:  # which tidies up after the dead, but not after the living
        assert not Path(folder).exists()
        with own_folder():
            assert cluster.folder.exists()


@needs_links
def test_sixteen_megabytes_take_what_one_gigabit_allows_and_nothing_is_left_over():
    with shaped_cluster(2, rate="1gbit") as cluster:
        assert cluster.describe()["rate"] == "1gbit"
        assert 0.1 < transfer_seconds(cluster, 16) < 1.0  # what it may take at most is the machine's affair
        assert len(left_over(cluster.address)) == 5  # two namespaces, two devices, a bridge
    assert left_over(cluster.address) == set()


@needs_links
def test_unshaped_links_are_faster_than_a_gigabit_and_two_clusters_live_side_by_side():
    with shaped_cluster(2, rate=None) as one, shaped_cluster(2, rate="100mbit") as other:
        assert set(one.workers).isdisjoint(other.workers)
        assert min(transfer_seconds(one, 16) for _ in range(5)) < 0.128  # 16 MB at a gigabit per second
        assert 0.15 < transfer_seconds(other, 2) < 1.0
    assert left_over(one.address) == left_over(other.address) == set()


@needs_links
def test_an_exception_inside_leaves_nothing_over():
    with pytest.raises(ZeroDivisionError), bridged(2, "1gbit") as net:
        raise ZeroDivisionError
    assert left_over(net.root) == set()


@needs_links
def test_what_a_killed_program_left_is_removed_by_the_next_one():
    code = HOLD.format(make="shaped_cluster(1)")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as program:
        address, folder = program.stdout.readline().split()
        program.kill()
        program.wait(10)
    assert eventually(lambda: not processes_of(folder))
    assert left_over(address)
    with bridged(1, None) as net:
        assert left_over(address) <= left_over(net.root)  # it may have been given the same slot
    assert left_over(address) == set()


@needs_links
@pytest.mark.skipif(
    subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", "--mount", "true"], capture_output=True
    ).returncode,
    reason="no unprivileged user namespaces here",
)
def test_without_privileges_the_program_starts_again_inside_a_user_namespace_and_has_links_there():
    # the real reason may be any: here the program is told that it may not build links where it is
    code = """
import os
from asafess.bench import namespaces
if namespaces._ENTERED not in os.environ:
    namespaces._try_links = lambda: "not root"
    assert namespaces.allowed()[0] is False
    namespaces.enter()
    raise SystemExit("enter() came back")
assert namespaces.allowed() == (True, ""), namespaces.allowed()
with namespaces.bridged(2, "1gbit") as net:
    print(*net.hosts)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 2
