import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from asafess.kernels import kronecker
from asafess.kernels.threads import spread
from asafess.workloads.graph500 import edges, permutation

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "graph500_vectors.json").read_text())


def seeds_of(case):
    return int(case["userseed1"]), int(case["userseed2"])


def label(case):
    return f"{case['scale']}-{case.get('nedges', case.get('start_edge'))}-{case['userseed1'][:6]}"


def check_case(case, found):
    """The whole list has the reference's digest; the first edges are compared first, for a readable message."""
    assert found.dtype == np.int64
    assert found.shape == (case["nedges"], 2)
    assert found[: len(case["first_edges"])].tolist() == case["first_edges"]
    assert hashlib.sha256(found.astype("<i8").tobytes()).hexdigest() == case["sha256"]
    assert found.sum(axis=0).tolist() == [case["sum_v0"], case["sum_v1"]]
    assert int((found[:, 0] == found[:, 1]).sum()) == case["self_loops"]


@pytest.mark.parametrize("case", VECTORS["edge_lists"], ids=label)
def test_edge_lists_are_those_of_the_reference(case):
    """Edge lists are those of the reference code, bit for bit."""
    check_case(case, edges(case["scale"], seeds=seeds_of(case), count=case["nedges"]))


@pytest.mark.parametrize("case", VECTORS["edge_lists_unscrambled"]["cases"], ids=label)
def test_recursive_order_is_the_reference_without_its_scramble(case):
    """Order "recursive" gives the reference's edges with the scramble left out, source never above target."""
    found = edges(case["scale"], seeds=seeds_of(case), count=case["nedges"], order="recursive")
    check_case(case, found)
    assert (found[:, 0] <= found[:, 1]).all()


@pytest.mark.parametrize("case", VECTORS["ranges"], ids=label)
def test_ranges_far_out_are_those_of_the_reference(case):
    """A short range with a large start is that of the reference, up to scale 47."""
    found = edges(case["scale"], seeds=seeds_of(case), start=case["start_edge"], count=len(case["edges"]))
    assert found.tolist() == case["edges"]


def test_scramble_of_scale_four_is_that_of_the_reference():
    """At scale 4 the scramble is the permutation found in the reference code."""
    scrambled, recursive = edges(4, seeds=(2, 3)), edges(4, seeds=(2, 3), order="recursive")
    np.testing.assert_array_equal(np.array(VECTORS["scramble_scale4_seeds_2_3"])[recursive], scrambled)
    assert set(recursive.ravel()) >= set(range(8))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1100), st.integers(0, 300), st.sampled_from(["scrambled", "recursive", "random"]))
def test_any_range_is_that_slice_of_the_whole(start, count, order):
    """Any range is exactly that slice of the whole list, in every order of the vertices."""
    whole = edges(6, count=1500, order=order)
    np.testing.assert_array_equal(edges(6, start=start, count=count, order=order), whole[start : start + count])


@settings(deadline=None, max_examples=30)
@given(st.data(), st.sampled_from(["scrambled", "recursive", "random"]), st.sampled_from(["kronecker", "uniform"]))
def test_slices_in_any_order_on_any_number_of_threads_make_the_same_list(data, order, topology):
    """Slices made in any order, each on any number of threads, are together the list made at once."""
    cuts = sorted(data.draw(st.lists(st.integers(0, 900), max_size=6)))
    slices = data.draw(st.permutations(list(pairwise([0, *cuts, 900]))))
    found = np.full((900, 2), -1)
    for start, stop in slices:
        with mock.patch.object(kronecker, "CHUNK", data.draw(st.integers(1, 300))):
            found[start:stop] = edges(
                *(7, 16, (2, 3), start, stop - start),
                order=order,
                topology=topology,
                threads=data.draw(st.integers(1, 4)),
            )
    np.testing.assert_array_equal(found, edges(7, count=900, order=order, topology=topology, threads=1))


