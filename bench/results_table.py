"""The README's table of gains and losses, from the measurements in ``bench/results``.

``python -m bench.results_table`` prints it; each file there says how it was made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .scores import Estimate, estimate, half_width, paired_ratios

RESULTS = Path(__file__).parent / "results"
ARMS = ("dense", "sparse", "light", "full")


def row(document: Mapping[str, Any]) -> str:
    """Return a line of the table: where, and each arm's seconds ÷ adaptive's, with its interval."""
    where, job, rows = document["environment"], document["environment"]["job"], document["rows"]
    links = "loopback" if where["links"]["rate"] is None else where["links"]["rate"].replace("gbit", " Gbit/s")
    again = half_width(estimate(paired_ratios(rows, "adaptive again", "adaptive")))
    cells = [f"{links}, {where['cores']} cores", str(job["scale"])]
    cells += [_cell(estimate(paired_ratios(rows, arm, "adaptive"))) for arm in ARMS]
    return "| " + " | ".join([*cells, f"± {100 * again:.1f} %"]) + " |"


def _cell(ratio: Estimate) -> str:
    return f"{ratio.median:.2f} ({ratio.low:.2f}–{ratio.high:.2f})"


def table(folder: Path = RESULTS) -> str:
    """Return the table in Markdown, slow links first."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("demo-*.json"))]
    head = "| links | scale | dense | sparse | light | full | A against A |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *map(row, documents)])


if __name__ == "__main__":
    print(table())
