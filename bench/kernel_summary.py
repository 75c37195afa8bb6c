"""What the rows of `kernels` say: ratios by matrix and by panel, bars, tables. Pure, from rows alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .kernel_compression import READ, RECODE, WHOLE
from .kernel_product import ONE_THREAD, OURS, READS
from .peers import PEERS
from .report import aligned
from .scores import AGAIN, Estimate, Row, arm_names, estimate, half_width, held, paired, paired_ratios, valid, values

METRIC = "call_seconds"
#: product ÷ fastest peer, with and without dense tiles
BAR_DENSE, BAR_SPARSE = 1.15, 0.95
#: share of the machine's read bandwidth, from this share of dense tiles on, in per cent
BAR_BANDWIDTH, BANDWIDTH_FROM = 0.8, 10
#: recoding ÷ reading: candidates, with NS_PER_NONZERO apart, and tiles passed over
BAR_CANDIDATE, NS_PER_NONZERO, BAR_PASSED = 1.2, 20, 0.5

#: what says to which matrix or panel a row belongs
TAGS = ("scale", "percent", "columns", "threads", "form", "dtype", "tile", "density")

#: how the name of an interval ends
END = "_interval"

Table = dict[str, Any]


def _ratio(rows: Sequence[Row], arm: str, reference: str) -> Estimate:
    return estimate(paired_ratios(rows, arm, reference, METRIC))


def _median(rows: Sequence[Row], arm: str) -> float:
    return estimate(values(rows, arm, METRIC)).median


def _put(table: Table, keys: Iterable[object], value: object) -> None:
    *path, last = (f"{key:g}" if isinstance(key, float | int) else str(key) for key in keys)
    for key in path:
        table = table.setdefault(key, {})
    table[last] = value


def _groups(rows: Iterable[Row], *keys: str) -> list[tuple[tuple[Any, ...], list[Row]]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    return list(found.items())


def _figure(rows: Sequence[Row], arm: str, name: str) -> Any:
    return next((r[name] for r in rows if r["arm"] == arm and name in r), None)


def peers_of(rows: Sequence[Row]) -> list[str]:
    """Return the peers among the arms that have a number."""
    own = {OURS, OURS + AGAIN, ONE_THREAD, *READS}
    return [name for name in arm_names(rows) if name not in own and valid(rows, name, METRIC)]


def bandwidth(rows: Sequence[Row]) -> tuple[Estimate, float, float]:
    """Return ours ÷ the machine's bytes per second, paired per round, and both in bytes per second."""
    read = min(READS, key=lambda name: _median(rows, name))
    ours, theirs = _figure(rows, OURS, "read_bytes"), _figure(rows, read, "read_bytes")
    ratios = [r * ours / theirs for r in paired_ratios(rows, read, OURS, METRIC)]
    return estimate(ratios), ours / _median(rows, OURS), theirs / _median(rows, read)


