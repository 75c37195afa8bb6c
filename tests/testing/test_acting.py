"""Acting halves that break the contract, each in one way."""

import flawed
import pytest
from distributed.protocol.pickle import dumps, loads

from asafess.testing.acting import Workers, check_acting


def act(optimization, snapshot=None):
    pickled = dumps(optimization)
    return check_acting(Workers(lambda: loads(pickled), ["float64"], snapshot))


@pytest.mark.parametrize("hook", ["prepare", "rates", "enter", "leave", "counters"])
def test_a_hook_that_raises_is_named_whatever_it_raises(hook):
    with pytest.raises(AssertionError, match=rf"unit\.{hook}\(.*\) must not raise, but it did: .*no {hook}"):
        act(flawed.Raising(hook))


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (flawed.LeavesAnyway(), "after leave without prepare or enter environment variable UNIT was not there"),
        (flawed.KeepsVariable(), "after entering 'off' twice and leave environment variable UNIT was not there"),
        (flawed.FindsItself(), "after entering 'off' twice and leave environment variable UNIT"),
        (flawed.PerObject(), "what was found belongs to the process"),
        (flawed.RemembersLate(), r"after enter\('on'\) had raised inside, after \d of its lines, and leave"),
        (flawed.KeepsConfig(), r"Dask's setting distributed\.comm\.compression was False and is 'zlib'"),
        (flawed.KeepsCollector(), "Python's garbage collector was True"),
        (flawed.KeepsErrors(), "NumPy's errors over was 'warn' and is 'raise'"),
        (flawed.KeepsFilter(), "warnings.filters are not what they were"),
        (flawed.KeepsCodec(), "Dask's compression zlib was"),
        (flawed.KeepsSerializer(), "Dask's serializer of builtins.bytes was"),
    ],
)
def test_what_is_not_put_back(broken, says):
    with pytest.raises(AssertionError, match=says):
        act(broken)


def test_threads_that_are_not_put_back():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    with threadpoolctl.threadpool_limits(2):
        if {pool["num_threads"] for pool in threadpoolctl.threadpool_info()} != {2}:
            pytest.skip("no library here whose threads can be set")
        with pytest.raises(AssertionError, match=r"thread pool .* was of 2 threads and is of"):
            act(flawed.KeepsThreads())


def test_what_only_the_author_knows_of():
    act(flawed.KeepsSetting())
    flawed.SETTING.update(form="float")
    with pytest.raises(AssertionError, match=r"your snapshot\(\) was {'form': 'float'} and is {'form': 'fixed'}"):
        act(flawed.KeepsSetting(), snapshot=lambda: dict(flawed.SETTING))


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (flawed.Rates({"unit": 0.0}), "rates must be positive, but unit is 0"),
        (flawed.Rates({"unit": float("nan")}), r"unit\.rates\(\) must map names to finite numbers"),
        (flawed.Rates(3.0), r"unit\.rates\(\) must map names to finite numbers"),
        (flawed.Rates({"flop": 1.0}), "'flop' is the cluster's"),
        (flawed.Counters({"done": float("inf")}), r"unit\.counters\(\) must map names to finite numbers"),
        (flawed.Counters({"done": "many"}), r"unit\.counters\(\) must map names to finite numbers"),
        (flawed.Counters({"done": 2.0}, {"done": 1.0}), r"never fall, but done was 2\.0 and is 1\.0"),
        (flawed.Counters({"done": 2.0}, {}), r"never fall, but done was 2\.0 and is gone"),
    ],
)
def test_rates_and_counters(broken, says):
    with pytest.raises(AssertionError, match=says):
        act(broken)
