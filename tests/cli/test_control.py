"""``asafess pin | auto | shadow | status``, as a person would type them."""

import json
import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner
from distributed import Client
from helpers import RATES
from processes import cluster, process, wait_for, without_asafess

import asafess
from asafess.cli import main

__all__ = ["elsewhere"]  # a fixture


@pytest.fixture
def elsewhere(tmp_path):
    return without_asafess(tmp_path)


def run(*arguments):
    """Run a command in a process of its own, as `pip` installs it."""
    return subprocess.run([sys.executable, "-m", "asafess", *arguments], capture_output=True, text=True, timeout=60)


def invoke(*arguments):
    return CliRunner().invoke(main, arguments)


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """Real processes; the address of their scheduler and a client."""
    with cluster(tmp_path_factory.mktemp("control")) as file, Client(scheduler_file=file) as client:
        wait_for(lambda: len(client.scheduler_info()["workers"]) == 2, "the workers did not come")
        yield client.scheduler.address, client


def acting(client):
    """What each worker acts in."""

    # within another function, so that it is sent whole: workers can't import this module
    def states(dask_worker):
        return dict(dask_worker.plugins["asafess"]._acting.states)

    return list(client.run(states).values())


def test_a_person_takes_charge_and_gives_it_back(live):
    address, client = live
    asafess.uninstall(client)
    done = run("status", address)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: asafess is not installed on this cluster; call asafess.install(client), or")
    assert done.stderr.count("\n") == 1
    asafess.install(client, ["null"], rates=RATES)
    asafess.wait(client)
    done = run("pin", address, "null", "on")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "null: on (pinned)\nworkers that take states: 2 of 2\n"
    wait_for(lambda: acting(client) == [{"null": "on"}] * 2, "the workers did not switch")
    assert "null: on (pinned)" in run("status", address).stdout
    assert invoke("auto", address, "null").stdout.startswith("null: on (auto)\n")
    assert invoke("shadow", address, "null").stdout.startswith("null: off (in shadow: it would be in on)\n")
    wait_for(lambda: acting(client) == [{"null": "off"}] * 2, "the workers did not switch back")
    found = json.loads(invoke("status", address, "--json").stdout)
    assert (found["states"], found["shadows"]) == ({"null": "off"}, {"null": "on"})
    assert [one["after"] for one in found["switches"]] == ["on", "off"]


def test_a_wrong_name_or_state_is_one_line_that_says_what_there_is(live):
    address, client = live
    asafess.install(client, ["null"], rates=RATES)
    asafess.wait(client)
    for arguments, says in (
        (("pin", address, "nul", "on"), "unknown optimization 'nul'; installed: null"),
        (("auto", address, "nul"), "unknown optimization 'nul'; installed: null"),
        (("shadow", address, "nul"), "unknown optimization 'nul'; installed: null"),
        (("pin", address, "null", "full"), "unknown state 'full' of optimization 'null'; allowed: off, on,"),
    ):
        done = invoke(*arguments)
        assert (done.exit_code, done.stdout) == (1, "")
        assert says in done.stderr
        assert done.stderr.count("\n") == 1
    assert asafess.status(client)["controls"] == {"null": "auto"}


def test_where_the_scheduler_does_not_have_the_package_it_is_said(tmp_path, elsewhere):
    file = tmp_path / "scheduler.json"
    arguments = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    with process(arguments, tmp_path / "log", elsewhere):
        wait_for(file.exists, "the scheduler did not start")
        address = wait_for(lambda: json.loads(file.read_text() or "{}").get("address"), "no address")
        for arguments in (("status", address), ("pin", address, "null", "on")):
            done = run(*arguments)
            assert (done.returncode, done.stdout) == (1, "")
            assert (
                done.stderr
                == "Error: asafess can't be imported by the scheduler; install it there: pip install asafess\n"
            )


def test_where_nobody_listens_it_is_one_line_without_a_traceback():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    done = run("status", nobody, "--timeout", "0.5")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: no Dask scheduler could be reached at {nobody}: ")
    assert done.stderr.count("\n") == 1


def test_a_program_that_takes_connections_and_says_nothing_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = invoke("pin", f"tcp://127.0.0.1:{silent.getsockname()[1]}", "null", "on", "--timeout", "0.3")
    assert done.exit_code == 1
    assert "no Dask scheduler could be reached" in done.stderr


@pytest.mark.parametrize("wrong", ["nobody", "bogus://x:1", "http://127.0.0.1:8787", ""])
def test_what_is_no_address_is_said_to_be_none(wrong):
    done = invoke("status", wrong, "--timeout", "0.3")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("wrong", ["0", "nan", "soon"])
def test_a_timeout_that_is_none_is_refused(wrong):
    done = invoke("status", "tcp://127.0.0.1:1", "--timeout", wrong)
    assert done.exit_code == 2
    assert "--timeout" in done.stderr
