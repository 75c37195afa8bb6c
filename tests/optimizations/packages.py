"""Tiny distributions, as `pip install` leaves them: a module and a folder of metadata beside it."""

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


def distribution(folder, name, entry_points, module=MODULE, version="1.2"):
    """Put a distribution on the path `folder`; return the name of its module, as entry points have it."""
    code = name.replace("-", "_")
    if module is not None:
        (folder / f"{code}.py").write_text(module)
    metadata = folder / f"{code}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (metadata / "entry_points.txt").write_text(f"[asafess.optimizations]\n{entry_points}\n")
    return code
