"""Programs whose results an optimization changes, and what goes wrong on workers only."""

import flawed
import pytest

from asafess.optimizations.null import Null
from asafess.testing.program import program
from asafess.testing.running import check_program
from asafess.testing.same import identical


def test_results_that_differ_in_one_state(client):
    with pytest.raises(AssertionError, match=r"the same with unit pinned to 'on' .* but \[True\] is not \[False\]"):
        check_program(client, flawed.Unit(), flawed.looks_at_the_unit, identical, None)
    check_program(client, flawed.Unit(), flawed.looks_at_the_unit, lambda one, other: True, None)


def test_results_that_differ_when_states_are_switched_in_the_middle(client):
    with pytest.raises(AssertionError, match="with unit switched while it runs"):
        check_program(client, flawed.Unit(), flawed.changes_in_the_middle, identical, None)


def test_a_program_that_gives_other_results_each_time_proves_nothing(client):
    with pytest.raises(AssertionError, match="the program must give the same results twice"):
        check_program(client, Null(), lambda client: object(), identical, None)


@pytest.mark.parametrize(
    ("hook", "says"),
    [
        ("prepare", "unit must get ready on each worker, but .*no such unit"),
        ("enter", "no hook may fail while a program runs with unit pinned to 'on', but: .*no such unit"),
        ("leave", "workers must be as before when asafess has been uninstalled, .* environment variable UNIT"),
    ],
)
def test_what_goes_wrong_on_workers_only(client, hook, says):
    with pytest.raises(AssertionError, match=says):
        check_program(client, flawed.OnWorkers(hook), program, identical, None)
