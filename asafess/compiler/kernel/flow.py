"""Which blocks of a kernel form which loops, and which only raise."""

from __future__ import annotations

from typing import Any

from numba.core import ir
from numba.core.analysis import compute_cfg_from_blocks

_RAISES = tuple(
    getattr(ir, name)
    for name in ("Raise", "StaticRaise", "TryRaise", "StaticTryRaise", "DynamicRaise", "DynamicTryRaise")
)


class Flow:
    """The loops of a kernel; blocks that can only raise are left out, for a kernel that raises costs nothing more.

    Parameters
    ----------
    blocks : dict
        Label → Numba IR block.
    """

    def __init__(self, blocks: dict[int, Any]) -> None:
        self.blocks = blocks
        self.graph = compute_cfg_from_blocks(blocks)
        self.raising = self._raising()
        self.loops = self.graph.loops()
        #: label → headers of the loops around it, outermost first
        self.around: dict[int, tuple[int, ...]] = {}
        for label in blocks:
            headers = [header for header, loop in self.loops.items() if label in loop.body]
            self.around[label] = tuple(sorted(headers, key=lambda header: -len(self.loops[header].body)))

    def _raising(self) -> set[int]:
        dead = {label for label, block in self.blocks.items() if isinstance(block.terminator, _RAISES)}
        while True:
            more = {
                label
                for label in self.blocks
                if label not in dead
                and (after := [to for to, _ in self.graph.successors(label)])
                and all(to in dead for to in after)
            }
            if not more:
                return dead
            dead |= more

    def after(self, label: int) -> list[int]:
        """Return the successors of a block that don't only raise."""
        return [to for to, _ in self.graph.successors(label) if to not in self.raising]

    def before(self, label: int) -> list[int]:
        """Return the predecessors of a block."""
        return [label for label, _ in self.graph.predecessors(label)]

    def exits(self, header: int) -> list[tuple[int, int]]:
        """Return the edges (from, to) that leave a loop."""
        body = self.loops[header].body
        return [(label, to) for label in sorted(body) for to in self.after(label) if to not in body]

    def latches(self, header: int) -> list[int]:
        """Return the blocks of a loop that go back to its header."""
        return [label for label in self.before(header) if label in self.loops[header].body]

    def region(self, header: int | None) -> list[int]:
        """Return blocks and headers of inner loops of a loop's body (None: the function), in order."""
        inside = set(self.blocks) if header is None else self.loops[header].body
        done: dict[int, None] = {}

        def visit(label: int) -> None:
            body = self.loops[label].body if label in self.loops and label != header else {label}
            for member in sorted(body):
                for to in self.after(member):
                    if to in inside and to not in body and to != header and (node := self.node(to, header)) not in done:
                        visit(node)
            done[label] = None

        visit(self.node(self.graph.entry_point(), None) if header is None else header)
        return list(reversed(done))

    def node(self, label: int, header: int | None) -> int:
        """Return the node of a loop's region that a block is in: itself, or the header of an inner loop."""
        depth = 0 if header is None else len(self.around[header])
        around = self.around[label]
        return around[depth] if len(around) > depth else label

    def dominates(self, first: int, second: int) -> bool:
        """Say whether each way to `second` leads through `first`."""
        return first in self.graph.dominators()[second]