def product_summary(rows: Sequence[Row]) -> Table:
    """Return the keys of ``summary`` about products: each by scale and share in per cent."""
    summary: Table = {}

    def put(name: str, keys: tuple[object, ...], found: Estimate) -> None:
        _put(summary, (name, *keys), found.median)
        _put(summary, (name + END, *keys), [found.low, found.high])

    for (scale, percent, columns), group in _groups(rows, "scale", "percent", "columns"):
        keys, suffix = (scale, percent), "" if columns is None else "_block"
        peers = peers_of(group)
        for name in arm_names(group):
            if not name.endswith(AGAIN) and name not in READS:
                _put(summary, ("microseconds" + suffix, *keys, name), 1e6 * _median(group, name))
        again = half_width(_ratio(group, OURS + AGAIN, OURS))
        _put(summary, ("a_against_a_half_width" + suffix, *keys), again)
        for name in (name for name in peers if name in PEERS and PEERS[name].private):
            put(f"ratio_vs_{name.replace('-', '_')}" + suffix, keys, _ratio(group, name, OURS))
        if public := [name for name in peers if name not in PEERS or not PEERS[name].private]:
            best = min(public, key=lambda name: _median(group, name))
            ratio, bar = _ratio(group, best, OURS), BAR_DENSE if percent else BAR_SPARSE
            put("ratio_vs_best_peer" + suffix, keys, ratio)
            _put(summary, ("best_peer" + suffix, *keys), best)
            _put(summary, ("at_least_bar" + suffix, *keys), held(ratio, bar, again, "at least"))
        if "numpy" in peers:
            put("ratio_vs_dense" + suffix, keys, _ratio(group, "numpy", OURS))
        if ONE_THREAD in arm_names(group):
            put("ratio_vs_one_thread" + suffix, keys, _ratio(group, ONE_THREAD, OURS))
        if (same := _figure(group, OURS, "same_bits")) is not None:
            _put(summary, ("same_bits" + suffix, *keys), same)
        if columns is None:
            share, ours, machine = bandwidth(group)
            put("bandwidth_fraction", keys, share)
            _put(summary, ("gigabytes_per_second", *keys), ours / 1e9)
            _put(summary, ("machine_gigabytes_per_second", *keys), machine / 1e9)
            if percent >= BANDWIDTH_FROM:
                _put(summary, ("bandwidth_at_least_bar", *keys), held(share, BAR_BANDWIDTH, again, "at least"))
    return summary


def compression_summary(rows: Sequence[Row]) -> Table:
    """Return the keys of ``summary`` about compression: by data type, tile and density; by form if passed over."""
    summary: Table = {}
    for (fate, form, dtype, tile, density), group in _groups(rows, "fate", "form", "dtype", "tile", "density"):
        ratio, whole = _ratio(group, RECODE, READ), _ratio(group, RECODE, WHOLE)
        again = half_width(_ratio(group, READ + AGAIN, READ))
        keys: tuple[object, ...] = (dtype, tile, density)
        if fate == "candidates":
            spent = 1e-9 * NS_PER_NONZERO * _figure(group, RECODE, "nnz")
            pairs = paired(group, RECODE, READ, METRIC)
            over = estimate([(recode - spent) / (BAR_CANDIDATE * read) for recode, read in pairs])
            _put(summary, ("compress_over_read", *keys), ratio.median)
            _put(summary, ("compress_over_read_interval", *keys), [ratio.low, ratio.high])
            _put(summary, ("compress_over_one_sum", *keys), whole.median)
            _put(summary, ("over_bar", *keys), over.median)
            _put(summary, ("over_bar_interval", *keys), [over.low, over.high])
            _put(summary, ("over_bar_at_most_1", *keys), held(over, 1.0, again, "at most"))
        else:
            _put(summary, ("passed_over", form, *keys), ratio.median)
            _put(summary, ("passed_over_interval", form, *keys), [ratio.low, ratio.high])
            _put(summary, ("passed_over_at_most_half", form, *keys), held(ratio, BAR_PASSED, again, "at most"))
    return summary


def _shown(thing: Any, digits: int = 2) -> str:
    if isinstance(thing, str):
        return thing
    if isinstance(thing, list):
        return " to ".join(_shown(end, digits) for end in thing)
    return f"{thing:.{digits}f}" if thing is not None and math.isfinite(thing) else "–"


