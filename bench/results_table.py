"""The tables of README and docs, from the measurements in ``bench/results``.

``python -m bench.results_table`` prints them; each file there says how it was made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .harness import Result
from .join import by_program, fixed_arms
from .scores import Estimate, estimate, half_width, paired_ratios
from .toggles.case import ADAPTIVE
from .toggles.summary import BEST_OF_EACH
from .toggles.summary import of_set as summed

RESULTS = Path(__file__).parent / "results"
ARMS = ("dense", "sparse", "light", "full")
#: heading → reference in the summary of `bench.spmv`
REFERENCES = {"dense": "dense", "sparse (CSR)": "sparse", "oracle": "oracle", "best stock Dask": "best_peer"}

#: as `bench.policies` names them, the best last
POLICIES = ("always_off", "always_on", "alpha_beta", "work_function")


def row(document: Mapping[str, Any]) -> str:
    """Return a line of the demo's table: where, and each arm's seconds ÷ adaptive's, with its interval."""
    where, job, rows = document["environment"], document["environment"]["job"], document["rows"]
    links = "loopback" if where["links"]["rate"] is None else where["links"]["rate"].replace("gbit", " Gbit/s")
    again = half_width(estimate(paired_ratios(rows, "adaptive again", "adaptive")))
    cells = [f"{links}, {where['cores']} cores", str(job["scale"])]
    cells += [_cell(estimate(paired_ratios(rows, arm, "adaptive"))) for arm in ARMS]
    return _line(*cells, f"± {100 * again:.1f} %")


def _cell(ratio: Estimate) -> str:
    return f"{ratio.median:.2f} ({ratio.low:.2f}–{ratio.high:.2f})"


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _head(*cells: str) -> list[str]:
    return [_line(*cells), "|" + "---|" * len(cells)]


def table(folder: Path = RESULTS) -> str:
    """Return the demo's table in Markdown, slow links first."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("demo-*.json"))]
    return "\n".join([*_head("links", "scale", *ARMS, "A against A"), *map(row, documents)])


def products(path: Path = RESULTS / "kernels.json") -> str:
    """Return the table of products: fastest peer's seconds ÷ ours, by scale and share of dense tiles."""
    summary = json.loads(path.read_text(encoding="utf-8"))["summary"]
    ratios, best, private = (summary[n] for n in ("ratio_vs_best_peer", "best_peer", "ratio_vs_mkl_optimized"))
    shares = list(next(iter(ratios.values())))
    lines = _head("scale", *(f"{share} %" for share in shares))
    for scale, by in ratios.items():
        cells = [f"{by[share]:.2f} {best[scale][share]} ({private[scale][share]:.2f})" for share in shares]
        lines.append(_line(scale, *cells))
    return "\n".join(lines)


def paper(path: Path = RESULTS / "spmv.json") -> str:
    """Return the table around the paper's: configurations where stock Dask ran too, and the resident one."""
    summary = json.loads(path.read_text(encoding="utf-8"))["summary"]
    shown = [key for key in summary["a_against_a"] if key in summary["best_peer"] or key.startswith("resident")]
    lines = _head("configuration", *REFERENCES, "A against A")
    for key in shown:
        cells = [_both(summary, key, name) for name in REFERENCES.values()]
        lines.append(_line(f"`{key}`", *cells, f"± {100 * summary['a_against_a'][key]:.1f} %"))
    return "\n".join(lines)


def _both(summary: Mapping[str, Any], key: str, reference: str) -> str:
    """Return both readings of a speed-up: the ratio of times, and the share of time saved."""
    ratio = summary[f"speedup_vs_{reference}"].get(key)
    saved = summary[f"time_saved_vs_{reference}"].get(key)
    return "" if ratio is None else f"{ratio:.2f} × ({100 * saved:+.0f} %)"


def policies(path: Path = RESULTS / "policies.json") -> str:
    """Return the table of policies beside the exact optimum."""
    summary = json.loads(path.read_text(encoding="utf-8"))["summary"]
    lines = _head("policy", "worst", "median, phases ≥ 20 ticks", "median, shorter", "median, a tick late")
    for policy in POLICIES:
        names = ("worst_ratio", "median_ratio", "median_ratio_short", "median_ratio_late")
        lines.append(_line(policy, *(f"{summary[policy][name]:.3f}" for name in names)))
    return "\n".join(lines)


def predictions(path: Path = RESULTS / "record.json") -> str:
    """Return what traces of adaptive runs predict for fixed states, beside what was measured."""
    lines = _head("links", "program", "state", "predicted s", "measured s", "error", "A against A")
    for one in json.loads(path.read_text(encoding="utf-8"))["summary"]["checks"]:
        if one["trace of"] == "adaptive":
            seconds = (f"{one[name]:.2f}" for name in ("predicted", "measured"))
            shares = f"{100 * one['error']:+.1f} %", f"± {100 * one['A against A']:.1f} %"
            lines.append(_line(one["link"], one["program"], one["state"], *seconds, *shares))
    return "\n".join(lines)


