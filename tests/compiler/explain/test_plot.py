"""The picture of task groups."""

import subprocess
import sys

import pytest

from asafess.compiler.bound import BOUNDS, NOMINAL
from asafess.compiler.explain.explanation import Explanation, Row
from asafess.compiler.explain.plot import ACROSS, LOOKS, MOST_GROUPS, drawn, layout
from asafess.core.found_type import FoundType
from asafess.core.task_type import declare

TYPE = FoundType(declare(loads={"compute": 1.0}), "compiler")


def row(name, after=(), layer=0, tasks=1, bound="compute"):
    found = None if bound == "untyped" else TYPE
    return Row(name, tasks, 1.0, tuple(after), layer, found, {}, None, None, bound, "")


def explanation(rows):
    return Explanation(tuple(rows), NOMINAL, dict.fromkeys(("flop", "memory", "link"), "nominal"), 4)


def test_every_bound_looks_different_in_colour_and_in_grey():
    assert set(LOOKS) == set(BOUNDS)
    assert len({colour for colour, _ in LOOKS.values()}) == len(BOUNDS)
    bounding = [LOOKS[name] for name in ("compute", "memory", "communication", "untyped")]
    assert len({shape for _, shape in bounding}) == 4


def test_no_two_groups_share_a_place_and_layers_go_down():
    rows = [row(f"a{k}") for k in range(13)] + [row(f"b{k}", [f"a{k}"], 1) for k in range(2)] + [row("c", ["b0"], 2)]
    places = layout(rows)
    assert len(set(places.values())) == len(rows)
    assert all(0 <= column <= ACROSS - 1 for column, _ in places.values())
    lowest_a = max(places[f"a{k}"][1] for k in range(13))
    assert lowest_a == 2
    assert places["b0"][1] == places["b1"][1] == lowest_a + 1
    assert places["c"][1] == lowest_a + 2


def test_groups_of_a_layer_are_in_the_order_of_what_they_take():
    rows = [
        row("left"),
        row("middle"),
        row("right"),
        row("x", ["right"], 1),
        row("y", ["left"], 1),
        row("z", ["middle"], 1),
    ]
    places = layout(rows)
    assert places["y"][0] < places["z"][0] < places["x"][0]


def test_what_is_left_out_has_the_fewest_tasks_and_hands_its_inputs_on():
    rows = [row("first", tasks=9)]
    rows += [
        row(f"g{k}", [f"g{k - 1}" if k else "first"], k + 1, tasks=1 if k < 22 else 5) for k in range(MOST_GROUPS + 20)
    ]
    kept, left_out = drawn(rows)
    assert (len(kept), left_out) == (MOST_GROUPS, 21)
    names = [one.group for one in kept]
    assert names[:2] == ["first", "g0"]
    after = {one.group: one.after for one in kept}
    assert after["g22"] == ("g0",)
    assert all(set(needs) <= set(names) for needs in after.values())


def test_what_is_handed_on_hides_no_edge_and_is_hidden_by_shorter_ways():
    rows = [row(f"g{k}", tasks=9) for k in range(MOST_GROUPS - 4)]
    chain = [
        row("a", tasks=9),
        row("b", ["a"], 1, tasks=9),
        row("small", ["a", "b"], 2),
        row("c", ["small"], 3, tasks=9),
    ]
    last = row("d", ["a", "c"], 4, tasks=9)
    after = {one.group: one.after for one in drawn([*rows, *chain, last])[0]}
    assert after["c"] == ("b",)  # from a through b
    assert after["d"] == ("a", "c")  # said by the program itself


def test_a_cycle_among_what_is_left_out_ends():
    rows = [row(f"big{k}", ["one"], tasks=5) for k in range(MOST_GROUPS)] + [
        row("one", ["two"]),
        row("two", ["one", "big0"]),
    ]
    assert drawn(rows)[0][1].after == ("big0",)


@pytest.mark.parametrize("count", [1, 5, 75])
def test_a_picture_is_written(tmp_path, count):
    pytest.importorskip("matplotlib")
    bounds = [BOUNDS[k % len(BOUNDS)] for k in range(count)]
    rows = [row(f"$g_{k}^", [f"$g_{k // 2}^"], k // 9, 10**k % 10_007, bound) for k, bound in enumerate(bounds)]
    path = tmp_path / "groups.png"
    figure = explanation(rows).plot(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    drawn_groups = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
    assert len(drawn_groups) == min(count, MOST_GROUPS)
    title = figure.get_suptitle()
    assert ("15 groups with the fewest tasks are left out" in title) == (count == 75)
    told = {text.get_text() for legend in figure.legends for text in legend.get_texts()}
    assert "1 task" in told
    assert "compute" in told
    assert ("untyped" in told) == (count > 5)


def test_no_file_is_written_unless_asked_and_pyplot_stays_as_it_is():
    pytest.importorskip("matplotlib")
    code = """
import sys, dask, asafess
figure = asafess.explain(dask.delayed(abs)(1)).plot()
print(type(figure).__name__, "matplotlib.pyplot" in sys.modules)
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["Figure", "False"]


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'asafess\[plot\]'"):
        explanation([row("a")]).plot()
