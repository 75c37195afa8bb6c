"""Names on the wire between our scheduler plugin and our worker plugins.

Scheduler → worker, on the batched stream: `STATE`, `COUNT` for what a kernel costs, and `PING`, which comes back as the
event `PONG`. They are sent only to workers that have acknowledged, because distributed closes a worker that gets an
operation it does not know.
Worker → scheduler: events under the topic `TOPIC`, which a scheduler without us only logs.
Scheduler → worker, as a call with an answer: `RATES`, `LINK`, `COUNTERS`; worker → worker: `PAYLOAD`.
"""

from __future__ import annotations

#: name of both plugins
NAME = "asafess"
#: version of the messages; a worker that speaks another one is left alone
VERSION = 6

STATE = "asafess-state"
COUNT = "asafess-count"
PING = "asafess-ping"
RATES = "asafess_rates"
LINK = "asafess_link"
PAYLOAD = "asafess_payload"
COUNTERS = "asafess_counters"

TOPIC = "asafess"
#: events: a worker can take states from now on; with the totals of its counters, which begin with its process
READY = "ready"
#: events: a worker acts in a state that was sent to it
ENTERED = "entered"
#: events: totals of what went through a worker's door
REPORT = "report"
#: events: something of ours failed on a worker
FAULT = "fault"
#: events: what a worker has counted of a kernel
COUNTED = "counted"
#: events: an answer to a ping
PONG = "pong"
