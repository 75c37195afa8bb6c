import subprocess
import sys

import pytest

CASES = {
    "before SciPy": "sparse_sizeof.register(); import scipy.sparse",
    "after SciPy": "import scipy.sparse; sparse_sizeof.register()",
    "after Dask looked": "import scipy.sparse; sizeof(scipy.sparse.csr_array((9, 9))); sparse_sizeof.register()",
}


@pytest.mark.parametrize("order", CASES)
def test_sparse_arrays_count_with_their_bytes(order):
    """Whenever SciPy came, arrays and matrices count with the bytes of their parts."""
    code = f"""
from dask.sizeof import sizeof
from asafess.workloads import sparse_sizeof
{CASES[order]}
import numpy as np
for kind in (scipy.sparse.csr_array, scipy.sparse.csr_matrix, scipy.sparse.coo_array):
    s = kind(np.eye(1000))
    assert 16_000 <= sizeof(s) <= 26_000, (kind, sizeof(s))
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_registering_does_not_load_scipy():
    """The scheduler can register the sizes without loading SciPy."""
    code = (
        "import sys; from asafess.workloads import sparse_sizeof as s; s.register(); assert 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
