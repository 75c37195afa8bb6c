"""`cost` against runs that count."""

import numpy as np
import pytest
from counted_kernels import KERNELS, mandelbrot
from counted_run import run

from asafess.compiler import cost

SIZES = [(1, 1, 1), (2, 3, 1), (5, 4, 2), (7, 9, 3), (8, 8, 4), (12, 5, 2), (3, 2, 6)]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
def test_counts_what_a_run_counts(kernel):
    found = cost(kernel, *KERNELS[kernel](5, 5, 2))
    for sizes in SIZES:
        args = KERNELS[kernel](*sizes)
        tally = run(kernel, *args)
        counts = found.bind(*args)
        assert (counts.read, counts.written) == (tally.pop("read", 0), tally.pop("written", 0)), sizes
        assert counts.operations == pytest.approx(tally), sizes


def test_a_while_loop_is_exact_for_its_mean_number_of_turns():
    xs, out = np.linspace(-2.0, 0.5, 20), np.zeros(20, dtype=np.int64)
    found = cost(mandelbrot, xs, out, 30)
    assert list(found.estimated) == ["n_1"]
    mandelbrot(xs, out, 30)
    counts = found.bind(xs, out, 30, n_1=out.mean())
    tally = run(mandelbrot, xs, out, 30)
    assert (counts.read, counts.written) == (tally["read"], tally["written"])
    # whether the last look at the second condition is needed depends on the data, too
    assert counts.operations["mul"] == pytest.approx(tally["mul"], rel=0.05)
