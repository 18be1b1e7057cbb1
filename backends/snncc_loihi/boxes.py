"""Projections that connect boxes of channels, rows and columns: synapses that need not be listed.

In a convolution the tap by which a neuron hears another is that of their rows and that of their
columns, and a weight is that of channels and taps. So a projection of millions of synapses is two
small tables and its kernel, and neurons that are heard by the same taps are known to have equal
lists before any is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Floats, Integers, Type
from snncc_ir.ops import (
    Chain,
    Conv,
    Dense,
    MaxPool,
    Op,
    Scale,
    SumPool,
    View,
    Window,
    chain_type,
)  # fmt: skip
from snncc_loihi.connections import Box, Connections, box_of, in_order, pooling, projection

MOST_AXES = 3
"""Of a shape that is a box of channels, rows and columns."""
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


def connect(chain: Chain, source: Type) -> Boxes | Connections:
    """The synapses of a projection, as boxes where it is one."""
    return _boxed(chain, source) or projection(chain, source)


def connect_pool(op: MaxPool, source: Type) -> Boxes | Connections:
    """What a max pool hears: the i-th source of its window on lane i, with weight 1."""
    if len(source.shape) > MOST_AXES:
        return pooling(op, source)
    rows, columns = _window_taps(op.window, source)
    kernel = (1, *op.window.kernel)[-2:]
    channels = box_of(source.shape)[0]
    lanes = np.arange(prod(kernel)).reshape(kernel)
    weights = np.ones((channels, *kernel, 1), np.int16)
    return Boxes(rows, columns, np.arange(channels), weights, lanes, channels, 0, source.size)


def moved(found: Boxes, before: int, size: int) -> Boxes:
    """With source numbers from `before` on, of `size`."""
    return replace(found, before=before, size=size)


def _boxed(chain: Chain, source: Type) -> Boxes | None:
    """None where a projection is none of boxes, or two synapses join the same neurons."""
    *moves, last = chain
    result = chain_type(chain, source)
    if len(source.shape) > MOST_AXES or len(result.shape) > MOST_AXES:
        return None
    channels, rows, columns = box_of(source.shape)
    channel, taps = np.arange(channels), (_same(rows), _same(columns))
    inside = source
    for op in moves:
        if isinstance(op, View) and op.is_reshape(inside) and isinstance(last, Dense):
            continue
        after = chain_type((op,), inside)
        if max(len(inside.shape), len(after.shape)) > MOST_AXES:
            return None
        step = _moved(op, inside, after)
        joined = step and _joined(taps, step[1:])
        if not step or not joined:
            return None
        channel = np.where(channel >= 0, step[0][channel], -1)
        taps = np.minimum(joined[0], 0), np.minimum(joined[1], 0)
        inside = after
    found = _of_last(last, inside)
    both = found and _joined(taps, found.taps)
    if not found or not both:
        return None
    outputs = box_of(result.shape)[0]
    if box_of(result.shape) != (outputs, both[0].shape[1], both[1].shape[1]):
        return None
    # a channel that leads nowhere has weights of 0
    weights = (found.weights[channel] * (channel >= 0)[:, None, None, None]).astype(np.int16)
    lanes = np.zeros(weights.shape[1:3], np.int64)
    begins = found.begins[channel]
    return Boxes(both[0], both[1], begins, weights, lanes, outputs, 0, source.size)


def _moved(op: Op, given: Type, after: Type) -> tuple[Integers, Taps, Taps] | None:
    """Where each channel goes, −1 for nowhere, and taps of rows and columns."""
    if isinstance(op, SumPool):
        return np.arange(box_of(given.shape)[0]), *_window_taps(op.window, given)
    if not isinstance(op, View):
        return None
    sizes = box_of(given.shape)
    index = op.index.integers.reshape(box_of(after.shape))
    places = np.where(index < 0, -1, np.unravel_index(np.maximum(index, 0), sizes))
    axes = [places[i].max(axis=tuple({0, 1, 2} - {i})) for i in range(3)]
    every = np.stack(np.meshgrid(*axes, indexing="ij"))
    if not np.array_equal(places, np.where((every < 0).any(axis=0), -1, every)):
        return None
    reached = [axis == np.arange(size)[:, None] for axis, size in zip(axes, sizes, strict=True)]
    if (reached[0].sum(axis=1) > 1).any():
        return None
    channel = np.where(reached[0].any(axis=1), reached[0].argmax(axis=1), -1)
    return channel, np.where(reached[1], 0, -1), np.where(reached[2], 0, -1)


@dataclass(frozen=True, eq=False)
class _Last:
    """Of the op that has the weights: taps of rows and columns, and as in Boxes."""

    taps: tuple[Taps, Taps]
    begins: Integers
    weights: Integers


def _of_last(last: Op, given: Type) -> _Last | None:
    channels, rows, columns = box_of(given.shape)
    match last:
        case Conv():
            weight = last.weight.integers
            outputs, inputs, *sizes = weight.shape
            kernel = (1, *sizes)[-2:]
            each = outputs // last.groups
            grouped = weight.reshape(last.groups, each, inputs, *kernel)
            ordered = grouped.transpose(0, 2, 3, 4, 1).reshape(channels, *kernel, each)
            begins = np.repeat(np.arange(last.groups) * each, inputs)
            return _Last(_window_taps(last.window, given), begins, ordered)
        case Dense():
            weight = last.weight.integers
            ordered = weight.T.reshape(channels, rows, columns, len(weight))
            taps = np.arange(rows)[:, None], np.arange(columns)[:, None]
            return _Last(taps, np.zeros(channels, np.int64), ordered)
        case Scale():
            weight = np.broadcast_to(last.weight.integers, given.shape)
            weight = weight.reshape(channels, rows, columns, 1)
            if (weight != weight[:, :1, :1]).any():
                return None
            return _Last((_same(rows), _same(columns)), np.arange(channels), weight[:, :1, :1])
    return None


def _same(size: int) -> Taps:
    """Each reaches its own."""
    return np.where(np.eye(size, dtype=np.bool_), 0, -1)


def _window_taps(window: Window, given: Type) -> tuple[Taps, Taps]:
    """Of rows and columns."""
    sizes = box_of(given.shape)[1:]
    targets = window.output_sizes(given.shape[1:])
    found = [_same(1)] * (2 - window.rank)
    for axis, (size, count) in enumerate(zip(sizes[-window.rank :], targets, strict=True)):
        taps = np.full((size, count), -1)
        for tap in range(window.kernel[axis]):
            source = np.arange(count) * window.stride[axis] - window.pads[axis]
            source += tap * window.dilation[axis]
            seen = (source >= 0) & (source < size)
            taps[source[seen], np.flatnonzero(seen)] = tap
        found.append(taps)
    return found[0], found[1]


def _joined(first: tuple[Taps, Taps], second: tuple[Taps, Taps]) -> tuple[Taps, Taps] | None:
    """The taps of the second behind the first, of which only one is; None where two ways lead from
    a source to a target."""
    found = []
    for before, behind in zip(first, second, strict=True):
        reached = (before >= 0).astype(np.int64)
        if (reached @ (behind >= 0) > 1).any():
            return None
        found.append(reached @ (behind + 1) - 1)
    return found[0], found[1]


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
