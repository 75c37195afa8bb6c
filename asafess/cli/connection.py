"""The commands' way to a cluster: one line when nobody answers there, and nothing that hangs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from distributed import Client

#: seconds that closing the connection may take
FAREWELL = 2.0


class Seconds(click.FloatRange):
    """A number of seconds in a range; not NaN, which is in every range of click's."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        seconds = super().convert(value, param, ctx)
        if seconds != seconds:
            self.fail(f"{value!r} is no time", param, ctx)
        return seconds


def to_cluster(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its argument ADDRESS and its option --timeout."""
    command = click.option(
        "--timeout",
        default=10.0,
        show_default=True,
        type=Seconds(0.1, 3600),
        help="Seconds to wait for the scheduler to answer.",
    )(command)
    return click.argument("address")(command)


def on_cluster(address: str, timeout: float, function: Callable[[Client], Awaitable[Any]]) -> Any:
    """Return what an asynchronous function makes of a client of the cluster.

    Parameters
    ----------
    address : str
        Of the scheduler.
    timeout : float
        Seconds to wait for it.
    function : callable
        Client → awaitable.

    Raises
    ------
    click.ClickException
        Nobody answers, or `asafess` is not there or refuses; one line, exit code 1.
    """
    return asyncio.run(_on_cluster(address, timeout, function))


async def _on_cluster(address: str, timeout: float, function: Callable[[Client], Awaitable[Any]]) -> Any:
    from distributed import Client

    from asafess.cluster.remote import NotInstalledError

    try:
        client = Client(address, asynchronous=True, timeout=timeout, set_as_default=False, name="asafess")
    except ValueError as error:
        raise click.ClickException(f"{address!r} is no address of a scheduler: {error}") from None
    try:
        try:
            # Dask's own timeout does not end the wait for a program that takes connections and says nothing
            await asyncio.wait_for(client, timeout + 1)
        except Exception as error:  # whatever another program than a scheduler answers
            reason = str(error) or f"no answer within {timeout:g} s"
            raise click.ClickException(f"no Dask scheduler could be reached at {address}: {reason}") from None
        try:
            return await function(client)
        except (NotInstalledError, ValueError, OSError, RuntimeError) as error:
            raise click.ClickException(str(error) or repr(error)) from None
    finally:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(client.close(FAREWELL), FAREWELL + 1)
