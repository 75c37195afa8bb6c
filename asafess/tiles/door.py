"""The door: the one place where a panel may be turned sparse because it leaves this process.

Serializers call `outgoing` for every panel; it looks at the active form once. The form decides only how new data is
written, never how data is read, so it may change at any moment. We may lose speed here, never results: whatever goes
wrong, the panel leaves as it is.

Process-wide, as a worker's serializer is. Thread rules: `set_form` replaces one tuple; any thread may call anything.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from asafess.tiles import layout
from asafess.tiles.counters import Counters
from asafess.tiles.layout import DENSE
from asafess.tiles.probing import Probe

if TYPE_CHECKING:
    from asafess.tiles.panel import TiledMatrix

logger = logging.getLogger(__name__)

#: What the door may do: nothing; make tiles below the threshold sparse; make tiles sparse that have fewer bytes so.
DOOR_FORMS = ("off", "light", "full")
#: A recoding that saves less than this share of a panel's bytes is not done.
LEAST_SAVING = 0.1


class _Active(NamedTuple):
    form: str
    threshold: int | None


_active = _Active("off", None)
_counters = Counters()


def set_form(form: str, threshold: int | None = None) -> None:
    """Set the form in which panels leave this process from now on.

    Parameters
    ----------
    form : str
        *off*: as they are. *light*: dense tiles with fewer than `threshold` non-zeros turned sparse. *full*: dense
        tiles whose sparse form has fewer bytes turned sparse.
    threshold : int, optional
        For *light*; see `layout.limits` for the default.

    Raises
    ------
    ValueError
        For an unknown form or a negative threshold; the active form stays.

    Examples
    --------
    >>> set_form("light")
    >>> form()
    'light'
    >>> set_form("off")
    """
    global _active
    if form not in DOOR_FORMS:
        raise ValueError(f"form is {form!r}; allowed are {', '.join(DOOR_FORMS)}")
    _active = _Active(form, layout.checked_threshold(threshold))


def form() -> str:
    """Return the active form.

    Examples
    --------
    >>> form()
    'off'
    """
    return _active.form


def counters() -> dict[str, float]:
    """Return what left this process since the start or `reset_counters`, by name (`counters.COUNTERS` says more).

    Examples
    --------
    >>> sorted(counters())[:3]
    ['encode_seconds', 'faults', 'logical_bytes']
    """
    return _counters.read()


def reset_counters() -> None:
    """Set all counters to 0, and start probing anew.

    Examples
    --------
    >>> reset_counters()
    >>> counters()["panels"]
    0.0
    """
    _counters.reset()
    _probe.reset()


def set_probe_budget(share: float) -> None:
    """Set the share of the time that may go into timing the forms, also those that are not active (see `probing`).

    Parameters
    ----------
    share : float
        0 (nothing is timed) to 0.1; 0 at the start.

    Raises
    ------
    ValueError
        For another share; the present one stays.

    Examples
    --------
    >>> set_probe_budget(0.005)
    >>> set_probe_budget(0)
    """
    _probe.reset(share)


def outgoing(panel: TiledMatrix) -> TiledMatrix:
    """Return what leaves in a panel's place: itself, or the same values in the active form.

    The panel itself leaves if the door is off, if its kernels are not compiled (that is begun, in the background), if
    recoding would save less than a tenth of its bytes, and if anything fails. Sparse tiles stay sparse.

    Parameters
    ----------
    panel : TiledMatrix

    Returns
    -------
    TiledMatrix

    Examples
    --------
    >>> from asafess import TiledMatrix
    >>> panel = TiledMatrix.from_dense([[1.0, 0.0]])
    >>> outgoing(panel) is panel
    True
    """
    active, sent = _active, panel
    try:
        _counters.sample(panel, active.threshold)
        _probe.look(panel, active.threshold)
        if active.form != "off" and (panel.marks == DENSE).any():
            sent = _recoded(panel, active)
    except Exception:
        sent = panel
        _counters.add(faults=1)
        # One line for the first; the counter knows the rest.
        if _counters.read()["faults"] == 1:
            logger.warning("asafess.door.fault form=%s panel leaves as it is", active.form, exc_info=True)
    _counters.add(panels=1, logical_bytes=panel.logical_nbytes, sent_bytes=sent.nbytes)
    return sent


def _recoded(panel: TiledMatrix, active: _Active) -> TiledMatrix:
    # Numba is imported on the first use, by those who send panels in another form.
    from asafess.kernels import prepare

    if not prepare.ready(panel.dtype, panel.tile, panel.shape[1]):
        prepare.prepare_later(panel.dtype, panel.tile, panel.shape[1])
        _counters.add(uncompiled=1)
        return panel
    start = time.perf_counter()
    sent = _recode(panel, panel.nbytes, active.form, active.threshold)
    _counters.add(encode_seconds=time.perf_counter() - start)
    return sent


def _recode(matrix: TiledMatrix, nbytes: int, form: str, threshold: int | None) -> TiledMatrix:
    """Return a matrix of so many bytes in another form, itself if that saves too little."""
    from asafess.tiles import recode

    plan = recode.plan(matrix, form, threshold, keep_sparse=True)
    return recode.apply(matrix, plan) if plan.nbytes <= (1 - LEAST_SAVING) * nbytes else matrix


_probe = Probe(_counters, _recode, 0.0)
