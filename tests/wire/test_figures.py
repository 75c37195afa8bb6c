import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.wire.figures import (
    CROWDED,
    DEFAULTS,
    LIBRARY_SIZE,
    MASKS,
    MOST_KEPT,
    Figures,
    best_libraries,
    choose,
    measure,
)
from asafess.wire.libraries import LIBRARIES

share = st.floats(0.001, 1.2)
link = st.floats(1e5, 1e12)
seconds = st.floats(1e-12, 1e-6)
figures = st.builds(Figures, scan=seconds, copy=seconds, text=st.floats(0.1, 1.0))
kept_and_figures = st.dictionaries(st.sampled_from(sorted(DEFAULTS)), st.tuples(share, figures))


@given(kept_and_figures, link, st.booleans(), st.floats(0.0, 0.5))
def test_what_is_chosen_is_soonest_over_the_link_and_none_only_where_raw_is_about_as_soon(cases, rate, hidden, gain):
    kept = {name: one[0] for name, one in cases.items()}
    costs = {name: one[1] for name, one in cases.items()}
    name = choose(kept, costs, rate, hidden=hidden, gain=gain)
    codec = {n: CROWDED * (costs[n].scan + costs[n].copy * kept[n]) for n in kept}
    # the link takes the frame after the codec has, or meanwhile
    together = (lambda link, codec: max(link, codec)) if hidden else (lambda link, codec: link + codec)
    totals = {n: together(kept[n] / rate, codec[n]) for n in kept if kept[n] <= MOST_KEPT}
    best, most = min(totals.values(), default=2 / rate), (1 - gain) / rate
    if name is None:
        assert best >= most * (1 - 1e-9)
    else:
        assert totals[name] == pytest.approx(best)
        assert best <= most * (1 + 1e-9)


@given(kept_and_figures, link, st.floats(1.0, 100.0), st.booleans())
def test_on_a_slower_link_what_paid_still_pays(cases, rate, factor, hidden):
    kept = {name: one[0] for name, one in cases.items()}
    costs = {name: one[1] for name, one in cases.items()}
    if choose(kept, costs, rate, hidden=hidden) is not None:
        assert choose(kept, costs, rate / factor * (1 - 1e-9), hidden=hidden) is not None


@given(kept_and_figures, link)
def test_what_pays_while_the_link_waits_pays_where_encoding_is_hidden(cases, rate):
    kept = {name: one[0] for name, one in cases.items()}
    costs = {name: one[1] for name, one in cases.items()}
    if choose(kept, costs, rate * (1 + 1e-9)) is not None:
        assert choose(kept, costs, rate, hidden=True) is not None


def test_encoding_counts_for_more_than_the_seconds_it_takes_alone():
    # half of the bytes at 100 MB/s: 5 ns are spared for each
    for cost, name in ((4.1e-9, "lz4"), (4.2e-9, None)):
        assert choose({"lz4": 0.5}, {"lz4": Figures(cost, 0.0)}, 1e8) == name


def test_the_library_follows_the_link():
    assert best_libraries(DEFAULTS, 1e12)[0] == "lz4"
    assert best_libraries(DEFAULTS, 1e6)[0] == "zstd"
    # hidden, two that leave as much are equal; alone, the cheaper one is sooner
    equal = {"zlib": DEFAULTS["zlib"], "zstd": DEFAULTS["zstd"]}
    assert best_libraries(equal, 1e7, can_hide=True)[0] == "zstd"
    assert best_libraries({name: DEFAULTS[name] for name in ("mask8", "zlib")}, 1e9)[0] == "zlib"


def test_a_measurement_has_every_encoding_that_is_installed():
    found = measure()
    assert set(found) == {*MASKS, *LIBRARIES}
    for name, one in found.items():
        assert 0 < one.scan < 1e-6, name
        assert 0 < one.copy < 1e-5, name
        assert (one.text == 1) == (name in MASKS)
        assert one.text == pytest.approx(0.3, abs=0.25) or name in MASKS


def test_what_a_process_waits_for_is_not_counted(monkeypatch):
    slow = 0.02  # seconds, of a half or eight MB: more than ten times what lz4 takes

    def waiting(library):
        def compress(data):
            time.sleep(slow)
            return LIBRARIES["zlib"].compress(data)

        return library._replace(compress=compress)

    for name in LIBRARIES:
        if name != "zlib":
            monkeypatch.setitem(LIBRARIES, name, waiting(LIBRARIES["zlib"]))
    found = measure()
    for name in LIBRARIES:
        assert found[name].scan < slow / LIBRARY_SIZE
