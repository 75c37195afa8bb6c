from hypothesis import given
from hypothesis import strategies as st

from asafess.core.state import Epoch, OptimizationState

epochs = st.builds(Epoch, st.sampled_from("ab"), st.integers(0, 5))


@given(epochs, epochs)
def test_of_one_controller_only_the_newer_epoch_replaces(one, other):
    assert one.replaces(other) == (one.controller != other.controller or one.counter > other.counter)


@given(epochs)
def test_the_first_state_is_always_taken(epoch):
    assert epoch.replaces(None)


@given(epochs, st.dictionaries(st.text(), st.text()))
def test_a_state_survives_the_wire(epoch, states):
    state = OptimizationState(epoch, states)
    assert OptimizationState.from_dict(state.to_dict()) == state
