"""The process's codec, and how Dask's connections come to use it.

Dask negotiates compression when a connection is made: each side says its setting ``distributed.comm.compression``, none
if both have the same IP address, and what both say is used in both directions. So a peer that does not know the codec,
or has another version of it or other libraries, never gets a frame of it, nor do clients and schedulers, which say
none. After that the setting is looked at for each message, so a connection may be changed later on; the one who does
must know that the other can read it.

- `join` registers the codec under its name and makes it the setting. New connections of this process use it with
  others that have joined. A setting that a person has made, such as lz4, is left alone: then the codec gets no frames.
- `renew` takes care of connections that were made before. Those to other workers that are idle are closed, and made
  anew when they are needed. Those from other workers are changed where the other one said, as it connected, that it
  has joined. What remains as it was: connections that are in use at this moment, and what this worker sends on its own
  connections to workers that join later, as in a p2p shuffle, until `renew` is called again.
- `leave` puts the setting back. The name stays registered, because frames may be on their way; a codec that is off
  returns its input.

The setting is inherited by processes that know no codec, where the name would make each connection fail: worker
processes that a `distributed.Nanny` of this process starts. So it is text here and none (False) in a pickle.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import dask.config

from asafess.wire.backlog import Backlog
from asafess.wire.codec import Codec
from asafess.wire.cores import Cores
from asafess.wire.header import VERSION
from asafess.wire.libraries import LIBRARIES

if TYPE_CHECKING:
    from distributed import Worker

logger = logging.getLogger(__name__)

#: the codec's name in Dask, and in the header of messages. It says what can be read, so that two workers that can't
#: read the same do not agree on it.
NAME = "-".join(("asafess", str(VERSION), *sorted(LIBRARIES)))
SETTING = "distributed.comm.compression"

#: of this process, as its connections are
codec = Codec(Backlog(), Cores())
_lock = threading.Lock()


class _Name(str):
    """The setting; none in another process."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return (bool, (False,))


def join() -> bool:
    """Register the process's codec with Dask and let new connections use it; its kernels must be compiled.

    Any thread may call it, any number of times.

    Returns
    -------
    bool
        False where a person has set another compression.
    """
    from distributed.protocol.compression import Compression, compressions

    with _lock:
        compressions[NAME] = Compression(NAME, codec.compress, codec.decompress)
        found = dask.config.get(SETTING)
        if found == NAME:
            return True
        if found:
            logger.warning(
                "%s is %r, so wire_compression does nothing on this worker; false leaves the choice to asafess",
                SETTING,
                found,
            )
            return False
        global _found
        _found = found
        dask.config.set({SETTING: _Name(NAME)})
        return True


_found: Any = False


def leave() -> None:
    """Put the setting back; connections that use the codec keep it, and it is off."""
    codec.set_state("off")
    with _lock:
        if dask.config.get(SETTING, None) == NAME:
            dask.config.set({SETTING: _found})


def renew() -> None:
    """Let connections that were made before use the codec, as far as can be; in the event loop of the workers."""
    from distributed import Worker
    from tornado.ioloop import IOLoop

    if dask.config.get(SETTING, None) != NAME:
        return
    for worker in list(Worker._instances):
        if worker.io_loop is IOLoop.current():
            try:
                _renew(worker)
            except Exception:  # none of it is needed: those that are made from now on use the codec
                logger.warning("asafess.wire.renew failed; old connections stay uncompressed", exc_info=True)


def _renew(worker: Worker) -> None:
    for comm in list(worker._comms):
        _change(comm)
    pool = worker.rpc
    for comms in list(pool.occupied.values()):
        for comm in list(comms):
            _change(comm)
    peers = (comms for address, comms in pool.available.items() if address != worker.scheduler.address)
    if any(not _uses(comm) and not comm.same_host for comms in peers for comm in comms):
        pool.collect()


def _uses(comm: Any) -> bool:
    return comm.handshake_options.get("compression") == NAME


def _change(comm: Any) -> None:
    """Let a connection use the codec if the other side has said that it has it."""
    said = getattr(comm, "remote_info", None) or {}
    if said.get("compression") == NAME and not comm.same_host:
        comm.handshake_options["compression"] = NAME
