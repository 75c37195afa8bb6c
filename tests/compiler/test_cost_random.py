"""Random nests of affine loops: `cost` against a run that counts."""

import numpy as np
import pytest
from counted_run import run
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from asafess.compiler import cost
from asafess.compiler.kernel.bounded import STEPS, TooManyStepsError, bounded

OFFSETS = st.integers(-2, 2)


@st.composite
def affine(draw, names):
    """Return the text of an expression that is affine in sizes and counters."""
    name = draw(st.sampled_from(["0", *names]))
    offset = draw(OFFSETS)
    return f"{name} + {offset}" if offset >= 0 else f"{name} - {-offset}"


@st.composite
def bounds(draw, counters):
    start = draw(st.one_of(st.just("0"), affine(counters or ["0"])))
    stop = draw(st.one_of(affine(["n", "m"]), affine(["n", "m", *counters])))
    kind = draw(st.sampled_from(["plain", "plain", "plain", "clipped", "step", "down"]))
    if kind == "clipped":
        return f"max(0, {start}), min(n, {stop})"
    if kind == "step":
        return f"{start}, {stop}, {draw(st.integers(2, 3))}"
    if kind == "down":
        return f"{stop}, {start}, -1"
    return f"{start}, {stop}"


@st.composite
def condition(draw, counters):
    left, right = draw(st.sampled_from(counters)), draw(affine(["n", *counters]))
    comparison = draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]))
    if draw(st.integers(0, 5)) == 0:
        return f"({left} + {draw(st.integers(0, 3))}) % 2 {draw(st.sampled_from(['==', '!=']))} 0"
    return f"{left} {comparison} {right}"


@st.composite
def body(draw, counters, depth, indent):
    """Return the lines of a block: accesses, inner loops, conditions."""
    pad, lines = "    " * indent, []
    for _ in range(draw(st.integers(1, 2))):
        kind = draw(st.sampled_from(["access", "loop", "if"] if counters else ["loop"]))
        if kind == "loop" and depth > 0:
            counter = "ijkl"[len(counters)]
            lines.append(f"{pad}for {counter} in range({draw(bounds(counters))}):")
            lines += draw(body([*counters, counter], depth - 1, indent + 1))
        elif kind == "if" and counters:
            lines.append(f"{pad}if {draw(condition(counters))}:")
            lines += draw(body(counters, depth - 1, indent + 1)) if depth > 0 else [f"{pad}    a[0] += 1.0"]
            if draw(st.booleans()):
                lines += [f"{pad}else:", f"{pad}    a[1] = a[0] * 2.0"]
        else:
            lines.append(f"{pad}a[0] += {draw(st.sampled_from(['1.0', 'a[1]', 'a[1] * a[2]']))}")
    return lines


@pytest.fixture(autouse=True, scope="module")
def fewer_steps():
    """Let sums be left where they would be only in larger nests, and the tests be quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(bounded.__kwdefaults__, "steps", STEPS // 2)
        yield


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_random_nests_of_affine_loops(data):
    lines = data.draw(body([], 3, 1))
    source = "\n".join(["def kernel(a, n, m):", *lines])
    names = {}
    exec(source, names)
    try:
        found = cost(names["kernel"], "float64[:]", "int64", "int64")
        for n, m in [(1, 1), (2, 5), (6, 3), (7, 7)]:
            tally = run(names["kernel"], np.ones(4), n, m)
            counts = found.evaluate(a=(4,), n=n, m=m)
            want = (tally.pop("read", 0), tally.pop("written", 0), dict(tally))
            assert (counts.read, counts.written, counts.operations) == want, (source, n, m, str(found))
    except TooManyStepsError:  # bounds that cut each other several times; refusing is right, guessing is not
        reject()
