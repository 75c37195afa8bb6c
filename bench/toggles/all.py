"""One program whose phases need different optimizations, against every fixed combination of their states.

*Swarm* wants the queue open and *data* wants it closed; *exchange* sends blocks of few non-zeros over a slow link;
*few* are big products, one at a time, that want all threads, and *many* smaller ones want one each. Blocks of *data*
are reduced one by one: pairs would have to be fetched over the slow link.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .case import Case, Program, Wanted, phased
from .graph import Part
from .moving import exchange_part
from .queuing import data_part, swarm_part
from .thread_width import CHAIN_ORDER, MANY_ORDER, SMALL_ORDER, chains, cluster, few_part, many_part

LINK = "100mbit"
#: workers, each of two threads or more
WORKERS = 2
#: states of an optimization that take part, from the first on; in *general*, *exchange* is masked too
MOST_STATES = 2
#: how often all phases come
TIMES = 2
#: bytes for each thread: beyond 60 % of its memory a worker spills
MEMORY = 500_000_000
NEEDED = ("queuing", "thread_width", "wire_compression")


@dataclass(frozen=True)
class Sizes:
    """How large the phases are."""

    #: tasks of the swarm: it is the scheduler that they keep busy, and there is one
    tasks: int = 800
    #: by thread: blocks of *data*, products of *many*
    data: int = 16
    products: int = 24
    #: words of a block of *data*
    data_words: int = 3_000_000
    #: blocks of *exchange* by worker, and words of one
    blocks: int = 6
    words: int = 250_000
    #: order of the products of *many*, of those in a chain, and its length
    order: int = MANY_ORDER
    chain_order: int = CHAIN_ORDER
    chain: int = 9


LARGE = Sizes()
#: of the small program before each run
WARM = replace(LARGE, tasks=400, data=3, products=1, blocks=1, chain=1)
SMALL = Sizes(
    tasks=40,
    data=4,
    products=1,
    data_words=1_000,
    blocks=2,
    words=1_000,
    order=SMALL_ORDER,
    chain_order=SMALL_ORDER,
    chain=2,
)


def parts(on: Wanted, sizes: Sizes) -> Mapping[str, Part]:
    """Return the phases, by kind."""
    threads = on.workers * on.threads
    return {
        "swarm": swarm_part(sizes.tasks),
        "exchange": exchange_part(sizes.blocks * on.workers, sizes.words, "1 %"),
        "data": data_part(sizes.data * threads, sizes.data_words, together=1),
        "few": few_part(sizes.chain, sizes.chain_order, chains(on)),
        "many": many_part(sizes.products * threads, sizes.order),
    }


def programs(small: bool) -> list[Program]:
    """Return the program."""
    on = cluster(LINK, WORKERS)
    on = replace(on, memory=f"{on.threads * MEMORY}B")
    whole, warm = (SMALL, SMALL) if small else (LARGE, WARM)
    return [phased("all", on, [*parts(on, whole).items()] * (1 if small else TIMES), [*parts(on, warm).items()])]


CASE = Case("all", NEEDED, programs, settings={"window": "500ms"}, needs=("threadpoolctl",), most_states=MOST_STATES)
