"""Where commands write to: said to be impossible before the work, not after it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


class Output(click.Path):
    """A file that is written at the end; its folder has to be there at the beginning."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        path = os.fsdecode(super().convert(value, param, ctx))
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            self.fail(f"{path!r} can't be written: there is no folder {folder}", param, ctx)
        if not os.path.exists(path) and not os.access(folder, os.W_OK | os.X_OK):
            self.fail(f"{path!r} can't be written: nothing may be added to the folder {folder}", param, ctx)
        return path


def write(option: str, path: str, writing: Callable[[], Any]) -> None:
    """Write a file of an option.

    Raises
    ------
    click.ClickException
        It could not be written: the disk is full, or a picture has no such format.
    """
    try:
        writing()
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{option}: {path} could not be written: {error}") from None


def check_configuration() -> None:
    """Look whether Dask's configuration of this user can be written.

    Raises
    ------
    click.ClickException
        It can't: what is in the way, and what to do.
    """
    import dask.config

    path = Path(dask.config.PATH)
    if os.path.isfile(path) and path.suffix.lower() not in (".yaml", ".yml", ".json"):
        raise click.ClickException(
            f"the configuration can't be written: {path} is a file where Dask's folder should be; move it away, or "
            "name a folder or a .yaml file in the environment variable DASK_CONFIG"
        )
    folder = Path(os.path.realpath(path))
    folder = folder.parent if os.path.isfile(folder) else folder
    while not os.path.lexists(folder):
        folder = folder.parent
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        raise click.ClickException(
            f"the configuration can't be written: {folder} is no folder that can be written to; name another in the "
            "environment variable DASK_CONFIG"
        )
