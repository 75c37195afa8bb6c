"""The deciding half in another process, as in a scheduler that has not all that workers have."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence

from asafess.testing.contract import want

_CODE = """
import json, pickle, sys

path, without, extra, length = json.loads(sys.stdin.buffer.readline())
sys.path[:] = path

class NotHere:
    def find_spec(self, name, path=None, target=None):
        if any(name == one or name.startswith(one + ".") for one in without):
            raise ModuleNotFoundError(f"No module named {name!r} here: the scheduler need not have it", name=name)

sys.meta_path.insert(0, NotHere())
optimization = pickle.loads(sys.stdin.buffer.read(length))

from asafess.core.mode import Rates, Sample, Scheduled

rates = Rates(1e9, 1e9, 1e8, extra)
domain = optimization.declaration().domain(rates)
optimization.thresholds(rates)
optimization.costs(Sample(0.0, (Scheduled("any", 1, {"compute": 1.0, "communication": 1.0}),), 1, 1, rates))
print("decided", [domain(state, {}) for state in optimization.states])
"""


def check_elsewhere(pickled: bytes, extra: Mapping[str, float], without: Sequence[str]) -> None:
    """Want that a fresh process can unpickle an optimization, and decide.

    Parameters
    ----------
    pickled : bytes
    extra : mapping
        What its `rates` has measured.
    without : sequence of str
        Modules that can't be imported there.
    """
    head = json.dumps([[one or "." for one in sys.path], list(without), dict(extra), len(pickled)]).encode()
    done = subprocess.run(
        [sys.executable, "-c", _CODE], input=head + b"\n" + pickled, capture_output=True, timeout=120, check=False
    )
    said = done.stderr.decode(errors="replace").strip().splitlines()
    missing = f" without {', '.join(without)}" if without else ""
    want(
        done.returncode == 0 and b"decided" in done.stdout,
        f"the deciding half must be importable and decide in another process{missing}: put the class into a module "
        "that scheduler and workers can import, and import what the acting half needs inside its methods. There: "
        f"{said[-1] if said else f'exit status {done.returncode}'}",
    )
