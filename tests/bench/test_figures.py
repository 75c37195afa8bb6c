"""What a run moved, read off the workers' records."""

import asyncio

from asafess.bench import figures
from distributed.utils_test import gen_cluster, inc


@gen_cluster(client=True)
async def test_what_a_receiver_has_not_acknowledged_yet_is_waited_for(c, s, a, b):
    made = c.submit(inc, 1, workers=[a.address])
    await c.submit(inc, made, workers=[b.address])
    [sent] = (await figures._totals(a))["sent"]
    # the last step of a transfer, once more: the sender hears of it, and writes it down
    a.transfer_outgoing_count += 1

    def acknowledged():
        a.transfer_outgoing_count -= 1
        a.transfer_outgoing_log.append(a.transfer_outgoing_log[0])

    asyncio.get_running_loop().call_later(0.05, acknowledged)
    assert (await figures._totals(a))["sent"] == [sent, sent]


@gen_cluster(client=True)
async def test_one_who_never_says_so_is_not_waited_for_for_ever(c, s, a, b):
    limit, figures.ACKNOWLEDGED = figures.ACKNOWLEDGED, 0.05
    a.transfer_outgoing_count += 1
    try:
        assert (await figures._totals(a))["sent"] == []
    finally:
        figures.ACKNOWLEDGED = limit
        a.transfer_outgoing_count -= 1
