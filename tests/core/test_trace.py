import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recording import codec, phases, tiles

from asafess.core.assessment import Assessment
from asafess.core.declaration import RESERVED, Declaration
from asafess.core.moment import Moment
from asafess.core.state import Switch
from asafess.core.trace import FORMAT, Event, event_line, header_line, measured_line, moment_line, switch_line
from asafess.core.trace_reader import moment_of, read

#: also what no encoding can write as it is
_names = st.text(min_size=1, max_size=8).filter(str.strip)
_seconds = st.floats(0, 1e6)


@st.composite
def moments(draw):
    names = draw(st.lists(_names, min_size=1, max_size=3, unique=True))
    allowed = _names.filter(lambda state: state not in RESERVED)
    states = {name: draw(st.lists(allowed, min_size=1, max_size=3, unique=True)) for name in names}
    one_of = {name: st.sampled_from(states[name]) for name in names}
    seen = {
        name: Assessment(
            {state: draw(one_of[name]) for state in states[name]},
            draw(st.none() | st.fixed_dictionaries(dict.fromkeys(states[name], _seconds))),
            draw(_seconds),
        )
        for name in names
    }
    before, wanted, after = ({name: draw(one_of[name]) for name in names} for _ in range(3))
    held_back = draw(st.dictionaries(st.sampled_from(names), st.text(max_size=8)))
    vector = draw(st.dictionaries(_names, st.floats(0, 1e300) | st.just(math.inf)))
    moment = Moment(draw(_seconds), draw(_seconds), vector, seen, before, wanted, after, held_back)
    return moment, [Declaration(name, tuple(states[name]), lambda rates: None) for name in names]


def written(*lines):
    return [json.dumps(line) for line in lines]


def header(*declarations, **settings):
    return header_line(settings, declarations, 1.0, 2.0)


@given(moments())
def test_a_moment_is_read_as_it_was_written(pair):
    moment, declarations = pair
    line = json.dumps(moment_line(moment), allow_nan=False)  # JSON that others can read too
    assert moment_of(json.loads(line)) == moment
    trace = read([*written(header(*declarations)), line])
    assert (trace.entries, trace.damaged) == ([moment], 0)


def test_what_else_there_is_is_read_as_it_was_written():
    declared = Declaration(
        "codec",
        ("off", "on"),
        lambda rates: None,
        0.5,
        switch_seconds=0.1,
        conflicts=("x",),
        demands={"on": {"w": 2.0}},
    )
    event, switch = Event(1.0, "control", {"codec": "shadow"}), Switch(2.0, "codec", "off", "on", "because ü")
    lines = [event_line(event), switch_line(switch), measured_line("codec", "on", 3.0)]
    trace = read(written(header(declared, policy="alpha_beta"), *lines))
    assert trace.settings == {"policy": "alpha_beta"}
    [codec_read] = trace.declarations
    for what in ("name", "states", "dwell", "switch_seconds", "conflicts", "demands"):
        assert getattr(codec_read, what) == getattr(declared, what)
    assert (trace.entries, trace.switches) == ([event], [switch])
    assert trace.measured == [{"optimization": "codec", "arm": "on", "seconds": 3.0}]
    with pytest.raises(TypeError, match="moments"):
        codec_read.domain(None)


def test_lines_that_are_no_lines_of_a_trace_are_left_out_and_counted():
    good = phases(0.1)
    whole = read(good)
    garbage = ["", "{", "[]", "null", "17", '"kind"', '{"kind": 3}', '{"kind": "other"}', "\x00", "[" * 100_000]
    garbage += ['{"kind": "moment"}', '{"kind": "event", "time": "soon", "event": "state", "of": {}}', good[-1][:-9]]
    mixed = [*garbage, *good, *garbage]
    trace = read(mixed)
    assert trace.entries == whole.entries
    assert trace.damaged == 2 * (len(garbage) - 1)  # an empty line is no damage


@given(st.integers(1, 400))
def test_a_cut_last_line_costs_that_line(cut):
    lines = phases(0.1)
    trace = read([*lines[:-1], lines[-1][:-cut]])
    assert len(trace.moments) == len(read(lines).moments) - 1
    assert trace.damaged == (cut < len(lines[-1]))


def _changed(**changes):
    """A moment's line of `codec`, with something changed."""
    line = json.loads(next(line for line in phases(0.1) if '"moment"' in line))
    for path, value in changes.items():
        *way, last = path.split("__")
        at = line
        for key in way:
            at = at[key]
        at[last] = value
    return line


@pytest.mark.parametrize(
    "line",
    [
        _changed(time=math.nan),
        _changed(time="soon"),
        _changed(time=10**400),
        _changed(elapsed=-1.0),
        _changed(of={}),
        _changed(of=[1]),
        _changed(of__other={}),
        _changed(vector=None),
        _changed(of__codec__after="full"),
        _changed(of__codec__before=None),
        _changed(of__codec__domain={"off": "on"}),
        _changed(of__codec__domain={"off": "on", "on": "full"}),
        _changed(of__codec__costs={"off": 1.0}),
        _changed(of__codec__costs={"off": 1.0, "on": math.nan}),
        _changed(of__codec__costs={"off": 1.0, "on": -1.0}),
        _changed(of__codec__switch=math.inf),
        event_line(Event(1.0, "control", {"codec": "full"})),
        event_line(Event(1.0, "state", {"codec": "auto"})),
        event_line(Event(1.0, "state", {"other": "off"})),
        event_line(Event(math.nan, "empty", {})),
        switch_line(Switch(1.0, "codec", "off", "full", "")),
        switch_line(Switch(1.0, "other", "off", "on", "")),
        measured_line("other", "on", 1.0),
        measured_line("codec", "on", 0.0),
        measured_line("codec", "on", math.nan),
    ],
)
def test_a_line_that_does_not_fit_the_header_is_damaged(line):
    trace = read(written(header(codec()), line))
    assert trace.damaged == 1
    assert [*trace.entries, *trace.switches, *trace.measured] == []
    assert read(written(header(codec()), _changed())).damaged == 0


def test_the_header_may_come_late_and_twice():
    first, *rest = phases(0.1)
    trace = read([*rest[:5], first, *rest[5:], first])
    assert trace.damaged == 0
    assert trace.moments == read([first, *rest]).moments


@pytest.mark.parametrize("lines", [[], ["", "\n"], ["hello"], phases(0.1)[1:]])
def test_lines_without_a_header_are_no_trace(lines):
    with pytest.raises(ValueError, match="is a header"):
        read(lines)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": FORMAT + 1}, f"format {FORMAT + 1}.* reads {FORMAT}"),
        ({"format": None}, "format None"),
        ({"settings": 3}, "header of this trace is damaged"),
        ({"optimizations": [{}]}, "header of this trace is damaged"),
        ({"optimizations": None}, "header of this trace is damaged"),
    ],
)
def test_a_header_that_can_not_be_used_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        read(written({**header(codec(), tiles()), **changes}))
