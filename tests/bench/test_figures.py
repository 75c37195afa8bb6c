"""What a run moved, read off the workers' records."""

import asyncio
from types import SimpleNamespace

from asafess.bench import figures


def worker():
    """What is read of a worker that still waits to hear that its last message has come."""
    return SimpleNamespace(
        transfer_outgoing_count=1, transfer_outgoing_log=[], transfer_incoming_log=[], digests_total={}
    )


def test_what_a_receiver_has_not_acknowledged_is_waited_for():
    one = worker()

    async def acknowledged():
        await asyncio.sleep(0.05)
        one.transfer_outgoing_count = 0
        one.transfer_outgoing_log.append({"start": 1.0, "compressed": 10})

    async def read():
        later = asyncio.create_task(acknowledged())
        found = await figures._totals(one)
        await later
        return found

    assert asyncio.run(read())["sent"] == [(1.0, 10)]


def test_one_who_never_says_so_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(figures, "ACKNOWLEDGED", 0.05)
    assert asyncio.run(figures._totals(worker()))["sent"] == []
