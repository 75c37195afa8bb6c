"""The command ``asafess``: one file for each family of commands."""

from __future__ import annotations

import click

import asafess
from asafess.cli.break_even import break_even
from asafess.cli.demo import demo


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(asafess.__version__)
def main() -> None:
    """Adaptive optimizations for Dask, decided by the scheduler."""


for command in (demo, break_even):
    main.add_command(command)
