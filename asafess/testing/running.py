"""A program on a cluster: the same results in each state, and while states are switched under it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any

from asafess.cluster.guard import guarded, text
from asafess.cluster.install import install, uninstall
from asafess.cluster.steer import auto, pin, status, wait
from asafess.optimizations.base import Optimization
from asafess.testing.contract import want
from asafess.testing.process import Picture, differences, picture

if TYPE_CHECKING:
    from distributed import Client

#: given, so that only what the optimization itself measures takes time
RATES = {"flop": 1e9, "memory": 1e9, "link": 1e8}


def check_program(
    client: Client,
    optimization: Optimization,
    program: Callable[[Client], Any],
    same: Callable[[Any, Any], bool],
    snapshot: Callable[[], Any] | None,
) -> None:
    """Want the same results with and without an optimization, whatever state it is in, and workers as before."""
    expected = program(client)
    want(
        same(expected, program(client)),
        "the program must give the same results twice, without any optimization, or nothing can be said of one; give "
        "`same` where they may differ",
    )
    before = client.run(picture, snapshot)
    install(client, [optimization], rates=RATES)
    try:
        _installed(client, optimization)
        for state in optimization.states:
            pin(client, optimization.name, state)
            _run(client, program, same, expected, f"{optimization.name} pinned to {state!r}")
        _switched(client, optimization, program, same, expected)
        auto(client, optimization.name)
        _run(client, program, same, expected, f"{optimization.name} switched by its policy")
    finally:
        uninstall(client)
    _as_before(before, client.run(picture, snapshot))
    want(same(expected, program(client)), f"the results must be the same after {optimization.name} has gone")


def _installed(client: Client, optimization: Optimization) -> None:
    try:
        wait(client, timeout=180)
    except (RuntimeError, TimeoutError) as error:
        raise AssertionError(f"{optimization.name} must get ready on each worker, but {error}") from error


def _run(
    client: Client, program: Callable[[Client], Any], same: Callable[[Any, Any], bool], expected: Any, how: str
) -> None:
    try:
        found = guarded(program, client)
    except Exception as error:
        raise AssertionError(f"the program must not fail with {how}, but it raised {text(error)}") from error
    fault = status(client)["fault"]
    want(fault is None, f"no hook may fail while a program runs with {how}, but: {fault}")
    want(same(expected, found), f"results must be the same with {how} as without it, but {found!r} is not {expected!r}")


def _switched(
    client: Client,
    optimization: Optimization,
    program: Callable[[Client], Any],
    same: Callable[[Any, Any], bool],
    expected: Any,
) -> None:
    """Run the program while another thread switches, until each state has been entered twice under it."""
    over, switches, failed = threading.Event(), 0, []
    wanted = 2 * len(optimization.states)

    def switch() -> None:
        nonlocal switches
        try:
            for state in cycle(optimization.states):
                if over.is_set():
                    return
                pin(client, optimization.name, state)
                switches += 1
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=switch, name="asafess-switch", daemon=True)
    thread.start()
    try:
        while switches < wanted and not failed:
            _run(client, program, same, expected, f"{optimization.name} switched while it runs")
    finally:
        over.set()
        thread.join()
    want(not failed, f"{optimization.name} must take any state at any time, but {text(failed[0]) if failed else ''}")


def _as_before(before: Mapping[str, Picture], after: Mapping[str, Picture]) -> None:
    for worker, seen in before.items():
        changed = differences(seen, after.get(worker, {}))
        want(
            not changed,
            f"workers must be as before when asafess has been uninstalled, but on {worker} {'; '.join(changed)}",
        )
