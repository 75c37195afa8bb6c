"""The Dask programs do what they are said to do, and counting them leaves their results as they are."""

import importlib.util

import dask
import numpy as np
import pytest

from bench.compiler.counting.graph import count
from bench.compiler.graph import collections_in, graph, run
from bench.compiler.predict import predict
from bench.compiler.programs import PROGRAMS

THERE = [p for p in PROGRAMS if all(importlib.util.find_spec(name) for name in p.needs)]
EDGE = 8


def named(name):
    return next(program for program in PROGRAMS if program.name == name)


def test_there_are_enough_programs_under_names_of_their_own():
    assert len({program.name for program in PROGRAMS}) == len(PROGRAMS)
    assert len(THERE) >= 30
    assert sum(program.prk for program in THERE) >= 5


@pytest.mark.parametrize("program", [p for p in THERE if p.check], ids=lambda program: program.name)
def test_programs_come_to_their_closed_formula(program):
    lazy = program.inputs(16)
    inputs = tuple(np.asarray(one) for one in dask.compute(*lazy, scheduler="sync"))
    result = program.build(*lazy).compute(scheduler="sync")
    assert program.check(inputs, np.asarray(result)) <= 1e-8
    assert program.check(inputs, np.asarray(result) + 1.0) > 1e-8


@pytest.mark.parametrize("program", THERE, ids=lambda program: program.name)
def test_all_of_a_program_is_counted_and_its_results_stay_what_they_are(program):
    of = graph(program, EDGE)
    counters, values = count(of)
    assert not {name for counter in counters.values() for name in counter.unseen}
    assert sum(one.read + one.written for one in counters.values()) > 0
    plain = run(of)
    for key in of.wanted:
        if isinstance(plain[key], np.ndarray | float):
            np.testing.assert_array_equal(values[key], plain[key])
        else:
            assert type(values[key]) is type(plain[key])


def test_a_graph_computes_what_dask_computes():
    program = named("mirror")
    of = graph(program, EDGE)
    blocks = run(of)
    found = np.block([[blocks[key] for key in of.wanted[4 * i : 4 * i + 4]] for i in range(4)])
    (lazy,) = program.inputs(EDGE)
    np.testing.assert_array_equal(found, collections_in(program.build(lazy))[0].compute(scheduler="sync"))


@pytest.mark.parametrize(
    ("name", "flop", "nbytes"),
    [
        # 16 blocks of 8 × 8, read and written by each operation
        ("scale", 2 * 1024, 4 * 8 * 1024),
        ("add", 1024, 3 * 8 * 1024),
        # 64 products of two blocks; of four partial results each, all but one are added
        ("delayed-products", 64 * 2 * 8**3 + 64 * 64, 64 * 3 * 512 + 64 * 2 * 512 + 48 * 512),
        ("one-chunk", 0, 2 * 8 * 1024),
        # a kernel of Numba inside a task
        ("delayed-totals", 1024, 8 * 1024),
    ],
)
def test_counts_of_whole_programs_are_those_made_by_hand(name, flop, nbytes):
    counters = count(graph(named(name), EDGE))[0].values()
    assert sum(one.flop for one in counters) == flop
    assert sum(one.read + one.written for one in counters) == nbytes


@pytest.mark.parametrize("name", ["delayed-products", "permute", "softmax", "select", "sort-rows", "std", "float32"])
def test_what_the_compiler_predicts_is_what_is_counted(name):
    of = graph(named(name), 16)
    counters = count(of)[0].values()
    predicted = predict(of, dict.fromkeys(of.inputs, 0), 2)
    assert predicted.untyped == 0
    assert predicted.flop == pytest.approx(sum(one.flop for one in counters), rel=0.02)
    assert predicted.nbytes == pytest.approx(sum(one.read + one.written for one in counters), rel=0.02)
