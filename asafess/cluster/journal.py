"""What the scheduler's plugin remembers for people: the story of modes and states, the switches, and the trace."""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from asafess.cluster.trace_file import TraceFile, located
from asafess.core.declaration import Declaration
from asafess.core.mode import Sample
from asafess.core.moment import Moment
from asafess.core.state import Switch
from asafess.core.trace import Event, event_line, header_line, moment_line, switch_line

logger = logging.getLogger("asafess.scheduler")

#: entries of the story and of the switches that are kept
STORY = 20_000


class Journal:
    """Keeps what happened, and writes it into a trace while one is wanted."""

    def __init__(self) -> None:
        #: (seconds, ratio, zeros, states) of each sample that was used
        self.story: deque[dict[str, Any]] = deque(maxlen=STORY)
        #: changes of state, also those that an optimization in shadow would have made
        self.switches: deque[dict[str, Any]] = deque(maxlen=STORY)
        self._trace: TraceFile | None = None

    def clear(self) -> None:
        """Forget the story and the switches; the trace goes on."""
        self.story.clear()
        self.switches.clear()

    def open(
        self,
        path: str,
        limit: float,
        settings: Mapping[str, Any],
        declarations: Iterable[Declaration],
        events: Iterable[Event],
    ) -> None:
        """Begin a trace, with what is the case now as its first events; one that is open is closed.

        Raises
        ------
        OSError
            The file can't be opened.
        """
        header = header_line(settings, declarations, time.monotonic(), time.time())
        if self._trace is not None and self._trace.path == located(path):
            self.close()  # two can't write one file
        begun = TraceFile(path, header, limit)
        self.close()  # only now: a path that is refused ends nothing
        self._trace = begun
        for event in events:
            self.event(event)

    def close(self) -> None:
        """End the trace, if there is one."""
        trace, self._trace = self._trace, None
        if trace is not None:
            trace.close()

    @property
    def trace(self) -> dict[str, Any] | None:
        """Where the trace is, and how many lines were written and dropped."""
        one = self._trace
        return None if one is None else {"path": str(one.path), "written": one.written, "dropped": one.dropped}

    def moment(self, moment: Moment, sample: Sample, reports: Mapping[str, Mapping[str, float]]) -> None:
        """Take note of a sample that was used, and in a trace of the workers' running totals."""
        self.story.append(
            {
                "time": moment.time,
                "ratio": moment.vector.get("ratio"),
                "zeros": moment.vector.get("zeros"),
                "states": dict(moment.after),
            }
        )
        if self._trace is not None:
            totals: Counter[str] = Counter()
            for report in reports.values():
                totals.update(report)
            self._trace.write(moment_line(moment, sample, totals))

    def switch(self, switch: Switch, shadow: bool = False) -> None:
        """Take note of a change of state, or of one that would have been made."""
        logger.info(
            "asafess.%s %s: %s -> %s, %s",
            "shadow" if shadow else "switch",
            switch.optimization,
            switch.before,
            switch.after,
            switch.cause,
        )
        self.switches.append({**asdict(switch), "shadow": shadow})
        if self._trace is not None:
            self._trace.write(switch_line(switch))

    def event(self, event: Event) -> None:
        """Take note of something that no sample decided."""
        if self._trace is not None:
            self._trace.write(event_line(event))
