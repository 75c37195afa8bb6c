"""What memory that is kept costs: from two times, which noise may put in any order."""

from hypothesis import given
from hypothesis import strategies as st

from asafess.optimizations import kept_memory
from asafess.optimizations.kept_memory import ARRAYS, FREE, RUNS, WORDS, of_seconds

seconds = st.floats(0, 1e3)


@given(st.integers(1, 1 << 40), seconds, seconds)
def test_it_is_a_rate_whatever_the_clock_says(nbytes, freed, kept):
    rate = of_seconds(nbytes, freed, kept)
    assert 0 < rate <= FREE
    assert kept > freed or rate == FREE


@given(st.integers(1 << 10, 1 << 40), st.floats(1e-2, 1e3), seconds, st.floats(1e-2, 1e3))
def test_the_longer_keeping_takes_the_lower_it_is(nbytes, extra, freed, more):
    assert of_seconds(nbytes, freed, freed + extra + more) <= of_seconds(nbytes, freed, freed + extra)


def test_as_many_arrays_are_made_either_way_and_all_are_kept_in_one(monkeypatch):
    alive, most, made = [], [], []
    monkeypatch.setattr(kept_memory, "_seconds", counted(kept_memory._seconds, alive, most, made, monkeypatch))
    assert 0 < kept_memory.rate() <= FREE
    assert made == [ARRAYS] * (2 * RUNS)
    assert sorted(set(most)) == [1, ARRAYS]


def counted(function, alive, most, made, monkeypatch):
    """Return `function` with what it makes counted: how many arrays, and how many there are at once."""
    import weakref

    full = kept_memory.np.full

    def counting(words, value):
        assert words == WORDS
        array = full(words, value)
        alive.append(weakref.ref(array))
        made[-1] += 1
        most[-1] = max(most[-1], sum(one() is not None for one in alive))
        return array

    def run(keep):
        alive.clear()
        made.append(0)
        most.append(0)
        monkeypatch.setattr(kept_memory.np, "full", counting)
        try:
            return function(keep)
        finally:
            monkeypatch.setattr(kept_memory.np, "full", full)

    return run
