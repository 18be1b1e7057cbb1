"""Projections that connect boxes of channels, rows and columns: synapses that need not be listed.

In a convolution the tap by which a neuron hears another is that of their rows and that of their
columns, and a weight is that of channels and taps. So a projection of millions of synapses is two
small tables and its kernel, and neurons that are heard by the same taps are known to have equal
lists before any is made. `projections.py` makes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Floats, Integers
from snncc_loihi.connections import Box, Connections, in_order

Small = NDArray[np.int16]
Taps = NDArray[np.int64]
"""(sources, targets) of one axis: the tap by which one reaches the other, or −1."""


@dataclass(frozen=True)
class Strips:
    """Synapses in rows of equal length: `which` of the sources that were asked for, target row and
    column, lane: (N) each; weights, (N, channels), those of target channels `first` and on."""

    which: Integers
    row: Integers
    column: Integers
    lane: Integers
    first: Integers
    weights: Small


@dataclass(frozen=True, eq=False)
class Boxes:
    """rows, columns: taps. begins: the first target channel that each source channel reaches.

    weights: (source channels, row taps, column taps, target channels that it reaches); those of 0
    are no synapses. lanes: (row taps, column taps). channels: of the target. before: source numbers
    that come before those of the box, of `sources` in all.
    """

    rows: Taps
    columns: Taps
    begins: Integers
    weights: Small
    lanes: Integers
    channels: int
    before: int
    size: int

    @property
    def source(self) -> Box:
        return len(self.weights), len(self.rows), len(self.columns)

    @property
    def target(self) -> Box:
        return self.channels, self.rows.shape[1], self.columns.shape[1]

    @cached_property
    def _uses(self) -> Integers:
        """How often each tap is used, (row taps, column taps)."""
        _, rows, columns, _ = self.weights.shape
        counts = (
            np.bincount(taps[taps >= 0], minlength=size)
            for taps, size in ((self.rows, rows), (self.columns, columns))
        )
        return np.multiply.outer(*counts)

    @property
    def used(self) -> NDArray[np.bool_]:
        """Whether a synapse is of a tap, (row taps, column taps)."""
        return self._uses > 0

    def reached(self, groups: Integers, sources: int, targets: int) -> NDArray[np.bool_]:
        """Which groups of channels have a synapse by which taps: (sources, targets, row taps,
        column taps). groups: of each source channel; those of the target are `targets` even ones.
        """
        channel, row, column, each = np.nonzero(self.weights)
        found = np.zeros((sources, targets, *self.lanes.shape), np.bool_)
        to = (self.begins[channel] + each) * targets // self.channels
        found[groups[channel], to, row, column] = True
        return found

    @property
    def count(self) -> int:
        """Synapses."""
        return int((np.count_nonzero(self.weights, axis=(0, 3)) * self._uses).sum())

    @property
    def values(self) -> Small:
        """All weights that there are, 0 perhaps among them."""
        return self.weights.transpose(1, 2, 0, 3)[self.used]

    def sums(self, size: int) -> tuple[Floats, Floats]:
        """What positive and negative weights add up to, as magnitudes, of each target."""
        _, rows, columns, each = self.weights.shape
        counts = []
        for taps, size in ((self.rows, rows), (self.columns, columns)):
            used = taps.T[:, :, None] == np.arange(size)
            counts.append(used.sum(axis=1).astype(np.float64))
        found = []
        channel = (self.begins[:, None] + np.arange(each)).reshape(-1)
        for part in (np.maximum(self.weights, 0), np.maximum(-self.weights, 0)):
            by_tap = np.zeros((self.channels, rows, columns))
            np.add.at(by_tap, channel, part.transpose(0, 3, 1, 2).reshape(-1, rows, columns))
            found.append((counts[0] @ by_tap @ counts[1].T).reshape(-1))
        return found[0], found[1]

    def strips(
        self, sources: tuple[Integers, Integers, Integers], low: Box, high: Box
    ) -> Sequence[Strips]:
        """The synapses of sources, by channel, row and column, to a box of targets.

        They are in the order of sources, target rows, columns and channels.
        """
        channel, row, column = sources
        begin = np.maximum(self.begins[channel], low[0])
        end = np.minimum(self.begins[channel] + self.weights.shape[3], high[0])
        skipped = begin - self.begins[channel]
        found = []
        kinds = skipped * (self.channels + 1) + np.maximum(end - begin, 0)
        for kind in np.unique(kinds).tolist():
            skip, length = divmod(kind, self.channels + 1)
            mine = np.flatnonzero(kinds == kind)
            of, rows, row_taps = _entries(self.rows[:, low[1] : high[1]], row[mine])
            again, columns, column_taps = _entries(
                self.columns[:, low[2] : high[2]], column[mine][of]
            )
            which, row_taps = mine[of[again]], row_taps[again]
            weights = self.weights[channel[which], row_taps, column_taps, skip : skip + length]
            found.append(
                Strips(which, low[1] + rows[again], low[2] + columns,
                       self.lanes[row_taps, column_taps], begin[which], weights)
            )  # fmt: skip
        return found

    def listed(self) -> Connections:
        """Every synapse."""
        channels, rows, columns = self.source
        every = np.unravel_index(np.arange(channels * rows * columns), self.source)
        parts = []
        for strips in self.strips((every[0], every[1], every[2]), (0, 0, 0), self.target):
            length = strips.weights.shape[1]
            channel = strips.first[:, None] + np.arange(length)
            place = strips.row * self.target[2] + strips.column
            targets = channel * (self.target[1] * self.target[2]) + place[:, None]
            kept = strips.weights != 0
            each = (np.broadcast_to(part[:, None], kept.shape)[kept]
                    for part in (strips.which + self.before, strips.lane))  # fmt: skip
            parts.append((*each, targets[kept], strips.weights[kept]))
        joined = (np.concatenate(part) for part in zip(*parts, strict=True))
        sources, lanes, targets, weights = joined
        return in_order(self.size, sources, targets, lanes, weights)


def moved(found: Boxes, before: int, size: int) -> Boxes:
    """With source numbers from `before` on, of `size`."""
    return replace(found, before=before, size=size)


def _entries(taps: Taps, sources: Integers) -> tuple[Integers, Integers, Integers]:
    """Of some sources, one behind the other: whose, the target and the tap."""
    before, targets = np.nonzero(taps >= 0)
    counts = np.bincount(before, minlength=len(taps))
    starts = np.cumsum(counts) - counts
    lengths = counts[sources]
    which = np.repeat(np.arange(len(sources)), lengths)
    ends = np.cumsum(lengths)
    at = np.repeat(starts[sources] - (ends - lengths), lengths) + np.arange(len(which))
    return which, targets[at], taps[before, targets][at]
