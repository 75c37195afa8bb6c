"""Writing into the user's Dask configuration: other keys stay, and a file is replaced as a whole or not at all."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import dask.config
import yaml


def save(values: Mapping[str, Any]) -> tuple[Path, Path | None]:
    """Merge values into the user's configuration: ``asafess.yaml`` in Dask's folder, or the file DASK_CONFIG names.

    Other keys stay. Comments can't be kept, so a file that may have some is copied first, to a name that is not yet
    taken.

    Parameters
    ----------
    values : mapping
        Nested, as in ``asafess.yaml``, with ``asafess`` at the top.

    Returns
    -------
    path : Path
        The file written.
    copy : Path or None
        The copy of what it was before.

    Raises
    ------
    ValueError
        The file is there but can't be merged with: it is not YAML (or JSON, by its name), or has no mapping where one
        is needed. It stays as it is.
    OSError
        It can't be read or written.
    """
    path = Path(dask.config.PATH)
    if path.is_dir() or path.suffix.lower() not in (".yaml", ".yml", ".json"):
        path = path / "asafess.yaml"
    try:
        path = path.resolve()  # the file itself, where dotfiles are links
    except RuntimeError as error:  # a link to itself, in Python 3.11 and 3.12
        raise OSError(f"{path}: {error}") from None
    is_json = path.suffix.lower() == ".json"
    text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    try:
        held = json.loads(text or "{}") if is_json else yaml.safe_load(text)
        held = {} if held is None else held
        _check_mergeable(path, held, values)
        # A copy, so that what two keys share through an alias of YAML is not changed in both.
        held = {name: deepcopy(value) for name, value in held.items()}
        dask.config.update(held, values)
        merged = json.dumps(held, indent=2) if is_json else yaml.safe_dump(held, sort_keys=False, allow_unicode=True)
    except (TypeError, RecursionError, UnicodeError, json.JSONDecodeError, yaml.YAMLError) as error:
        kind = "JSON" if is_json else "YAML"
        raise ValueError(f"{path} can't be read as {kind}, so nothing was written: {error}") from None
    copy = None
    if "#" in text:
        copy = _free_name(path)
        shutil.copy2(path, copy)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(merged, encoding="utf-8")
        if path.exists():
            shutil.copymode(path, fresh)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path, copy


def _free_name(path: Path) -> Path:
    """Return a name for a copy that no file has."""
    names = (path.with_name(f"{path.name}.before{number or ''}") for number in itertools.count())
    return next(name for name in names if not name.exists())


def _check_mergeable(path: Path, held: Any, values: Mapping[str, Any], key: str = "the whole file") -> None:
    """Refuse to replace by a mapping what is something else now."""
    if not isinstance(held, dict):
        raise ValueError(f"{path}: {key} is {held!r}, not a mapping, so nothing was written: correct it first")
    for name, value in values.items():
        inner = held.get(dask.config.canonical_name(name, held))
        if isinstance(value, Mapping) and inner is not None:
            _check_mergeable(path, inner, value, name)