def steady(path: Path = RESULTS / "flapping.json") -> str:
    """Return the switches of each optimization while nothing changes."""
    document = json.loads(path.read_text(encoding="utf-8"))
    lines = _head("links", "optimization", "policy", "60 s of a steady program", "5 min of replayed samples")
    for one in document["rows"]:
        lines.append(
            _line(*(str(one[n]) for n in ("link", "optimization", "policy", "steady_switches", "replayed_switches")))
        )
    return "\n".join(lines)


def measured(folder: Path = RESULTS) -> list[str]:
    """Return the names of the cases of `bench.optimizations` that were measured on two cores."""
    names = (path.stem.removeprefix("optimizations-") for path in sorted(folder.glob("optimizations-*.json")))
    return [name for name in names if not name.endswith("cores")]


def toggles(name: str, folder: Path = RESULTS) -> str:
    """Return the table of a case of `bench.optimizations`: seconds by arm, and adaptive beside the best fixed one.

    The *bound* is the most that switching between the fixed states can gain (`bench.toggles.summary.bound`). A case
    that is one program has a line for each arm. `name` is what the file is called behind ``optimizations-``.
    """
    (summary,) = json.loads((folder / f"optimizations-{name}.json").read_text(encoding="utf-8"))["summary"].values()
    if "seconds" in summary:
        lines = _head("arm", "seconds")
        return "\n".join([*lines, *(_line(_arm(arm), f"{taken:.2f}") for arm, taken in summary["seconds"].items())])
    programs = {key: one for key, one in summary.items() if isinstance(one, dict) and "seconds" in one}
    arms = list(next(iter(programs.values()))["seconds"])
    mixed = any("bound" in one for one in programs.values())
    bound = ["bound"] if mixed else []
    lines = _head("program", *map(_arm, arms), "best fixed ÷ adaptive", *bound, "A against A")
    for key, one in programs.items():
        seconds = [f"{one['seconds'][arm]:.2f}" for arm in arms]
        over = one["adaptive_over_best_fixed"]
        gained = {"median": 1 / over["median"], "low": 1 / over["high"], "high": 1 / over["low"]}
        most = [f"{one['bound']:.2f}" if "bound" in one else ""] if mixed else []
        lines.append(_line(key, *seconds, _interval(gained), *most, f"± {100 * one['against_itself']:.1f} %"))
    return "\n".join(lines)


def of_sets(name: str, folder: Path = RESULTS) -> str:
    """Return the table of the programs of a case as a set, all and by link: each fixed arm ÷ adaptive.

    By geometric mean each program counts the same, as is usual where they have units of their own (Fleming & Wallace,
    CACM 29, 1986); by sum one that takes long counts more.
    """
    document = json.loads((folder / f"optimizations-{name}.json").read_text(encoding="utf-8"))
    (summary,) = document["summary"].values()
    fixed = fixed_arms(summary["set"])
    results: dict[str, dict[str, Result]] = {}
    for program, result in by_program(document["rows"], document["environment"]["rounds"]).items():
        results.setdefault("all", {})[program] = results.setdefault(program.split(" ")[0], {})[program] = result
    shown = [*fixed, BEST_OF_EACH]
    lines = _head("÷ adaptive's", "", *map(_arm, shown), "A against A")
    if len(results) == 2:
        del results["all"]  # there is one link
    for link, some in results.items():
        found = summed(some, fixed)
        for how, noise in found["against_itself"].items():
            ratios = (_interval(found[arm][f"over_adaptive_{how}"].as_dict()) for arm in shown)
            lines.append(_line(link, how.replace("_", " "), *ratios, f"± {100 * noise:.1f} %"))
    return "\n".join(lines)


def quickest(name: str, folder: Path = RESULTS) -> str:
    """Return the seconds of each arm's quickest run: where the machine can only add to them, the least disturbed."""
    document = json.loads((folder / f"optimizations-{name}.json").read_text(encoding="utf-8"))
    found: dict[str, dict[str, float]] = {}
    for one in document["rows"]:
        if one["ok"] and not one["warmup"]:
            taken = found.setdefault(one["program"], {})
            taken[one["arm"]] = min(one["seconds"], taken.get(one["arm"], one["seconds"]))
    (summary,) = document["summary"].values()
    arms = list(next(one for one in summary.values() if "seconds" in one)["seconds"])
    again = f"{ADAPTIVE} again"
    lines = [
        _line(key, *(f"{taken[arm]:.2f}" if arm in taken else "failed" for arm in [*arms, again]))
        for key, taken in found.items()
    ]
    return "\n".join([*_head("quickest run", *map(_arm, arms), again), *lines])


def _arm(name: str) -> str:
    """Return the states of an arm without the names of their optimizations."""
    return " ".join(part.rpartition("=")[2] for part in name.split(" "))


def _interval(one: Mapping[str, float]) -> str:
    return f"{one['median']:.3f} ({one['low']:.3f}–{one['high']:.3f})"


if __name__ == "__main__":
    print("\n\n".join([table(), paper(), products(), policies(), predictions(), steady(), *map(toggles, measured())]))
    sets = [f"wire_compression{more}" for more in ("", "-longer", "-loopback", "-16cores")]
    print("\n\n".join(["", toggles(sets[-1]), *map(of_sets, sets), quickest(sets[2])]))
