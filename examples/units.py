"""A small numerical library for a machine with two units, which can be powered down; see ``fixed_point.py``.

Each function does its work with its unit while that is powered, and else in software with plain integers. The results
are the same to the bit: numbers are multiples of 1/256, so that products fit into a float64 without rounding.
"""

import time

import numpy as np

ONE = 256  # the number 1: eight bits behind the point


class Unit:
    """A unit of this process: whether it is powered, the calls it did or missed, and for how long it was off."""

    def __init__(self):
        self.powered = False
        self.done = self.in_software = 0
        self._off, self._since = 0.0, time.monotonic()

    def power(self, on):
        """Power it up or down."""
        self._off, self._since, self.powered = self.seconds_off(), time.monotonic(), on

    def seconds_off(self):
        """Return for how long it was off."""
        return self._off + (0.0 if self.powered else time.monotonic() - self._since)

    def called(self):
        """Count a call; say whether the unit does it."""
        if self.powered:
            self.done += 1
        else:
            self.in_software += 1
        return self.powered


#: the units of this process by name
UNITS = {"float_unit": Unit(), "bit_unit": Unit()}


def relax(heights, steps):
    """Let each height move towards its neighbours, so many times. One multiplication for each height and step.

    Parameters
    ----------
    heights : ndarray of int32
        In 1/256, from -2¹⁵ to 2¹⁵.
    steps : int
    """
    form = relax_float if UNITS["float_unit"].called() else relax_fixed
    return form(heights, steps)


FACTOR = 60  # of 256 parts of the way


def relax_float(heights, steps):
    """Relax in floating point."""
    heights = heights / ONE
    for _ in range(steps):
        pull = heights[:-2] - 2 * heights[1:-1] + heights[2:]
        heights[1:-1] += np.floor(pull * FACTOR) / ONE
    return (heights * ONE).astype(np.int32)


def relax_fixed(heights, steps):
    """Relax in fixed point: each product in two halves, as with a multiplier of few bits."""
    heights = heights.copy()
    for _ in range(steps):
        pull = heights[:-2] - 2 * heights[1:-1] + heights[2:]
        heights[1:-1] += (pull >> 8) * FACTOR + (((pull & 255) * FACTOR) >> 8)
    return heights


def count_bits(words):
    """Return how many bits are set in an array of uint64."""
    form = count_by_unit if UNITS["bit_unit"].called() else count_in_software
    return form(words)


def count_by_unit(words):
    """Count with the processor's instruction."""
    return int(np.bitwise_count(words).sum())


def count_in_software(words):
    """Count in pairs of bits, then in fours, then in eights."""
    pairs = words - ((words >> 1) & 0x5555555555555555)
    fours = (pairs & 0x3333333333333333) + ((pairs >> 2) & 0x3333333333333333)
    eights = (fours + (fours >> 4)) & 0x0F0F0F0F0F0F0F0F
    return int(((eights * 0x0101010101010101) >> 56).sum())
