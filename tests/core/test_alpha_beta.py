from asafess.core.alpha_beta import AlphaBeta
from asafess.core.assessment import Assessment

UP = Assessment({"off": "on", "on": "on"}, None, 0.05)
DOWN = Assessment({"off": "off", "on": "off"}, None, 0.05)


def test_a_state_is_kept_for_the_dwell_but_the_first_decision_is_at_once():
    policy = AlphaBeta(dwell=1.0)
    assert policy.decide(0.0, "off", UP).state == "on"
    policy.entered(0.0, "on")
    held = policy.decide(0.9, "on", DOWN)
    assert (held.state, held.held_back) == ("on", "off")
    assert policy.decide(1.1, "on", DOWN).state == "off"


def test_after_a_reset_there_is_no_dwell():
    policy = AlphaBeta(dwell=1.0)
    policy.entered(0.0, "on")
    policy.reset()
    assert policy.decide(0.1, "on", DOWN).state == "off"
