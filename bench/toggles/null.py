"""The optimization that does nothing: what the framework itself costs, switching included.

*Swarm*: many tiny tasks, where what is paid per task shows. *Exchange*: each block is needed by the next worker. The
ratio of the two lies on either side of the optimization's band, so a program of both makes it switch.
"""

from __future__ import annotations

from .case import Case, Program, Wanted, phases_and_both
from .moving import exchange_part
from .queuing import swarm_part

TASKS, BLOCKS, WORDS = 900, 24, 500_000
SMALL_TASKS, SMALL_BLOCKS, SMALL_WORDS = 40, 4, 1_000


def programs(small: bool) -> list[Program]:
    """Return the programs."""
    tasks, blocks, words = (SMALL_TASKS, SMALL_BLOCKS, SMALL_WORDS) if small else (TASKS, BLOCKS, WORDS)
    parts = {"swarm": swarm_part(tasks), "exchange": exchange_part(blocks, words, "100 %")}
    warm = {"swarm": swarm_part(tasks // 4), "exchange": exchange_part(blocks // 4, words, "100 %")}
    return phases_and_both(Wanted(workers=2), parts, warm, times=1 if small else 3)


CASE = Case("null", ("null",), programs, null=False)
