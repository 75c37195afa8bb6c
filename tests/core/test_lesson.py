"""What is learned over time: enough tasks give a figure, more settle it, other states do not move it."""

from hypothesis import given
from hypothesis import strategies as st

from asafess.core.fit import Observation
from asafess.core.lesson import BAND, ENOUGH, LOOKS, MOST_STATES, Lesson


def teach(lesson, each, looks, tasks=4, state="off"):
    return [lesson.observe(state, Observation(tasks, tasks * each)) for _ in range(looks)]


def seconds(lesson):
    return None if lesson.fit is None else lesson.fit.seconds


def test_one_look_is_not_enough_however_many_tasks_it_sees_and_a_few_are():
    lesson = Lesson()
    assert teach(lesson, 0.5, 1, tasks=1000) == [False]
    assert lesson.fit is None
    assert any(teach(lesson, 0.5, 2))
    assert seconds(lesson) == 0.5


def test_no_figure_where_tasks_do_not_agree():
    lesson = Lesson()
    for k in range(40):
        assert teach(lesson, 10.0 ** (k % 4), 1) == [False]
    assert lesson.fit is None


def test_first_tasks_that_compile_delay_the_figure_and_do_not_move_it():
    lesson = Lesson()
    teach(lesson, 0.02, 1, tasks=100)
    teach(lesson, 0.001, 12, tasks=8)
    assert seconds(lesson) == 0.001


def test_steady_tasks_settle_the_figure_and_it_is_told_a_few_times_only():
    lesson = Lesson()
    news = teach(lesson, 0.5, 100)
    assert lesson.settled
    assert seconds(lesson) == 0.5
    assert sum(news) <= 4


def test_single_tasks_settle_it_too():
    lesson = Lesson()
    teach(lesson, 0.5, 2 * ENOUGH, tasks=1)
    assert lesson.settled


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 20), st.floats(1e-3, 10.0)), max_size=60),
    st.floats(1e-3, 10.0),
)
def test_what_is_seen_in_other_states_never_moves_a_figure_that_enough_tasks_have_given(others, each):
    lesson = Lesson()
    teach(lesson, each, 4)
    before = lesson.fit
    assert before is not None
    for state, tasks, other in others:
        assert not lesson.observe(state, Observation(tasks, tasks * other))
    assert lesson.fit is before


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 6)), min_size=1, max_size=80))
def test_a_state_that_makes_tasks_shorter_never_moves_the_figure(looks):
    lesson, told = Lesson(), []
    for fast, tasks in looks:
        state, each = ("on", 0.1) if fast else ("off", 0.4)
        if lesson.observe(state, Observation(tasks, tasks * each)):
            told.append(round(seconds(lesson), 6))
    assert len(set(told)) <= 1


def test_the_first_state_in_which_enough_tasks_agree_gives_it():
    lesson = Lesson()
    teach(lesson, 5.0, 1)
    teach(lesson, 0.5, 4, state="on")
    assert (seconds(lesson), lesson.state) == (0.5, "on")
    assert list(lesson._evidence) == ["on"]


def test_data_that_changes_is_learned_anew_in_the_same_state():
    lesson = Lesson()
    teach(lesson, 0.5, 20)
    assert not any(teach(lesson, 0.5 * BAND * 0.9, 100))
    assert seconds(lesson) == 0.5
    assert any(teach(lesson, 0.5 * BAND * 1.1, 100))
    assert (seconds(lesson), lesson.relearned) == (0.5 * BAND * 1.1, 1)


def test_it_is_noticed_also_when_each_look_sees_many_tasks():
    lesson = Lesson()
    teach(lesson, 0.5, 10, tasks=10 * ENOUGH)
    assert any(teach(lesson, 5.0, 10, tasks=10 * ENOUGH))
    assert seconds(lesson) == 5.0


def test_other_sizes_are_no_change_where_the_seconds_go_with_the_bytes():
    lesson = Lesson()
    for size in (1e6, 4e6, 2e6, 8e6) * 3:
        lesson.observe("off", Observation(4, 4 * size * 1e-8, 0.0, 4 * size))
    assert lesson.settled
    assert lesson.fit.by == "byte"
    assert not any(lesson.observe("off", Observation(4, 0.4, 0.0, 4e7)) for _ in range(50))


def test_what_does_not_settle_follows_the_latest_looks():
    lesson = Lesson()
    for k in range(40):
        teach(lesson, 0.5 if k % 2 else 1.0, 1)
    assert not lesson.settled
    teach(lesson, 9.0, 2 * LOOKS)
    assert seconds(lesson) == 9.0


def test_states_in_which_nothing_is_learned_are_forgotten():
    lesson = Lesson()
    for k in range(10 * MOST_STATES):
        teach(lesson, 0.5, 1, tasks=1, state=k)
    assert len(lesson._evidence) == MOST_STATES
