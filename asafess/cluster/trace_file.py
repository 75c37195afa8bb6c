"""Writing a trace: JSON lines in a file that is rotated and bounded, by a thread of its own.

The scheduler only appends to a queue. What can't be written is dropped and counted, never waited for; a disk that is
full or a folder that is gone ends the trace with one warning, and nothing else.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TextIO

logger = logging.getLogger("asafess.scheduler")

#: lines that may wait to be written
LONGEST_QUEUE = 20_000
#: seconds that closing waits for the rest to be written
PATIENCE = 5.0


class TraceFile:
    """A trace that is being written.

    Parameters
    ----------
    path : str or Path
        Of the file; replaced when it exists, with the ``path.1`` of an earlier trace. When it has grown to half of
        `limit` it becomes ``path.1``, whose predecessor is dropped.
    header : mapping
        The first line of each file. After it a file has who was in charge when it was begun, as an event, so that
        each can be read without the one before.
    limit : float
        Bytes that both files together have at most. A line that is longer than half of it is dropped.

    Raises
    ------
    OSError
        The file can't be opened.
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
        try:
            self.path = Path(path).expanduser()
            self._earlier = self.path.with_name(self.path.name + ".1")
            self._file: TextIO = self._opened()
            self._earlier.unlink(missing_ok=True)
        except (RuntimeError, ValueError) as error:
            raise OSError(f"{path!r} is no path: {error}") from None
        self._thread = threading.Thread(target=self._run, name="asafess-trace", daemon=True)
        self._thread.start()

    def write(self, line: Mapping[str, Any]) -> None:
        """Append a line; returns at once."""
        if self._failed or self._queue.qsize() >= LONGEST_QUEUE:
            self.dropped += 1
        else:
            self._queue.put(line)

    def close(self) -> None:
        """Write what is left, and close."""
        self._queue.put(None)
        self._thread.join(PATIENCE)

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


def _line(line: Mapping[str, Any]) -> str:
    # what looks like a number to users' code need not be one of Python's
    return json.dumps(line, default=float) + "\n"
