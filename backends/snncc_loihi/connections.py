"""Every synapse of a projection: which neuron of the source, which of the population, what weight.

Maps of the normal form, whatever they are made of, become lists of synapses by source neuron. What
positions of a convolution share is found again by content when cores are packed (`packing.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from math import prod

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Floats, Integers, Shape, Type
from snncc_ir.ops import Chain, Conv, Dense, MaxPool, Op, Scale, SumPool, View, Window
from snncc_loihi.sorting import stable_order

Box = tuple[int, int, int]
"""Channels, rows, columns."""


def box_of(shape: Shape) -> Box:
    """The shape as channels, rows, columns; of more axes the last two are rows and columns."""
    match shape:
        case (channels,):
            return channels, 1, 1
        case (channels, length):
            return channels, 1, length
    *channel_axes, rows, columns = shape
    return prod(channel_axes), rows, columns


@dataclass(frozen=True)
class Connections:
    """Synapses sorted by source neuron, then by lane and target neuron: compressed sparse rows.

    rows: (sources + 1) where each source's synapses begin. targets, lanes, weights: one number a
    synapse. Two synapses of one source may have the same target.
    """

    rows: Integers
    targets: NDArray[np.int32]
    lanes: NDArray[np.int16]
    weights: NDArray[np.int16]

    @property
    def sources(self) -> NDArray[np.int32]:
        """The source neuron of each synapse."""
        return np.repeat(np.arange(len(self.rows) - 1, dtype=np.int32), np.diff(self.rows))

    @property
    def count(self) -> int:
        """Synapses."""
        return len(self.targets)

    @property
    def values(self) -> NDArray[np.int16]:
        """All weights that there are."""
        return self.weights

    def sums(self, size: int) -> tuple[Floats, Floats]:
        """What positive and negative weights add up to, as magnitudes, of each of the targets."""
        weights = self.weights.astype(np.float64)
        above, below = (
            np.bincount(self.targets, np.maximum(signed, 0), size).astype(np.float64)
            for signed in (weights, -weights)
        )
        return above, below

    def listed(self) -> "Connections":
        """Every synapse: as they are."""
        return self

    def only(self, kept: NDArray[np.bool_]) -> "Connections":
        """Some of the synapses."""
        rows = np.concatenate([[0], np.cumsum(kept)])[self.rows]
        return Connections(rows, self.targets[kept], self.lanes[kept], self.weights[kept])


def projection(chain: Chain, source: Type) -> Connections:
    """The synapses of a projection; weights of 0 are none."""
    *moves, last = chain
    found = [_of_last(last, index) for index in _indices(moves, source)]
    parts = [np.concatenate(part) for part in zip(*found, strict=True)]
    kept = (parts[0] >= 0) & (parts[2] != 0)
    pre, post, weights = (part[kept] for part in parts)
    return in_order(source.size, pre, post, np.zeros_like(post), weights)


def pooling(op: MaxPool, source: Type) -> Connections:
    """What a max pool hears: the i-th source of its window on lane i, with weight 1."""
    windows = _windows(op.window, np.arange(source.size).reshape(source.shape))
    sources = windows.reshape(-1, int(np.prod(op.window.kernel)))
    post, lanes = np.nonzero(sources >= 0)
    return in_order(source.size, sources[post, lanes], post, lanes, np.ones_like(post))


def in_order(
    size: int, pre: Integers, post: Integers, lanes: Integers, weights: Integers
) -> Connections:
    """Of `size` sources, as Connections have them."""
    targets, most = int(post.max(initial=0)) + 1, int(lanes.max(initial=0)) + 1
    order = stable_order((pre.astype(np.int64) * most + lanes) * targets + post)
    rows = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(pre, minlength=size), out=rows[1:])
    return Connections(
        rows,
        post[order].astype(np.int32),
        lanes[order].astype(np.int16),
        weights[order].astype(np.int16),
    )


def _indices(moves: list[Op], source: Type) -> Iterator[Integers]:
    """The source neuron of each number before the last op; one array for each tap of the sums."""
    yield from reduce(
        lambda found, op: [after for index in found for after in _moved(op, index)],
        moves,
        [np.arange(source.size).reshape(source.shape)],
    )


def _moved(op: Op, index: Integers) -> list[Integers]:
    if isinstance(op, View):
        return [np.append(index.reshape(-1), -1)[op.index.integers]]
    if not isinstance(op, SumPool):
        raise AssertionError("the checker holds that views and sums come before weights")
    windows = _windows(op.window, index)
    flat = windows.reshape(*windows.shape[: -len(op.kernel)], -1)
    return [flat[..., i] for i in range(flat.shape[-1])]


def _windows(window: Window, index: Integers) -> Integers:
    """(C, *positions, *kernel): what each window sees, −1 for padding."""
    seen: Integers = window.slide(index[None].astype(np.float64), -1.0)[0].astype(np.int64)
    return seen


def _of_last(last: Op, index: Integers) -> tuple[Integers, Integers, Integers]:
    """Source, target and weight of all synapses, (N) each."""
    match last:
        case Conv():
            return _convolution(last, index)
        case Dense():
            weights = last.weight.integers
            post, place = np.indices(weights.shape)
            return index.reshape(-1)[place.reshape(-1)], post.reshape(-1), weights.reshape(-1)
        case Scale():
            weights = np.broadcast_to(last.weight.integers, index.shape).reshape(-1)
            return index.reshape(-1), np.arange(index.size), weights
    raise AssertionError("the checker holds that a map ends in conv, dense or scale")


def _convolution(conv: Conv, index: Integers) -> tuple[Integers, Integers, Integers]:
    weights = conv.weight.integers
    outputs, inputs = weights.shape[:2]
    seen = _windows(conv.window, index)
    taps = int(np.prod(weights.shape[2:]))
    seen = seen.reshape(conv.groups, inputs, -1, taps)
    places = seen.shape[2]
    grouped = weights.reshape(conv.groups, outputs // conv.groups, inputs, 1, taps)
    shape = (conv.groups, outputs // conv.groups, inputs, places, taps)
    pre = np.broadcast_to(seen[:, None], shape)
    post = np.arange(outputs * places).reshape(conv.groups, outputs // conv.groups, 1, places, 1)
    return (
        pre.reshape(-1),
        np.broadcast_to(post, shape).reshape(-1),
        np.broadcast_to(grouped, shape).reshape(-1),
    )
