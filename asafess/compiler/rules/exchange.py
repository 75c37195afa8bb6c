"""Rules of a peer-to-peer shuffle: transfer, barrier, unpack.

Dask's records show no bytes between these tasks, so the transfer declares what it sends. What the barrier
hands on is what has been exchanged, from which the unpacked pieces follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf, Unknown, abstracted, array_of, as_array
from asafess.compiler.rules.table import rule

SHUFFLE = "distributed.shuffle."


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What has been sent to a shuffle."""

    #: an abstract value of one piece that was sent
    piece: Any
    #: bytes of all pieces
    nbytes: float
    #: rows of all pieces; None for arrays
    rows: float | None = None
    #: what the shuffle makes of them: Dask's `ShuffleSpec`
    spec: Any = None


@rule(f"{SHUFFLE}_rechunk.rechunk_transfer", f"{SHUFFLE}_shuffle.shuffle_transfer", f"{SHUFFLE}_merge.merge_transfer")
def transfer(on: Any, name: str, /, input: Any, *_: Any, **__: Any) -> Any:
    """Split a piece and send it: it is read, written in pieces, and crosses the network."""
    value = abstracted(input)
    piece = value if isinstance(value, FrameOf) else as_array(value)
    nbytes = piece.known_nbytes
    on.part(name, "moving", 0.0, 2 * nbytes, moved=True, communication=nbytes, why="sends its input to a p2p shuffle")
    return Exchanged(piece, nbytes, piece.rows if isinstance(piece, FrameOf) else None)


@rule(f"{SHUFFLE}_core.p2p_barrier")
def barrier(on: Any, name: str, /, id: Any, *transfers: Any, spec: Any = None) -> Any:
    """Wait for all transfers."""
    sent = [one for one in transfers if isinstance(one, Exchanged)]
    if len(sent) < len(transfers) or not sent:
        return UNKNOWN
    rows = None if sent[0].rows is None else sum(one.rows or 0.0 for one in sent)
    return Exchanged(sent[0].piece, sum(one.nbytes for one in sent), rows, spec)


@rule(f"{SHUFFLE}_rechunk.rechunk_unpack", f"{SHUFFLE}_shuffle.shuffle_unpack")
def unpack(on: Any, name: str, /, id: Any, partition: Any, exchanged: Any) -> Any:
    """Put one piece of the result together."""
    if not isinstance(exchanged, Exchanged) or exchanged.spec is None:
        raise Unknown("what was sent to the shuffle is not known")
    piece = exchanged.piece
    if isinstance(piece, ArrayOf):
        shape = [chunks[at] for chunks, at in zip(exchanged.spec.new, partition, strict=True)]
        result: Any = array_of(shape, piece.dtype)
    else:
        parts = exchanged.spec.npartitions
        on.hedge(0.7, "partitions of equal size")
        rows = None if exchanged.rows is None else exchanged.rows / parts
        result = FrameOf("frame", rows, exchanged.nbytes / parts, piece.columns)
    on.part(name, "moving", 0.0, 2 * result.known_nbytes, moved=True)
    return result
