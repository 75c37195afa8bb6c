import zlib

import dask
import numpy as np
import pytest

from asafess.wire.reduced import reduce
from bench.toggles import cases
from bench.toggles.graph import graph_of
from bench.toggles.moving import KINDS, block, digest
from bench.toggles.queuing import data_part, swarm_part
from bench.toggles.reduced_precision import ERROR, TINY, positive, total
from bench.toggles.spill_compression import DATA, beyond_part, filled
from bench.toggles.thread_width import corner, few_part, left, many_part, multiply, right
from bench.toggles.work_stealing import compute, local_part


def values(parts, workers=("one", "other")):
    graph = graph_of(parts, workers)
    return [value for _, value in dask.get(graph.tasks, graph.end)[1:]]


@pytest.mark.parametrize(
    ("kind", "share"), [(kind, share) for kind, share in KINDS.items() if share is not None], ids=str
)
def test_a_block_has_its_share_of_non_zeros_anywhere(kind, share):
    made = block(None, 1, 40_000, kind)[0]
    for half in np.split(made, 2):
        assert np.count_nonzero(half) / half.size == pytest.approx(share, rel=0.2)


def test_text_can_be_compressed_but_not_by_leaving_out_zeros():
    made = block(None, 1, 20_000, "text")
    assert np.count_nonzero(made.view(np.uint64)) == 20_000
    assert len(zlib.compress(made.tobytes())) < 0.6 * made.nbytes
    noise = block(None, 1, 20_000, "100 %")
    assert len(zlib.compress(noise.tobytes())) > 0.9 * noise.nbytes


def test_blocks_are_the_same_each_time_and_differ_from_each_other():
    digests = {digest(block(None, k, 1000, "10 %")) for k in range(8)}
    assert len(digests) == 8
    assert digest(block(None, 3, 1000, "10 %")) in digests


def test_a_digest_does_not_depend_on_where_the_words_lie():
    made = block(None, 1, 1000, "100 %").reshape(20, 50)
    assert digest(np.asfortranarray(made)) == digest(made)
    assert digest(np.where(made == made[3, 3], 0.0, made)) != digest(made)


def test_a_swarm_and_data_in_pairs_or_alone_come_to_what_was_put_in():
    assert values([("swarm", swarm_part(10))]) == [45.0]
    assert values([("data", data_part(8, 5))]) == [1.0 + 3 + 5 + 7]
    assert values([("data", data_part(8, 5, together=1))]) == [28.0]


def test_products_by_the_permutation_are_exact():
    a, b = left(None, 3, 16), right(None, 16)
    assert np.array_equal(multiply(a, b), np.roll(a, 1, axis=1))
    [many] = values([("many", many_part(3, 16))])
    assert many == sum(corner(np.roll(left(None, k, 16), 1, axis=1)) for k in range(3))
    [few] = values([("few", few_part(4, 16, 2))])
    assert few == sum(corner(np.roll(left(None, k, 16), 4, axis=1)) for k in range(2))


def test_tasks_of_local_blocks_each_compute_with_one_of_them():
    [found] = values([("uneven", local_part(compute, 13, 10, 2))])
    one = [compute(np.full(10, float(k % 12)), 0.0, 2) for k in range(13)]
    assert len(set(one)) == 12
    assert found == sum(one)


@pytest.mark.parametrize("name", [name for name in cases() if name != "wire_compression"])
def test_small_programs_come_to_the_same_each_time(name):
    # by a scheduler that knows of no workers: the value depends on the graph alone
    for program in cases()[name].programs(small=True):
        parts = program.make(None, ["one", "other"]).parts
        assert values(parts) == values(parts)


def test_blocks_beyond_memory_are_as_compressible_as_their_kind():
    for kind in DATA.values():
        made = filled(None, 3, 10_000, kind)
        assert made.shape == block(None, 0, 10_000, kind).shape
        assert np.count_nonzero(made) == np.count_nonzero(block(None, 0, 10_000, kind))
        assert digest(filled(None, 4, 10_000, kind)) == digest(filled(None, 4, 10_000, kind))
        assert not np.array_equal(filled(None, 4, 10_000, kind), made)
    [found] = values([("text", beyond_part("text", 2, 100))])
    assert found == sum(digest(filled(None, k, 100, "text")) for k in range(4))


def test_blocks_that_are_refused_differ_from_the_others_in_their_last_element_alone():
    allowed, refused = (positive(None, 2, 50_000, last) for last in (None, TINY))
    assert np.array_equal(allowed[:-1], refused[:-1])
    assert reduce(refused) is None
    reduced = reduce(allowed)
    assert reduced is not None
    assert not np.array_equal(reduced, allowed)
    assert total(reduced.astype("f8")) == pytest.approx(total(allowed), rel=ERROR, abs=0)
