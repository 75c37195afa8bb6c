"""The other ways to multiply a sparse matrix with a vector, behind one interface.

Each peer is given what it does best with: matrix and vectors in its own form, made outside the clock; the block size
that is fastest for it; MKL both as `sparse-dot-mkl` calls it (a handle per product) and, through private functions of
that package, with a handle that is kept and optimized (`Peer.private`). Peers that are not installed say so:
``python -m bench.peers`` lists them.

Threads are a setting of the process in all of these libraries: the last `make` decides for all that were made. SciPy
always takes one.
"""

from __future__ import annotations

import ctypes
import os
import sys
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import numpy as np
from scipy.sparse import csr_array

from .peer_blocks import fastest, most_bytes, narrow

__all__ = ["PEERS", "Peer", "Product", "usable"]

#: products that MKL is told to expect: its highest effort
EXPECTED_CALLS = 1000


def _as_it_is(thing: Any) -> Any:
    return thing


@dataclass(frozen=True)
class Product:
    """A matrix in a peer's form, ready to be multiplied; called with an array it returns an array.

    The steps are apart so that only `multiply` need be timed: ``take(multiply(bring(x)))``. What `multiply` returns is
    good until the next call.
    """

    multiply: Callable[[Any], Any]
    #: an array (n,) or (n, k) → what `multiply` takes
    bring: Callable[[np.ndarray], Any] = _as_it_is
    #: what `multiply` returns → an array
    take: Callable[[Any], np.ndarray] = np.asarray
    #: what was chosen for it
    note: str = ""

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the product with an array, conversions included."""
        return self.take(self.multiply(self.bring(x)))


@dataclass(frozen=True)
class Peer:
    """A library that multiplies. All its conversions are in `make`."""

    name: str
    #: (matrix float32 or float64, edge of a tile, threads) → product
    make: Callable[[csr_array, int, int], Product]
    #: (matrix, edge of a tile) → bytes of the largest array that `make` makes
    nbytes: Callable[[csr_array, int], int]
    #: raises ImportError where the library is not there
    load: Callable[[], Any] = lambda: None
    #: through private functions of its package: what its library could do, not what it offers in Python
    private: bool = False

    @property
    def missing(self) -> str | None:
        """Why it can't be used, in one line; None where it can."""
        try:
            self.load()
        except (ImportError, OSError) as error:
            return f"{self.name}: skipped, {str(error).splitlines()[0]}"
        return None


def usable(names: Iterable[str] | None = None, say: Callable[[str], object] = click.echo) -> dict[str, Peer]:
    """Return the peers that are installed, by name; of each of the others, say why it is skipped."""
    chosen = PEERS if names is None else {name: PEERS[name] for name in names}
    reasons = {name: peer.missing for name, peer in chosen.items()}
    for reason in filter(None, reasons.values()):
        say(reason)
    return {name: peer for name, peer in chosen.items() if reasons[name] is None}


def _csr_bytes(csr: csr_array, tile: int) -> int:
    return csr.nnz * (csr.dtype.itemsize + 8)


# NumPy, SciPy


def _numpy(csr: csr_array, tile: int, threads: int) -> Product:
    a = csr.toarray()
    try:
        limit = import_module("threadpoolctl").threadpool_limits
    except ImportError:
        note = "threads as its BLAS has them: threadpoolctl is not installed"
    else:
        limit(threads, user_api="blas")
        note = ""
    return Product(lambda x: a @ x, note=note)


def _scipy_csr(csr: csr_array, tile: int, threads: int) -> Product:
    a = narrow(csr)
    return Product(lambda x: a @ x)


def _scipy_bsr(csr: csr_array, tile: int, threads: int) -> Product:
    return _blocked(csr, tile, lambda a, x: a @ x)


def _blocked(csr: csr_array, tile: int, multiply: Callable[[Any, np.ndarray], Any]) -> Product:
    a = fastest(csr, tile, multiply)
    return Product(lambda x: multiply(a, x), note=f"blocks of {a.blocksize[0]}")


# SuiteSparse:GraphBLAS


def _load_graphblas() -> Any:
    gb = import_module("graphblas")
    gb.init("suitesparse", blocking=True)
    return gb


def _graphblas(csr: csr_array, tile: int, threads: int) -> Product:
    gb = _load_graphblas()
    gb.ss.config["nthreads"] = threads
    a = gb.io.from_scipy_sparse(csr)
    semiring = gb.semiring.plus_times[a.dtype]
    # Writing into the same vector each time saves a quarter of a small product.
    y = gb.Vector(a.dtype, csr.shape[0])

    def multiply(x: Any) -> Any:
        if x.ndim == 2:
            return a.mxm(x, semiring).new()
        y << a.mxv(x, semiring)
        return y

    def bring(x: np.ndarray) -> Any:
        return (gb.Vector if x.ndim == 1 else gb.Matrix).from_dense(x)

    return Product(multiply, bring, lambda found: found.to_dense(fill_value=0, dtype=a.dtype))


