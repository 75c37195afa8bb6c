"""Whole programs: each task's result is foretold with shape, data type and bytes, and compared with what comes out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from array_programs import BOTH, CLASSIC, UNTYPED
from graphs import compared


@pytest.mark.parametrize("name", CLASSIC)
def test_every_task_is_typed_and_every_array_foretold(name):
    found = compared(CLASSIC[name]())
    assert not found["wrong"]
    assert not found["untyped"]
    assert found["exact"] == found["arrays"]


@pytest.mark.parametrize("name", UNTYPED)
def test_what_depends_on_data_is_not_guessed(name):
    found = compared(UNTYPED[name]())
    assert not found["wrong"]
    assert 0 < len(found["untyped"]) < found["tasks"]
    assert all("no rule" in why or "not known" in why for why in found["untyped"].values())


def test_array_expressions_are_typed_like_arrays():
    # which of the two forms `dask.array` is, is decided when it is imported
    environment = {**os.environ, "DASK_ARRAY__QUERY_PLANNING": "True"}
    run = [sys.executable, __file__]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["expressions", str(len(BOTH)), "programs"]


if __name__ == "__main__":
    import dask.array as da

    sys.path.insert(0, str(Path(__file__).parent))
    for program in BOTH.values():
        outcome = compared(program())
        assert not outcome["wrong"], outcome["wrong"]
        assert not outcome["untyped"], outcome["untyped"]
    print("expressions" if hasattr(da.ones(3), "expr") else "arrays", len(BOTH), "programs")
