"""The kernels do what they are said to do."""

import inspect

import numba
import numpy as np
import pytest

from asafess.compiler.decorator import ATTRIBUTE
from bench.compiler.counting.loops import count
from bench.compiler.kernels import KERNELS

PRK = [kernel for kernel in KERNELS if kernel.prk]
#: compiling takes half a second each: one of each kind
COMPILED = ("cholesky", "histogram")


def test_there_are_enough_kernels_under_names_of_their_own():
    assert len({kernel.name for kernel in KERNELS}) == len(KERNELS) >= 22
    assert sum(kernel.affine for kernel in KERNELS) >= 15
    assert {
        "nstream",
        "stencil-star",
        "transpose",
        "synch_p2p",
        "dgemm",
        "sparse",
        "reduce",
        "random",
        "branch",
        "pic",
    } <= {kernel.name for kernel in PRK}


@pytest.mark.parametrize("kernel", PRK, ids=lambda kernel: kernel.name)
def test_the_parallel_research_kernels_come_to_their_closed_formula(kernel):
    assert kernel.check(kernel.function) <= 1e-8


@pytest.mark.parametrize("kernel", PRK, ids=lambda kernel: kernel.name)
def test_a_kernel_that_does_nothing_fails_its_check(kernel):
    assert kernel.check(lambda *args: None) > 1e-8 or kernel.name == "random"


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_kernels_carry_no_annotation_and_are_counted_whole(kernel):
    assert not hasattr(kernel.function, ATTRIBUTE)
    assert "asafess" not in inspect.getsource(kernel.function)
    counters = [count(kernel.function, *kernel.make(size))[0] for size in kernel.sizes[:2]]
    assert not any(counter.unseen for counter in counters)
    assert counters[-1].read + counters[-1].written > 0
    assert counters[-1].footprint <= counters[-1].read + counters[-1].written


@pytest.mark.parametrize("kernel", [k for k in KERNELS if k.name in COMPILED], ids=lambda kernel: kernel.name)
def test_what_is_counted_computes_what_the_compiled_kernel_computes(kernel):
    compiled, plain = kernel.make(kernel.sizes[-1]), kernel.make(kernel.sizes[-1])
    result = numba.njit(kernel.function)(*compiled)
    expected = kernel.function(*plain)
    for one, other in zip((*compiled, result), (*plain, expected), strict=True):
        if one is not None:
            np.testing.assert_allclose(one, other, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "size", "flop"),
    [("nstream", 10, 30), ("dgemm", 6, 2 * 6**3), ("synch_p2p", 7, 2 * 36), ("sparse", 4, 2 * 17 * 256 + 2 * 256)],
)
def test_counts_are_those_of_the_published_metric(name, size, flop):
    kernel = next(kernel for kernel in KERNELS if kernel.name == name)
    assert count(kernel.function, *kernel.make(size))[0].flop == flop
