"""One program whose phases need different optimizations, against every fixed combination of their states.

*Swarm* wants the queue open and *data* wants it closed; *exchange* sends blocks of few non-zeros over a slow link;
*few* are big products, one at a time on each worker.

Blocks of *data* are reduced one by one: pairs would have to be fetched over the slow link.
"""

from __future__ import annotations

from .case import Case, Program, phased
from .moving import exchange_part
from .queuing import SMALL_TASKS, TASKS, data_part, swarm_part
from .thread_width import CHAIN_ORDER, SMALL_ORDER, cluster, few_part

LINK = "100mbit"
#: blocks of *data* by thread, and words of one; blocks of *exchange* by worker; length of a chain
DATA, DATA_WORDS, BLOCKS, BLOCK_WORDS, CHAIN = 40, 3_000_000, 6, 250_000, 6
SMALL_WORDS = 1_000
#: workers, each of two threads or more
WORKERS = 2
#: states of an optimization that take part, from the first on
MOST_STATES = 3
NEEDED = ("queuing", "thread_width", "wire_compression")


def programs(small: bool) -> list[Program]:
    """Return the program."""
    on = cluster(LINK, WORKERS, memory="1GB")
    threads = on.workers * on.threads
    if small:
        parts = {
            "swarm": swarm_part(SMALL_TASKS),
            "exchange": exchange_part(2 * on.workers, SMALL_WORDS, "1 %"),
            "data": data_part(4 * threads, SMALL_WORDS, together=1),
            "few": few_part(2, SMALL_ORDER),
        }
        return [phased("all", on, list(parts.items()), list(parts.items()))]
    parts = {
        "swarm": swarm_part(TASKS),
        "exchange": exchange_part(BLOCKS * on.workers, BLOCK_WORDS, "1 %"),
        "data": data_part(DATA * threads, DATA_WORDS, together=1),
        "few": few_part(CHAIN, CHAIN_ORDER),
    }
    warm = {
        "swarm": swarm_part(TASKS // 4),
        "exchange": exchange_part(on.workers, BLOCK_WORDS, "1 %"),
        "data": data_part(4 * threads, DATA_WORDS, together=1),
        "few": few_part(2, CHAIN_ORDER),
    }
    return [phased("all", on, list(parts.items()) * 2, list(warm.items()))]


CASE = Case("all", NEEDED, programs, settings={"window": "500ms"}, needs=("threadpoolctl",), most_states=MOST_STATES)
