"""The synapses of a map of the normal form: as boxes where it is one, else listed."""

from dataclasses import dataclass
from math import prod

import numpy as np

from snncc_ir import Integers, Type
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
from snncc_loihi.boxes import Boxes, Taps
from snncc_loihi.connections import Connections, box_of, pooling, projection

MOST_AXES = 3
"""Of a shape that is a box of channels, rows and columns."""
LONGEST = 1024
"""Rows or columns of a box, so that tables of taps stay small; longer signals are listed."""


def connect(chain: Chain, source: Type) -> Boxes | Connections:
    """The synapses of a projection, as boxes where it is one."""
    return _boxed(chain, source) or projection(chain, source)


def connect_pool(op: MaxPool, source: Type) -> Boxes | Connections:
    """What a max pool hears: the i-th source of its window on lane i, with weight 1."""
    if not _is_box(source):
        return pooling(op, source)
    rows, columns = _window_taps(op.window, source)
    kernel = (1, *op.window.kernel)[-2:]
    channels = box_of(source.shape)[0]
    lanes = np.arange(prod(kernel)).reshape(kernel)
    weights = np.ones((channels, *kernel, 1), np.int16)
    return Boxes(rows, columns, np.arange(channels), weights, lanes, channels, 0, source.size)


def _is_box(kind: Type) -> bool:
    return len(kind.shape) <= MOST_AXES and max(box_of(kind.shape)[1:]) <= LONGEST


def _boxed(chain: Chain, source: Type) -> Boxes | None:
    """None where a projection is none of boxes, or two synapses join the same neurons."""
    *moves, last = chain
    result = chain_type(chain, source)
    if not _is_box(source) or not _is_box(result):
        return None
    channels, rows, columns = box_of(source.shape)
    channel, taps = np.arange(channels), (_same(rows), _same(columns))
    inside = source
    for op in _before_flattening(moves, last, source):
        after = chain_type((op,), inside)
        if not _is_box(inside) or not _is_box(after):
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


def _before_flattening(moves: list[Op], last: Op, source: Type) -> list[Op]:
    """The moves without reshapes right before a dense layer, which takes its source in order."""
    before = source
    needed = 0
    for number, op in enumerate(moves, 1):
        flattens = isinstance(last, Dense) and isinstance(op, View) and op.is_reshape(before)
        needed = needed if flattens else number
        before = chain_type((op,), before)
    return moves[:needed]


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
