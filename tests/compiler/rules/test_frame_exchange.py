"""Rows that go to other partitions, and joins."""

import operator
from types import SimpleNamespace

import pytest
from dask._task_spec import Task, TaskRef
from graphs import called

from asafess.compiler.abstract.values import FrameOf
from asafess.compiler.infer import infer
from asafess.compiler.rules.exchange import Exchanged
from asafess.compiler.rules.frame_exchange import HASH, MATCH

pytest.importorskip("dask.dataframe")
from dask.dataframe import core, multi
from dask.dataframe.dask_expr import _merge, _shuffle
from distributed.shuffle._merge import merge_unpack

FRAME = FrameOf("frame", 1000, 32_000.0, ("a", "b", "c", "d"))
OTHER = FrameOf("frame", 500, 8_000.0, ("a", "e"))
UNSIZED = FrameOf("frame", None, None, ("a", "b"))


def test_where_rows_go_is_hashed_and_kept_beside_them():
    found = called(_shuffle.AssignPartitioningIndex.operation, FRAME, ["a"], "_partitions", 4, None, None)
    assert found.flop == 1000 * HASH
    assert found.value == FrameOf("frame", 1000, 40_000.0, ("a", "b", "c", "d", "_partitions"))


@pytest.mark.parametrize("frame", [FRAME, UNSIZED])
def test_a_partition_is_split_in_pieces_that_are_counted(frame):
    split = called(_shuffle.SimpleShuffle._shuffle_group, frame, None, "_partitions", 0, 4, 4, False, 4)
    assert split.known == (frame is FRAME)
    assert len(split.value) == 4
    piece = called(operator.getitem, split.value, 3)
    assert piece.known
    assert piece.value.nbytes == (8000.0 if frame is FRAME else None)
    assert called(core.split_evenly, FRAME, 4).value[2].rows == 250


def test_what_a_p2p_shuffle_sends_crosses_the_network():
    assert called(_shuffle._shuffle_transfer, FRAME, "id", 0).communication == 32_000
    transfer = _merge.create_assign_index_merge_transfer()
    found = called(transfer, FRAME, ["a"], "hash", 4, "id", 0, False)
    assert (found.communication, found.flop) == (40_000, 1000 * HASH)


def test_a_p2p_join_puts_both_sides_together_first():
    sent = Exchanged(FRAME, 128_000.0, 4000.0, SimpleNamespace(npartitions=4))
    task = Task("y", merge_unpack, "l", "r", 0, TaskRef("left"), TaskRef("right"), "inner", "a", "a", None, ("", ""))
    found = infer(task, {"left": sent, "right": sent}.get)
    assert found.known
    assert found.nbytes > 2 * 32_000


def test_how_many_rows_match_depends_on_data():
    found = called(multi.merge_chunk, FRAME, OTHER, how="inner", left_on="a", right_on="a")
    assert found.flop == MATCH * 1500
    assert (found.value.rows, found.value.nbytes) == (None, None)
    assert found.value.columns == ("a", "b", "c", "d", "e")
    assert found.confidence <= 0.5
    assert not called(multi.merge_chunk, FRAME, UNSIZED, how="inner").known
