"""The command ``asafess``: one file for each family of commands."""

from __future__ import annotations

import io
import sys

import click

import asafess
from asafess.cli.break_even import break_even
from asafess.cli.calibrate import calibrate
from asafess.cli.control import auto, pin, shadow
from asafess.cli.demo import demo
from asafess.cli.status import status
from asafess.cli.trace import replay, score
from asafess.cli.types import types


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(asafess.__version__)
def main() -> None:
    """Adaptive optimizations for Dask, decided by the scheduler."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # names in a trace may hold what no encoding has
            stream.reconfigure(errors="replace")


for command in (demo, pin, auto, shadow, status, calibrate, break_even, replay, score, types):
    main.add_command(command)
