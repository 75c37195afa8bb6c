"""What measured executions say: the figure, how sure it is, and when it speaks against what was derived."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asafess.core.fit import NEGLIGIBLE, Observation, amount, best_fit, fit
from asafess.core.found_type import FoundType
from asafess.core.learned import CERTAIN, FACTOR, corrected, duration, in_words, measured_type, predicted_seconds
from asafess.core.mode import Rates
from asafess.core.task_type import TaskType, declare

RATES = Rates(flop=1e9, memory=4e9, link=1e8)
seconds = st.floats(1e-6, 1e3)
counts = st.integers(1, 1000)


@st.composite
def looks(draw, of=seconds):
    """What was seen at some looks; each task has some bytes of input and some predicted seconds."""
    seen = []
    for _ in range(draw(st.integers(1, 20))):
        tasks = draw(counts)
        each, size, said = draw(of), draw(st.floats(1.0, 1e9)), draw(seconds)
        seen.append(Observation(tasks, tasks * each, 0.0, tasks * size, 0.0, tasks * said))
    return seen


def steady(each, tasks=8, count=4, **more):
    return [Observation(tasks, tasks * each, **more)] * count


@given(looks(), st.sampled_from(["task", "byte", "derived"]))
def test_confidence_and_agreement_are_shares_and_the_rate_is_one_that_was_seen(seen, by):
    found = fit(seen, by)
    assert 0 < found.confidence < 1
    assert 0 <= found.agreement <= 1
    assert found.rate in [one.compute / amount(one, by) for one in seen]


@given(looks(), counts, st.floats(1.0, 1e9), st.sampled_from(["task", "byte", "derived"]))
def test_more_of_the_same_never_lowers_confidence(seen, tasks, size, by):
    before = fit(seen, by)
    same = Observation(tasks, 0.0, 0.0, tasks * size, 0.0, tasks * 1.0)
    after = fit([*seen, same._replace(compute=before.rate * amount(same, by))], by)
    assert after.rate == pytest.approx(before.rate)
    assert after.confidence >= before.confidence * (1 - 1e-9)


@given(looks(), counts, st.floats(1.0, 1e9))
def test_nor_where_it_is_open_what_the_seconds_go_with(seen, tasks, size):
    seen = [one._replace(predicted=None) for one in seen]
    before = best_fit(seen)
    same = Observation(tasks, 0.0, 0.0, tasks * size)
    after = best_fit([*seen, same._replace(compute=before.rate * amount(same, before.by))])
    assert after.confidence >= before.confidence * (1 - 1e-9)


@given(seconds, st.integers(2, 20), counts, st.floats(1.0, 100.0), st.floats(1.0, 100.0))
def test_what_spreads_more_is_less_sure(each, count, tasks, spread, more):
    def around(factor):
        aside = [Observation(tasks, tasks * each * factor), Observation(tasks, tasks * each / factor)]
        return [*steady(each, tasks, count), *aside]

    assert fit(around(spread * more)).confidence <= fit(around(spread)).confidence * (1 + 1e-9)


@given(seconds, counts, counts)
def test_more_tasks_and_more_looks_are_surer(each, fewer, more):
    assume(fewer < more)
    assert fit(steady(each, fewer)).confidence < fit(steady(each, more)).confidence
    assert fit(steady(each, fewer, 1)).confidence < fit(steady(each, fewer, 2)).confidence


@given(looks(), st.randoms(use_true_random=False))
def test_the_order_of_looks_does_not_matter(seen, random):
    other = random.sample(seen, len(seen))
    assert fit(other).rate == fit(seen).rate
    assert fit(other).confidence == pytest.approx(fit(seen).confidence)


@given(st.floats(1e-5, 1.0), st.integers(1, 4), st.floats(10.0, 1e5))
def test_first_tasks_that_compile_do_not_move_the_figure(each, workers, longer):
    seen = [Observation(workers, workers * each * longer), *steady(each, 4, 6)]
    assert fit(seen).rate == pytest.approx(each)


@given(looks())
def test_compute_over_the_flop_rate_is_what_was_measured(seen):
    seen = [one._replace(predicted=None) for one in seen]
    found = best_fit(seen)
    type_ = measured_type("step", found, RATES)
    assert (type_.source, type_.type.name, type_.confidence) == ("measured", "step", found.confidence)
    mean_input = found.total.input_bytes / found.tasks
    assert predicted_seconds(type_.type, mean_input, RATES) == pytest.approx(found.seconds)


@given(st.floats(1e-9, 1e-6), st.lists(st.floats(1e6, 1e9), min_size=2, max_size=9), st.floats(2.5, 10.0))
def test_seconds_that_go_with_the_bytes_are_learned_by_the_byte(each, sizes, wider):
    sizes = [*sizes, max(sizes) * wider]
    found = best_fit([Observation(3, 3 * each * size, 0.0, 3 * size) for size in sizes])
    assert found.by == "byte"
    assert measured_type("step", found, RATES).type.per_byte == {"compute": pytest.approx(each * RATES.flop)}


@pytest.mark.parametrize(
    "seen",
    [
        [Observation(3, 0.3, 0.0, 3e6), Observation(3, 0.3, 0.0, 9e6)],  # the same seconds for other bytes
        [Observation(3, 0.3, 0.0, 3e6), Observation(3, 0.33, 0.0, 3.3e6)],  # too much alike to tell
        [Observation(3, 0.3), Observation(3, 0.9, 0.0, 9e6)],  # not all of them known
        [Observation(3, 0.3, 0.0, 0.0), Observation(3, 0.3, 0.0, 0.0)],  # no inputs
    ],
)
def test_otherwise_by_the_task(seen):
    assert best_fit(seen).by == "task"


def test_nothing_to_go_with_is_no_figure():
    assert fit([Observation(3, 0.3, 0.0, 0.0)], "byte") is None
    assert best_fit([Observation(3, 0.0)]).seconds == 0.0


def derived(**loads):
    return FoundType(declare(name="dot", loads=loads), "compiler", 0.9, "a rule")


@given(seconds, seconds)
def test_a_derived_type_is_corrected_just_when_it_is_off_by_more_than_the_factor(said, measured):
    off = (measured + NEGLIGIBLE) / (said + NEGLIGIBLE)
    assume(not any(math.isclose(off, limit, rel_tol=1e-6) for limit in (FACTOR, 1 / FACTOR)))
    type_ = derived(compute=said * RATES.flop)
    found = corrected(type_, best_fit(steady(measured, predicted=8 * said)), RATES)
    assert (found is not None) == (off > FACTOR or off < 1 / FACTOR)
    if found is not None:
        assert (found.source, found.type.name) == ("measured", "dot")
        assert predicted_seconds(found.type, 0.0, RATES) == pytest.approx(measured)


@given(looks(), seconds)
def test_little_evidence_corrects_nothing(seen, said):
    found = best_fit([one._replace(predicted=one.tasks * said) for one in seen])
    if found.confidence < CERTAIN:
        assert corrected(derived(compute=said * RATES.flop), found, RATES) is None


def test_who_waits_long_may_have_let_other_threads_compute_and_one_who_computes_has_computed():
    short, long = (best_fit(steady(0.001, predicted=0.8, elapsed=8 * each)) for each in (0.001, 0.09))
    assert corrected(derived(compute=0.1 * RATES.flop), long, RATES) is None
    assert corrected(derived(compute=0.1 * RATES.flop), short, RATES).why.startswith("derived 100 ms, measured 1.0 ms")
    busy = best_fit(steady(0.1, predicted=0.008, elapsed=8.0))
    assert corrected(derived(compute=0.001 * RATES.flop), busy, RATES) is not None


@given(seconds, st.integers(9, 100), st.floats(2.0, 1e3))
def test_one_look_weighs_no_more_than_another_however_many_tasks_it_sees(each, more, longer):
    seen = [Observation(8 * more, 8 * more * each * longer), *steady(each, 8, 2)]
    assert fit(seen).rate == pytest.approx(each)


@pytest.mark.parametrize("source", ["decorator", "annotation", "table", "measured"])
def test_what_a_person_has_said_is_never_corrected(source):
    said = FoundType(declare(loads={"compute": 1.0}), source)
    assert corrected(said, best_fit(steady(10.0, predicted=1e-8)), RATES) is None


def test_a_correction_keeps_the_kind_and_goes_with_the_bytes_as_before():
    type_ = TaskType("dot", {"communication": 5.0}, {"compute": 0.125, "memory": 1.0})
    said = predicted_seconds(type_, 8e6, RATES)
    assert said == pytest.approx(0.002)
    found = corrected(FoundType(type_, "compiler"), best_fit(steady(10 * said, predicted=8 * said)), RATES)
    assert found.type.per_byte == {"compute": pytest.approx(1.25), "memory": pytest.approx(10.0)}
    assert found.type.loads == {"communication": 5.0}
    assert found.why.startswith("derived 2.0 ms, measured 20 ms: corrected (32 tasks computed 20 ms ± 0 %)")


@pytest.mark.parametrize("said", [0.0, 1e-9])
def test_where_next_to_nothing_was_derived_tasks_get_the_load_that_was_measured(said):
    type_ = derived(compute=said * RATES.flop, communication=7.0)
    found = corrected(type_, best_fit(steady(0.01, predicted=8 * said)), RATES)
    assert found.type.loads == {"compute": pytest.approx(0.01 * RATES.flop), "communication": 7.0}


def test_a_prediction_by_bytes_needs_them():
    by_bytes = declare(intensity=0.5)
    assert predicted_seconds(by_bytes, None, RATES) is None
    assert predicted_seconds(declare(loads={"compute": 1e9}), None, RATES) == 1.0
    assert predicted_seconds(by_bytes, 8e9, RATES) == 4.0


def test_what_was_measured_in_words():
    seen = [Observation(6, 0.018, 0.0, 48e6, 4.8e4), Observation(6, 0.021, 0.0, 48e6, 4.8e4)]
    assert in_words(fit(seen)) == "12 tasks computed 3.0 ms ± 7 %, 8 MB in, 8 kB out"
    waiting = [one._replace(elapsed=0.1) for one in seen]
    assert in_words(fit(waiting)) == "12 tasks computed 3.0 ms ± 7 %, waiting 13 ms, 8 MB in, 8 kB out"
    by_byte = [Observation(1, size * 1e-9, 0.0, size) for size in (1e6, 8e6)]
    assert ", 1.0 ms per MB of input" in in_words(fit(by_byte, "byte"))
    assert in_words(fit([Observation(1, 0.0)])) == "1 task computed 0.00 µs (seen once)"


@given(st.floats(0.0, 1e6))
def test_a_duration_is_told_to_two_digits(value):
    number, unit = duration(value).split()
    told = float(number) * {"s": 1.0, "ms": 1e-3, "µs": 1e-6}[unit]
    assert told == pytest.approx(value, rel=0.06, abs=6e-9)
