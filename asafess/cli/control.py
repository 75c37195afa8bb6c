"""``asafess pin | auto | shadow``: who is in charge of an optimization, live."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from asafess.cli.connection import on_cluster, to_cluster
from asafess.cli.status import headline, waiting_lines, workers_line

if TYPE_CHECKING:
    from distributed import Client


@click.command()
@to_cluster
@click.argument("name")
@click.argument("state")
def pin(address: str, name: str, state: str, timeout: float) -> None:
    """Set an optimization to a state by hand, until `asafess auto`.

    ADDRESS is the scheduler's, as in tcp://127.0.0.1:8786; NAME an optimization, as in tile_compression; STATE one of
    its states.
    """
    from asafess.cluster.steer import pin

    _control(address, timeout, name, lambda client: pin(client, name, state))


@click.command()
@to_cluster
@click.argument("name")
def auto(address: str, name: str, timeout: float) -> None:
    """Give an optimization back to its policy.

    ADDRESS is the scheduler's; NAME an optimization.
    """
    from asafess.cluster.steer import auto

    _control(address, timeout, name, lambda client: auto(client, name))


@click.command()
@to_cluster
@click.argument("name")
def shadow(address: str, name: str, timeout: float) -> None:
    """Let an optimization decide and log, but act on nothing: it is off.

    ADDRESS is the scheduler's; NAME an optimization.
    """
    from asafess.cluster.steer import shadow

    _control(address, timeout, name, lambda client: shadow(client, name))


def _control(address: str, timeout: float, name: str, change: Callable[[Client], Any]) -> None:
    """Change who is in charge of an optimization, and print what is now the case."""
    from asafess.cluster.steer import status

    async def changed(client: Client) -> Any:
        await change(client)
        return await status(client)

    found = on_cluster(address, timeout, changed)
    click.echo(headline(found, name))
    for line in waiting_lines(found, name):
        click.echo(line)
    click.echo(workers_line(found))
