"""Reading traces from files: plain or gzipped, in one piece or rotated."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import click

from asafess.core.trace import Trace
from asafess.core.trace_reader import read

_RECORD = "record one with asafess.trace(client, path): it is a file of the scheduler's machine"


def load(path: Path) -> Trace:
    """Return the trace in a file; what was rotated into ``path.1`` comes first.

    Raises
    ------
    click.ClickException
        The file can't be read, is no trace, or holds no decision.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        # reading a FIFO or a device may have no end
        raise click.ClickException(f"{path} can't be read: it is no regular file; {_RECORD}")
    try:
        earlier = path.with_name(path.name + ".1")
        # one that an older trace has left behind has another header
        before = _lines(earlier) if earlier.is_file() and _header(earlier) == _header(path) else iter(())
        trace = read(line for lines in (before, _lines(path)) for line in lines)
    except FileNotFoundError:
        raise click.ClickException(f"there is no file {path}; {_RECORD}") from None
    except OSError as error:
        raise click.ClickException(f"{path} can't be read: {error}") from None
    except (ArithmeticError, AttributeError, ValueError) as error:
        raise click.ClickException(f"{path}: {error}; {_RECORD}") from None
    if not trace.moments:
        raise click.ClickException(
            f"{path} holds no decision: no task with a type was scheduled while it was written, the rates were not "
            "known yet, or its lines are damaged; asafess.status(client)['counters'] says which samples were used"
        )
    return trace


def _header(path: Path) -> str:
    return next(_lines(path), "")


def _lines(path: Path) -> Iterator[str]:
    with path.open("rb") as raw:
        gzipped = raw.read(2) == b"\x1f\x8b"
    with gzip.open(path) if gzipped else path.open("rb") as file:
        try:
            for line in file:
                yield line.decode("utf-8", errors="replace")
        except (EOFError, zlib.error):
            yield "cut"  # counted as one more line that can't be read