# MKL


def _load_mkl() -> Any:
    if find_spec("sparse_dot_mkl") is None:  # looked up first, so that no setting is left behind in vain
        raise ImportError("No module named 'sparse_dot_mkl'")
    # pip puts the library where the loader does not look, and the interface of 64-bit indices is tried first
    found = sorted(Path(sys.prefix, "lib").glob("libmkl_rt.so*"))
    if found:
        os.environ.setdefault("MKL_RT", str(found[0]))
    os.environ.setdefault("MKL_INTERFACE_LAYER", "LP64")
    # OpenMP threads of Intel's spin for 200 ms after their work: whoever is measured next would pay for it
    os.environ.setdefault("KMP_BLOCKTIME", "1")
    return import_module("sparse_dot_mkl")


def _mkl_with(threads: int) -> Any:
    mkl = _load_mkl()
    import_module("sparse_dot_mkl._mkl_interface").mkl_set_num_threads(threads)
    return mkl


def _mkl(csr: csr_array, tile: int, threads: int) -> Product:
    dot, a = _mkl_with(threads).dot_product_mkl, narrow(csr)
    return Product(lambda x: dot(a, x))


def _mkl_bsr(csr: csr_array, tile: int, threads: int) -> Product:
    dot = _mkl_with(threads).dot_product_mkl
    return _blocked(csr, tile, dot)


def _mkl_optimized(csr: csr_array, tile: int, threads: int) -> Product:
    _mkl_with(threads)
    mkl = import_module("sparse_dot_mkl._mkl_interface")
    library = import_module("sparse_dot_mkl._mkl_interface._cfunctions")._libmkl
    a, plain, general = narrow(csr), 10, mkl.matrix_descr()
    handle = mkl._create_mkl_sparse(a)[0]
    double = csr.dtype == np.float64
    mv = mkl.MKL._mkl_sparse_d_mv if double else mkl.MKL._mkl_sparse_s_mv
    mm = mkl.MKL._mkl_sparse_d_mm if double else mkl.MKL._mkl_sparse_s_mm
    pointer = ctypes.POINTER(ctypes.c_double if double else ctypes.c_float)
    calls, rows_first = ctypes.c_int(EXPECTED_CALLS), 101

    def optimize(hinted: int) -> None:
        done = hinted or library.mkl_sparse_optimize(handle)
        if done != 0:
            raise RuntimeError(f"MKL could not optimize the matrix: status {done}")

    def bring(x: np.ndarray) -> np.ndarray:
        if x.ndim == 2:
            columns = ctypes.c_int(x.shape[1])
            optimize(library.mkl_sparse_set_mm_hint(handle, plain, general, rows_first, columns, calls))
        return x

    def multiply(x: np.ndarray) -> np.ndarray:
        y = np.empty((a.shape[0], *x.shape[1:]), x.dtype)
        if x.ndim == 2:
            k = x.shape[1]
            status = mm(plain, 1.0, handle, general, rows_first, x, k, k, 0.0, y.ctypes.data_as(pointer), k)
        else:
            status = mv(plain, 1.0, handle, general, x, 0.0, y)
        if status != 0:
            raise RuntimeError(f"MKL could not multiply: status {status}")
        return y

    optimize(library.mkl_sparse_set_mv_hint(handle, plain, general, calls))
    # The handle points into `a`, which the finalizer keeps until the handle is gone.
    weakref.finalize(multiply, lambda handle, _: mkl._destroy_mkl_handle(handle), handle, a)
    return Product(multiply, bring)


PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        Peer("numpy", _numpy, lambda csr, tile: csr.shape[0] * csr.shape[1] * csr.dtype.itemsize),
        Peer("scipy-csr", _scipy_csr, _csr_bytes),
        Peer("scipy-bsr", _scipy_bsr, most_bytes),
        Peer("graphblas", _graphblas, lambda csr, tile: csr.nnz * (csr.dtype.itemsize + 16), _load_graphblas),
        Peer("mkl", _mkl, _csr_bytes, _load_mkl),
        Peer("mkl-bsr", _mkl_bsr, most_bytes, _load_mkl),
        Peer("mkl-optimized", _mkl_optimized, _csr_bytes, _load_mkl, private=True),
    )
}


if __name__ == "__main__":
    for name in usable():
        click.echo(f"{name}: installed")