def product_tables(summary: Mapping[str, Any], suffix: str = "") -> str:
    """Return a line for each matrix, twice: microseconds of every arm; ratios, bandwidth, and whether bars held."""
    times = summary["microseconds" + suffix]
    arms = list(dict.fromkeys(arm for by in times.values() for one in by.values() for arm in one))
    heads = {
        "best_peer": "best peer",
        "ratio_vs_best_peer": "÷ ours",
        "ratio_vs_best_peer_interval": "interval",
        "at_least_bar": "bar",
        "a_against_a_half_width": "A against A ±",
        "ratio_vs_dense": "numpy ÷ ours",
        "ratio_vs_mkl_optimized": "mkl-optimized ÷ ours",
        "ratio_vs_one_thread": "1 thread ÷ ours",
        "gigabytes_per_second": "GB/s",
        "machine_gigabytes_per_second": "of machine's",
        "bandwidth_fraction": "fraction",
        "bandwidth_at_least_bar": "bar",
    }
    # the suffix of blocks stands before that of intervals
    keys = {
        f"{name.removesuffix(END)}{suffix}{END if name.endswith(END) else ''}": head for name, head in heads.items()
    }
    columns = [(head, summary[key]) for key, head in keys.items() if key in summary]
    first = [["scale, % dense: µs", *arms]]
    second = [["scale, % dense", *(head for head, _ in columns)]]
    for scale, by in times.items():
        for percent, one in by.items():
            first.append([f"{scale}, {percent}", *(_shown(one.get(arm), 1) for arm in arms)])
            cells = [_shown(found.get(scale, {}).get(percent)) for _, found in columns]
            second.append([f"{scale}, {percent}", *cells])
    return aligned(first) + "\n\n" + aligned(second)


def _by_density(title: str, by_dtype: Mapping[str, Any], verdicts: Mapping[str, Any]) -> str:
    densities = list(dict.fromkeys(d for tiles in by_dtype.values() for by in tiles.values() for d in by))
    lines = [[title, *densities]]
    for dtype, tiles in by_dtype.items():
        for tile, by in tiles.items():
            cells = [f"{_shown(by[d])} {verdicts[dtype][tile][d]}" for d in densities]
            lines.append([f"{dtype}, tile {tile}", *cells])
    return aligned(lines)


def compression_tables(summary: Mapping[str, Any]) -> str:
    """Return the tables of both questions, by density."""
    verdict = "over_bar_at_most_1"
    tables = [
        _by_density("recode ÷ np.sum", summary["compress_over_read"], summary[verdict]),
        _by_density("(recode − 20 ns per non-zero) ÷ 1.2 np.sum", summary["over_bar"], summary[verdict]),
    ]
    for form, found in summary.get("passed_over", {}).items():
        tables.append(_by_density(f"passed over, {form}: ÷ np.sum", found, summary["passed_over_at_most_half"][form]))
    return "\n\n".join(tables)


def counted(summary: Mapping[str, Any], name: str) -> str:
    """Return how often a bar was held, not held, not decided."""
    found: dict[str, int] = {}

    def walk(thing: Any) -> None:
        if isinstance(thing, str):
            found[thing] = found.get(thing, 0) + 1
        else:
            for inner in thing.values():
                walk(inner)

    walk(summary.get(name, {}))
    return f"{name}: " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(found.items()))


def failed(rows: Iterable[Row]) -> list[str]:
    """Return a line for each arm and error, with the number of its failed runs."""
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        if not row["ok"]:
            which = [f"{name} {row[name]}" for name in TAGS if row.get(name) is not None]
            key = ", ".join([row["arm"].removesuffix(AGAIN), *which]), str(row["error"]).splitlines()[0]
            found[key] = found.get(key, 0) + 1
    return [f"failed {count} times: {which}: {error}" for (which, error), count in found.items()]


def print_all(rows: Sequence[Row], summary: Mapping[str, Any], say: Callable[[str], object]) -> None:
    """Say everything that a reader needs: tables, bars, failures."""
    parts = []
    if "microseconds" in summary:
        parts.append(product_tables(summary))
    if "microseconds_block" in summary:
        parts.append("With a block of vectors:\n" + product_tables(summary, "_block"))
    if "compress_over_read" in summary:
        parts.append(compression_tables(summary))
    bars = [name for name in summary if "_at_least_" in name or "_at_most_" in name or name.startswith("at_least")]
    parts.append("\n".join(counted(summary, name) for name in bars))
    parts.append("\n".join(failed(rows)))
    say("\n\n".join(filter(None, parts)))