def test_long_lists_are_shared_out_by_default_only_in_the_main_thread(monkeypatch):
    """By default the main thread uses every core it may, any other thread itself alone; the list is the same."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setattr(kronecker, "CHUNK", 100)
    used = []
    monkeypatch.setattr(kronecker, "spread", lambda f, parts, n: used.append((len(parts), n)) or spread(f, parts, n))
    here = edges(7, count=1000)
    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(edges, 7, count=1000).result()
    assert used == [(10, 3), (1, 1)]
    np.testing.assert_array_equal(here, there)


def departure(topology):
    """Chi-square of the pairs of 8 vertices against equal chances, and how often it would be larger by chance."""
    low, high = np.sort(edges(3, count=40_000, topology=topology), axis=1).T
    observed = np.bincount(8 * low + high, minlength=64).reshape(8, 8)[np.triu_indices(8)]
    chance = (2 - np.eye(8))[np.triu_indices(8)] / 64  # two ordered pairs for each but the self-loops
    return chisquare(observed, 40_000 * chance)


def test_uniform_edges_are_drawn_from_all_pairs_alike():
    """Topology "uniform" joins any two vertices alike; "kronecker" does not."""
    assert 0.01 < departure("uniform").pvalue < 0.99
    assert departure("kronecker").pvalue < 1e-100


def test_uniform_edges_do_not_depend_on_each_other():
    """An edge of topology "uniform" says nothing about the next: pairs of their sources' bits are equally frequent."""
    found = edges(20, count=64_000, topology="uniform") & 7
    table = np.bincount(found[:-1:2, 0] * 8 + found[1::2, 0], minlength=64)
    assert 0.01 < chisquare(table).pvalue < 0.99


def test_the_default_topology_is_that_of_the_benchmark():
    """Without a topology, edges are those of the reference."""
    np.testing.assert_array_equal(edges(8), edges(8, topology="kronecker"))
    assert not np.array_equal(edges(8), edges(8, topology="uniform"))


def test_without_a_count_the_rest_of_the_list_is_given():
    """Without a count all edges from the start to edge_factor << scale are given."""
    assert edges(6, 4).shape == (256, 2)
    np.testing.assert_array_equal(edges(6, 4, start=200), edges(6, 4)[200:])
    assert edges(6, 4, start=256).shape == (0, 2)
    assert edges(6, 4, start=300).shape == (0, 2)


def test_random_order_renames_the_vertices_of_the_recursive_one():
    """Order "random" is the recursive order sent through one permutation that the seeds choose."""
    names = permutation(6, (2, 3))
    assert sorted(names) == list(range(64))
    np.testing.assert_array_equal(edges(6, order="random"), names[edges(6, order="recursive")])
    assert not np.array_equal(names, permutation(6, (3, 2)))
    with pytest.raises(ValueError, match="read-only"):
        names[0] = 1


def test_permutation_is_the_same_everywhere():
    """The permutation is pinned: files made with it elsewhere must stay readable."""
    assert permutation(3, (2, 3)).tolist() == [4, 3, 0, 1, 2, 5, 7, 6]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 0}, "scale is 0; it must be an integer from 1 to 47"),
        ({"scale": 48}, "scale is 48; .* 1 to 47"),
        ({"scale": 6.0}, "scale is 6.0"),
        ({"scale": True}, "scale is True"),
        ({"scale": 6, "edge_factor": -1}, "edge_factor is -1"),
        ({"scale": 6, "start": -5}, "start is -5"),
        ({"scale": 6, "count": -1}, "count is -1; it must be an integer from 0"),
        ({"scale": 6, "order": "sorted"}, "order is 'sorted'; allowed are 'scrambled', 'recursive', 'random'"),
        ({"scale": 6, "topology": "random"}, "topology is 'random'; allowed are 'kronecker', 'uniform'"),
        ({"scale": 6, "threads": 0}, "threads is 0; it must be an integer from 1"),
        ({"scale": 6, "threads": 1.5}, "threads is 1.5"),
        ({"scale": 6, "seeds": (2,)}, r"seeds is \(2,\); it must be two integers"),
        ({"scale": 6, "seeds": (2, -3)}, r"seeds is \(2, -3\)"),
        ({"scale": 6, "seeds": (2.5, 3)}, r"seeds is \(2.5, 3\)"),
        ({"scale": 29, "count": 1, "order": "random"}, "scale with order 'random' is 29; .* 1 to 28"),
    ],
)
def test_bad_arguments_are_named_with_what_is_allowed(arguments, message):
    """A bad argument is refused with its value and what is allowed."""
    with pytest.raises(ValueError, match=message):
        edges(**arguments)


def test_importing_the_workloads_loads_no_numba():
    """The scheduler can import every module with task functions without loading Numba."""
    modules = "graph500, graph500_strip, graph500_matrix, block_spmv, power_iteration, pagerank"
    code = (
        f"import sys\nfrom asafess.workloads import {modules}\n"
        "bad = [m for m in ('numba', 'asafess.tiles', 'asafess.kernels') if m in sys.modules]\nassert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
