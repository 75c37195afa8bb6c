import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asafess.kernels.recursive_generator import (
    MODULUS,
    STEP,
    multiply,
    power,
    scramble_words,
    seed_state,
    skip,
    step,
)

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "graph500_vectors.json").read_text())
SEEDINGS = VECTORS["seeding"]


def seeds_of(case):
    return int(case["userseed1"]), int(case["userseed2"])


@pytest.mark.parametrize("case", SEEDINGS, ids=lambda c: c["userseed1"])
def test_seeding_gives_the_reference_state(case):
    """Two user seeds give the state of the reference code."""
    assert list(seed_state(seeds_of(case))) == case["state"]


@pytest.mark.parametrize("case", SEEDINGS, ids=lambda c: c["userseed1"])
def test_first_outputs_are_those_of_the_reference(case):
    """The first eight outputs are those of the reference code."""
    z, outputs = seed_state(seeds_of(case)), []
    for _ in range(8):
        z = step(z)
        outputs.append(z[0])
    assert outputs == case["first8_outputs"]


@pytest.mark.parametrize("case", SEEDINGS, ids=lambda c: c["userseed1"])
def test_skipped_states_are_those_of_the_reference(case):
    """Skipping by multiples of 2**64 lands where the byte tables of the reference land."""
    z = seed_state(seeds_of(case))
    assert list(skip(z, 2**64)) == case["state_after_skip_2^64"]
    assert list(skip(z, 12345 * 2**64)) == case["state_after_skip_12345*2^64"]


@pytest.mark.parametrize("case", SEEDINGS, ids=lambda c: c["userseed1"])
def test_scramble_words_are_those_of_the_reference(case):
    """The two scramble words are those of the reference code."""
    assert scramble_words(seeds_of(case)) == (int(case["val0"]), int(case["val1"]))


@pytest.mark.parametrize(
    ("name", "exponent"),
    [("A", 1), ("A^(2^64)", 2**64), ("A^(2^72)", 2**72), ("A^(50*2^128+7*2^64)", 50 * 2**128 + 7 * 2**64)],
)
def test_powers_are_those_of_the_reference(name, exponent):
    """Matrix powers equal the transition matrices extracted from the reference code."""
    assert [list(row) for row in power(exponent)] == VECTORS["matrices"][name]


@given(st.integers(0, 60), st.tuples(*[st.integers(0, MODULUS - 1)] * 5))
def test_skipping_equals_stepping(n, z):
    """Skipping n outputs is the same as taking n steps."""
    expected = z
    for _ in range(n):
        expected = step(expected)
    assert skip(z, n) == expected


@given(st.integers(0, 2**130), st.integers(0, 2**130))
def test_powers_add_in_the_exponent(a, b):
    """A to the a times A to the b is A to the a + b, in either order."""
    assert multiply(power(a), power(b)) == multiply(power(b), power(a)) == power(a + b)


def test_power_zero_changes_nothing():
    """A to the zero is the identity, and A itself is one step."""
    assert multiply(power(0), STEP) == STEP
    assert skip((1, 2, 3, 4, 5), 0) == (1, 2, 3, 4, 5)


@pytest.mark.parametrize("seeds", [(-1, 3), (2, 2**64), (1,), (1, 2, 3)])
def test_seeds_out_of_range_are_refused_by_value(seeds):
    """Seeds that do not fit in 64 bits, or not two of them, are refused with the value in the message."""
    with pytest.raises(ValueError, match=r"seeds is .*two integers"):
        seed_state(seeds)


def test_a_negative_skip_is_refused():
    """The generator does not run backwards and says so."""
    with pytest.raises(ValueError, match="exponent is -1"):
        power(-1)
