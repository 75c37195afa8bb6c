"""Compilation on demand, and what the flags promise."""

import threading

import numpy as np
import pytest

from asafess.kernels.dtypes import SUPPORTED
from asafess.kernels.jit import Kernel, incoming, outgoing
from asafess.kernels.plan import PLAN
from asafess.kernels.product import PRODUCT
from asafess.kernels.recode import RECODE


def double(a, out):
    for i in range(a.size):
        out[i] = a[i] + a[i]


def new_kernel():
    return Kernel(double, lambda dtype: (incoming(dtype), outgoing(dtype)))


def test_nothing_is_compiled_before_it_is_asked_for():
    kernel = new_kernel()
    assert not kernel.ready(np.float64)
    kernel.compile(np.float64)
    assert kernel.ready(np.float64)
    assert not kernel.ready(np.float32)


def test_threads_that_ask_at_the_same_time_get_one_and_the_same_kernel():
    kernel, start, got = new_kernel(), threading.Barrier(4), []

    def ask():
        start.wait()
        got.append(kernel[np.float64])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 4
    assert len(set(map(id, got))) == 1


def test_read_only_and_unaligned_arrays_need_no_second_specialization():
    kernel = new_kernel()
    frozen = np.arange(5.0)
    frozen.flags.writeable = False
    unaligned = np.frombuffer(b"\0" + np.arange(5.0).tobytes(), np.float64, offset=1)
    assert not unaligned.flags.aligned
    for a in (np.arange(5.0), frozen, unaligned):
        out = np.empty(5)
        kernel[np.float64](a, out)
        assert out.tolist() == [0, 2, 4, 6, 8]
    assert len(kernel[np.float64].signatures) == 1


def test_arguments_of_another_type_are_refused_not_compiled():
    kernel = new_kernel()
    with pytest.raises(TypeError):
        kernel[np.float64](np.arange(5, dtype=np.float32), np.empty(5))
    assert len(kernel[np.float64].signatures) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_multiplication_is_contracted_with_an_addition(dtype):
    assembly = "".join(PRODUCT.compile(dtype, np.uint8, np.uint16).inspect_asm().values())
    assert "mul" in assembly
    for instruction in ("fmadd", "fmsub", "fmla", "fmls"):
        assert instruction not in assembly


def test_kernels_release_the_gil():
    indices = np.uint8, np.uint16
    for kernel in (PLAN.compile(np.uint64), RECODE.compile(np.uint64, *indices), PRODUCT.compile("float64", *indices)):
        assert kernel.targetoptions["nogil"]
        assert not kernel.targetoptions["fastmath"]
        assert not kernel.targetoptions["parallel"]


def test_every_supported_dtype_has_a_product():
    for dtype in SUPPORTED:
        one = np.ones(1, dtype)
        y = np.empty((1, 1), dtype)
        zero = np.zeros(1, np.int64)
        PRODUCT[dtype, np.uint8, np.uint16](
            *(one, np.empty(0, np.uint8), np.empty(0, np.uint16), one[:0], np.zeros(1, np.uint8), zero, zero + 1),
            *(1, 0, 1, one[None], y),
        )
        assert y[0, 0] == 1
