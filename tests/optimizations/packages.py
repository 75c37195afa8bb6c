"""Tiny distributions, as `pip install` leaves them: a module and a folder of metadata beside it."""

import sys
from contextlib import contextmanager
from importlib import invalidate_caches

MODULE = '''
"""An optimization of another package."""

import os

from asafess import Domain, Optimization, band


class Mine(Optimization):
    """Sets a variable of the environment."""

    name = "mine"

    def __init__(self, alpha=0.5):
        self.alpha = alpha

    def domain(self, rates):
        return Domain(self.states, [band(self.alpha, 10 * self.alpha)])

    def enter(self, state):
        os.environ["MINE"] = state

    def leave(self):
        os.environ.pop("MINE", None)


def no_optimization():
    return 3


def other_name():
    made = Mine()
    made.name = "other"
    return made


an_object = Mine()
'''


@contextmanager
def on_path(folder):
    """Let this process import from a folder; what it has imported from there is forgotten at the end."""
    sys.path.insert(0, str(folder))
    try:
        yield folder
    finally:
        sys.path.remove(str(folder))
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(str(folder)):
                del sys.modules[name]


def distribution(folder, name, entry_points, module=MODULE, version="1.2"):
    """Put a distribution on the path `folder`; return the name of its module, as entry points have it."""
    code = name.replace("-", "_")
    if module is not None:
        (folder / f"{code}.py").write_text(module)
    metadata = folder / f"{code}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (metadata / "entry_points.txt").write_text(f"[asafess.optimizations]\n{entry_points}\n")
    invalidate_caches()  # Python has looked into the folder already
    return code
