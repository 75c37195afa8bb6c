"""Hypothesis strategies for samples, shared by the tests of core."""

from hypothesis import strategies as st

from asafess.core.declaration import Declaration
from asafess.core.domain import Domain, band
from asafess.core.mode import Rates, Sample, Scheduled

RATES = Rates(flop=1e9, memory=1e9, link=1e8)
amounts = st.floats(0, 1e12, allow_nan=False)


@st.composite
def entries(draw, types=("a", "b", "c")):
    name = draw(st.sampled_from(types))
    count = draw(st.integers(0, 50))
    load = {axis: draw(amounts) for axis in draw(st.sets(st.sampled_from(("compute", "memory", "communication"))))}
    return Scheduled(name, count, load, queued=draw(st.integers(0, 5)), worker=draw(st.sampled_from(("", "w1", "w2"))))


@st.composite
def samples(draw, time=0.0):
    return Sample(
        time,
        tuple(draw(st.lists(entries(), max_size=5))),
        threads=draw(st.integers(1, 64)),
        workers=draw(st.integers(1, 16)),
        rates=RATES,
        zeros=draw(st.none() | st.floats(0, 1)),
    )


def at_ratio(time, ratio, zeros=None, fresh=False):
    """A sample of one worker with one thread whose computation-to-communication ratio is `ratio`."""
    load = {"compute": ratio * RATES.flop, "communication": RATES.link}
    return Sample(time, (Scheduled("t", 1, load),), 1, 1, RATES, zeros, fresh)


def two_states(alpha=0.5, beta=1.0, name="codec", dwell=0.0):
    return Declaration(name, ("off", "on"), lambda rates: Domain(("off", "on"), [band(alpha, beta)]), dwell)


def three_states(dwell=0.0):
    return Declaration(
        "tiles",
        ("off", "light", "full"),
        lambda rates: Domain(("off", "light", "full"), [band(1.0, 2.0), band(0.25, 0.5)]),
        dwell,
    )
