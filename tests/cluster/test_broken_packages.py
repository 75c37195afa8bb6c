"""Packages whose optimization is broken, on a cluster: one WARNING, the rest works, and no program is hurt."""

import logging

import dask
import pytest
from distributed.utils_test import gen_cluster
from helpers import RATES, moving_phase, until
from packages import MODULE, distribution, on_path

import asafess
from asafess.cluster.messages import NAME
from asafess.preload import dask_setup

#: bodies of methods, each nonsense
NONSENSE = {
    "domain": "def domain(self, rates): return 3",
    "domain raises": "def domain(self, rates): 1 / 0",
    "costs": "def costs(self, sample): return 'many'",
    "costs of a state that is none": "def costs(self, sample): return {'sideways': 1.0, 'on': 2.0}",
    "costs are no number": "def costs(self, sample): return {'off': float('nan'), 'on': None}",
    "measured": "def measured(self, sample, state, recent, since_switch): return [1]",
    "scheduler_load": "def scheduler_load(self, scheduler, groups): return {3: 'x'}",
    "counters": "def counters(self): return {'seen': object()}",
    "prepare exits": "def prepare(self, dtypes): raise SystemExit(1)",
    "enter": "def enter(self, state): raise KeyboardInterrupt",
}


@pytest.fixture
def folder(tmp_path):
    with on_path(tmp_path):
        yield tmp_path


def warnings_of_ours(caplog):
    return [
        one.getMessage() for one in caplog.records if one.name == "asafess.scheduler" and one.levelno > logging.INFO
    ]


@pytest.mark.parametrize(
    ("module", "says"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("raise SystemExit(3)", "SystemExit"),
        ("import absent_module", "absent_module"),
        (MODULE.replace('name = "mine"', 'name = "mine"\n    states = ()'), "state"),
        (MODULE.replace('name = "mine"', 'name = "mine"\n    states = 5'), "tuple of str"),
        (MODULE.replace('name = "mine"', 'name = "mine"\n    demands = {"on": 5}'), "budgets"),
    ],
)
def test_what_the_configuration_names_and_can_not_be_made_is_left_out_by_the_preload(folder, module, says, caplog):
    distribution(folder, "mine-package", "mine = mine_package:Mine", module)

    @gen_cluster(client=True, config={"asafess.optimizations": ["mine", "null"], "asafess.rates": RATES})
    async def run(c, s, a, b):
        caplog.clear()
        await dask_setup(s)
        [said] = warnings_of_ours(caplog)
        assert "leaves out the configured optimization 'mine'" in said
        assert says in said
        await asafess.wait(c)
        assert set((await asafess.status(c))["states"]) == {"null"}
        assert await moving_phase(c, s) == [1.0] * 4
        await asafess.uninstall(c)

    run()


def test_what_else_is_wrong_with_the_configuration_is_said_as_it_is():
    @gen_cluster(client=True, config={"asafess.optimizations": ["null"], "asafess.tick": "soon"})
    async def run(c, s, a, b):
        with pytest.raises(ValueError, match=r"asafess\.tick must be a time"):
            await dask_setup(s)
        right = dask.config.set({"asafess.tick": "50ms", "asafess.optimizations": "null"})
        with right, pytest.raises(ValueError, match="must be a list of names"):
            await dask_setup(s)
        assert NAME not in s.plugins

    run()


@pytest.mark.parametrize("what", NONSENSE)
def test_what_declares_nonsense_turns_everything_off_with_one_warning(folder, what, caplog):
    body = NONSENSE[what]
    name = body.split("(")[0].removeprefix("def ")
    module = MODULE.split("\ndef no_optimization")[0].replace(f"    def {name}(", f"    def first_{name}(").rstrip()
    distribution(folder, "mine-package", "mine = mine_package:Mine", f"{module}\n\n    {body}\n")

    @gen_cluster(client=True, timeout=30)
    async def run(c, s, a, b):
        caplog.clear()
        await asafess.install(
            c, ["mine", "null"], rates={"flop": 1e9, "memory": 1e9, "link": 1e8}, report_interval="10ms"
        )
        plugin = s.plugins[NAME]
        for _ in range(3):
            assert await moving_phase(c, s) == [1.0] * 4
        await until(lambda: plugin.fault)
        assert await moving_phase(c, s) == [1.0] * 4
        assert sum("has failed" in one or "turned off" in one for one in warnings_of_ours(caplog)) == 1
        assert set(s.workers) == {a.address, b.address}
        assert set((await asafess.status(c))["states"].values()) == {"off"}
        await asafess.uninstall(c)

    run()
