from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse
from asafess.bench import peer_blocks
from asafess.bench.peer_blocks import TRIED, block_bytes, count_blocks, fastest, most_bytes, narrow
from asafess.bench.peers import PEERS


def a_matrix(shape, density=0.02):
    return scipy.sparse.random_array(shape, density=density, rng=np.random.default_rng(1), format="csr")


def stored(csr, edge):
    blocks = csr.tobsr((edge, edge))
    return blocks.data.nbytes + 4 * blocks.indices.size


def test_the_blocks_that_store_least_come_first():
    csr = scipy.sparse.csr_array(scipy.sparse.block_diag([np.ones((8, 8))] * 16))
    found = block_bytes(csr, 64)
    assert next(iter(found)) == 8
    assert found == {edge: stored(csr, edge) for edge in (2, 4, 8, 16, 32, 64)}
    assert list(found.values()) == sorted(found.values())
    assert most_bytes(csr, 64) == list(found.values())[TRIED - 1]


@pytest.mark.parametrize("shape", [(9216, 64), (64, 3072), (1040, 1040)])
@pytest.mark.parametrize("edges", [(4, 16), (16,), (2, 4, 8, 16)])
def test_blocks_are_counted_also_in_a_matrix_of_many_strips(shape, edges):
    csr = a_matrix(shape)
    assert count_blocks(csr, edges) == {edge: csr.tobsr((edge, edge)).indices.size for edge in edges}


def test_a_shape_that_no_block_divides_has_blocks_of_one():
    assert list(block_bytes(a_matrix((7, 5), 0.5), 16)) == [1]


def test_the_fastest_blocks_are_taken(monkeypatch):
    csr, asked, clock = a_matrix((256, 256)), [], [0.0]
    monkeypatch.setattr(peer_blocks, "time", SimpleNamespace(perf_counter=lambda: clock[0]))

    def multiply(a, x):
        asked.append(a.blocksize[0])
        clock[0] += 1 if a.blocksize == (4, 4) else 2
        return a @ x

    assert fastest(csr, 128, multiply).blocksize == (4, 4)
    assert set(asked) == set(list(block_bytes(csr, 128))[:TRIED])
    assert PEERS["scipy-bsr"].make(csr, 128, 1).note in {f"blocks of {edge}" for edge in asked}


def test_indices_that_fit_become_narrow_without_a_copy_of_the_values():
    csr = a_matrix((64, 64))
    csr.indices, csr.indptr = csr.indices.astype(np.int64), csr.indptr.astype(np.int64)
    found = narrow(csr)
    assert found.indices.dtype == found.indptr.dtype == np.int32
    assert np.shares_memory(found.data, csr.data)
    assert csr.indices.dtype == np.int64
