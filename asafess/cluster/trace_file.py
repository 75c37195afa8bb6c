"""Writing a trace: JSON lines in a file that is rotated and bounded, by a thread of its own.

The scheduler only appends to a queue. What can't be written is dropped and counted, never waited for; a disk that is
full or a folder that is gone ends the trace with one warning, and nothing else.
"""

from __future__ import annotations

import atexit
import json
import logging
import stat
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TextIO

logger = logging.getLogger("asafess.scheduler")

#: lines that may wait to be written
LONGEST_QUEUE = 20_000
#: seconds that closing, which is done in the scheduler's event loop, waits for the rest to be written
PATIENCE = 0.2
#: seconds that the end of the process waits for it
LAST_PATIENCE = 5.0

#: traces that are closed, whose last lines are still on their way to the disk
_closing: set[TraceFile] = set()


class TraceFile:
    """A trace that is being written.

    Parameters
    ----------
    path : str or Path
        Of the file; replaced when it exists, with the ``path.1`` of an earlier trace. When it has grown to half of
        `limit` it becomes ``path.1``, whose predecessor is dropped. Only regular files are replaced.
    header : mapping
        The first line of each file. After it a file has who was in charge when it was begun, as an event, so that
        each can be read without the one before.
    limit : float
        Bytes that both files together have at most. A line that is longer than half of it is dropped.

    Raises
    ------
    OSError
        The file can't be opened, or it or ``path.1`` is there and no regular file; then nothing has been changed.
    """

    def __init__(self, path: str | Path, header: Mapping[str, Any], limit: float) -> None:
        #: lines that were written, and lines that were dropped because the disk did not keep up or failed
        self.written = self.dropped = 0
        self._header = self._opening = _line(header)
        self._half = limit / 2
        #: who is in charge of what
        self._controls: dict[str, str] = {}
        self._queue: SimpleQueue[Mapping[str, Any] | None] = SimpleQueue()
        self._failed = False
        self.path = located(path)
        self._earlier = self.path.with_name(self.path.name + ".1")
        _check_regular(self.path)
        _check_regular(self._earlier)
        if any(one.path == self.path for one in list(_closing)):
            raise OSError(f"the last trace to {self.path} is still being written; wait, or name another path")
        # emptied only when nothing can be refused any more
        with self.path.open("a", encoding="utf-8"):
            self._earlier.unlink(missing_ok=True)
        self._file: TextIO = self._opened()
        self._thread = threading.Thread(target=self._run, name="asafess-trace", daemon=True)
        self._thread.start()

    def write(self, line: Mapping[str, Any]) -> None:
        """Append a line; returns at once."""
        if self._failed or self._queue.qsize() >= LONGEST_QUEUE:
            self.dropped += 1
        else:
            self._queue.put(line)

    def close(self) -> None:
        """Write what is left, and close; on a disk that does not keep up, the thread does so after this returns."""
        _closing.add(self)
        self._queue.put(None)
        self._thread.join(PATIENCE)
        if not self._thread.is_alive():
            _closing.discard(self)  # it may have ended before

    def _opened(self) -> TextIO:
        file = self.path.open("w", encoding="utf-8")
        file.write(self._opening)
        self._size = len(self._opening)
        return file

    def _run(self) -> None:
        try:
            while (line := self._queue.get()) is not None:
                self._append(line)
                if self._queue.empty():
                    self._file.flush()
            self._file.flush()
        except Exception as error:
            self._failed = True
            logger.warning("asafess: the trace %s ends here: %s", self.path, error)
        finally:
            try:
                self._file.close()
            except OSError:
                self._failed = True  # the rest did not fit on the disk, which has been said
            _closing.discard(self)

    def _append(self, line: Mapping[str, Any]) -> None:
        text = _line(line)
        if len(self._opening) + len(text) > self._half:
            self.dropped += 1
            return
        if self._size + len(text) > self._half:
            self._file.close()
            self.path.replace(self._earlier)
            self._file = self._opened()
        self._file.write(text)
        self._size += len(text)
        self.written += 1
        if line.get("event") == "control":
            self._controls.update(line["of"])
            self._opening = self._header + _line({**line, "of": self._controls})


def located(path: str | Path) -> Path:
    """Return where a trace of this name is, as an absolute path.

    Raises
    ------
    OSError
        It is no path, or one of a home that nobody has.

    Examples
    --------
    >>> located("/tmp/trace.jsonl")
    PosixPath('/tmp/trace.jsonl')
    """
    try:
        found = Path(path).expanduser().absolute()
    except (RuntimeError, ValueError) as error:
        raise OSError(f"{path!r} is no path: {error}") from None
    if not found.name or "\0" in str(found):
        raise OSError(f"{path!r} is no path of a file")
    return found


def _check_regular(path: Path) -> None:
    """Refuse what would make the scheduler wait, as a FIFO does, or what is not ours to rename, as a device."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        kind = "a directory" if stat.S_ISDIR(mode) else "no regular file"
        raise OSError(f"{path} is {kind}; name a path that is free, or that of a regular file")


@atexit.register
def _finish() -> None:
    """Wait for the last lines: the threads are daemons, so a disk that hangs does not keep the process."""
    for one in list(_closing):
        one._thread.join(LAST_PATIENCE)


def _line(line: Mapping[str, Any]) -> str:
    # what looks like a number to users' code need not be one of Python's
    return json.dumps(line, default=float) + "\n"
