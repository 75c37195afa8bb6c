"""The contract of an optimization, held against anyone's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from asafess.cluster.guard import guarded, text
from asafess.optimizations.base import Optimization
from asafess.testing import program as built_in
from asafess.testing.acting import Workers, check_acting
from asafess.testing.contract import want
from asafess.testing.deciding import check_deciding, check_declaration
from asafess.testing.elsewhere import check_elsewhere
from asafess.testing.running import check_program
from asafess.testing.same import identical
from asafess.testing.scheduling import check_scheduler

if TYPE_CHECKING:
    from distributed import Client


def check_optimization(
    optimization: Optimization,
    program: Callable[[Client], Any] | None = None,
    same: Callable[[Any, Any], bool] | None = None,
    *,
    client: Client | None = None,
    snapshot: Callable[[], Any] | None = None,
    without: Sequence[str] = (),
    dtypes: Sequence[str] = ("float64",),
) -> None:
    """Hold an optimization to the contract; for a test of its author's.

    What is wanted, in the order in which it is checked:

    - a name, states, and a declaration that the controller takes; it can be pickled, and declares the same after that;
    - `leave` puts back what was found before the first `enter`, after any order of states, after entering twice, after
      an exception before any line of `enter`, where nothing was entered, and where two workers share a process;
    - rates are positive, counters are finite and never fall;
    - the domain leads from each state to a state, for any mode vector; decisions are the same for the same input;
    - the deciding half can be imported and decides in another process;
    - `leave_scheduler` puts back what was found in the scheduler, and `scheduler_load` changes nothing there;
    - a program gives the same results in each state, and while states are switched under it.

    *Put back* is looked at in environment variables, Dask's configuration, compressions and serializers, warning
    filters, NumPy's errors, the garbage collector, threads of BLAS and OpenMP (where threadpoolctl is installed);
    simple attributes, methods, handlers, plugins and callbacks of the scheduler; and in `snapshot`.

    Parameters
    ----------
    optimization : Optimization
        It is copied, and not changed.
    program : callable, optional
        Takes a client and returns results; it should make the optimization do its work. Where left out, one with small
        and large tasks and arrays, text and bytes that move between workers.
    same : callable, optional
        Takes two results of the program and says whether they are the same; to the bit where left out.
    client : distributed.Client, optional
        Of a cluster to run on, not asynchronous; what is installed there with asafess is taken off. Where left out, two
        workers in this process that are connected by TCP.
    snapshot : callable, optional
        Returns what else of a process is to be as before, such as a global of a library that the optimization sets.
    without : sequence of str, optional
        Modules that the scheduler need not have: the deciding half is imported where they can't be.
    dtypes : sequence of str
        Data types that `prepare` is to prepare for.

    Raises
    ------
    AssertionError
        It does not hold; the message says in a sentence what is wanted, and what was found.

    Examples
    --------
    >>> import asafess
    >>> from asafess.optimizations.null import Null
    >>> from asafess.testing import check_optimization
    >>> check_optimization(Null())
    >>> class Forgetful(Null):
    ...     name = "forgetful"
    ...
    ...     def counters(self):
    ...         return {"panels": float("nan")}
    >>> check_optimization(Forgetful())
    Traceback (most recent call last):
    ...
    AssertionError: forgetful.counters() must map names to finite numbers, but is {'panels': nan}: ...
    """
    check_declaration(optimization)
    pickled = _pickled(optimization)

    def copy() -> Optimization:
        from distributed.protocol.pickle import loads

        made = loads(pickled)
        check_declaration(made)
        return made  # type: ignore[no-any-return]

    _check_copy(optimization, copy())
    rates = check_acting(Workers(copy, dtypes, snapshot))
    check_deciding(copy(), rates)
    check_elsewhere(pickled, rates, without)
    with _cluster(client) as connected:
        check_scheduler(connected, copy())
        check_program(connected, copy(), program or built_in.program, same or identical, snapshot)


def _pickled(optimization: Optimization) -> bytes:
    from distributed.protocol.pickle import dumps

    try:
        return bytes(guarded(dumps, optimization))
    except Exception as error:
        raise AssertionError(f"{optimization.name} must be picklable, to get to the workers: {text(error)}") from error


def _check_copy(optimization: Optimization, copy: Optimization) -> None:
    """Want that what arrives declares what was sent."""
    for what in ("name", "states", "dwell", "switch_seconds", "conflicts", "demands"):
        sent, came = (getattr(one.declaration(), what) for one in (optimization, copy))
        want(
            sent == came, f"{optimization.name} must be the same after pickling, but its {what} was {sent!r}: {came!r}"
        )


@contextmanager
def _cluster(client: Client | None) -> Iterator[Client]:
    from distributed import Client, LocalCluster

    if client is not None:
        want(
            isinstance(client, Client) and not client.asynchronous,
            f"client must be a dask.distributed.Client that is not asynchronous, not {client!r}",
        )
        with client.as_current():
            yield client
        return
    # by TCP: workers of one process would hand each other objects, which nothing is done to
    here = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "protocol": "tcp://"}
    with LocalCluster(**here, dashboard_address=":0") as cluster, Client(cluster) as connected:
        yield connected
