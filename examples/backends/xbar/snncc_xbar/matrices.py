"""Projections as matrices of small integers, and how values of neurons come to their rows."""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from snncc.ir import Binary, Graph, Linear, Node, Rate, Spikes, Tensor
from snncc.ir.ops import (
    Chain,
    Conv,
    Dense,
    Input,
    Op,
    Population,
    Scale,
    SumPool,
    View,
    Window,
    chain_type,
)

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Matrix:
    """codes (O, rows), with 0 where groups do not meet; sums are multiplied by factor (O).

    used: where there is a weight. binary: all codes that are used are 1 or −1.
    """

    codes: Integers
    used: NDArray[np.bool_]
    factor: Integers
    binary: bool
    groups: int

    @property
    def magnitude_bits(self) -> int:
        return max(int(np.abs(self.codes).max(initial=0)).bit_length(), 1)


@dataclass(frozen=True)
class Feed:
    """What arrives at the rows. bits: of a magnitude; signed: whether it can be negative.

    route: for each element of what the linear op reads, (size, taps), the neurons of the source
    that it is the sum of, or −1; None where it is the source itself.
    """

    bits: int
    signed: bool
    route: Integers | None


def matrix_of(op: Conv | Dense) -> Matrix:
    """A convolution's rows are (input channel, tap), those of a group its own channels."""
    codes, factor = _split(op.weight)
    binary = isinstance(op.weight, Binary)
    outputs = len(codes)
    if isinstance(op, Dense):
        return Matrix(codes, np.ones(codes.shape, bool), factor, binary, 1)
    flat = codes.reshape(outputs, -1)
    rows, each = flat.shape[1], outputs // op.groups
    full = np.zeros((outputs, rows * op.groups), np.int64)
    used = np.zeros(full.shape, bool)
    for group in range(op.groups):
        block = slice(group * each, (group + 1) * each), slice(group * rows, (group + 1) * rows)
        full[block], used[block] = flat[block[0]], True
    return Matrix(full, used, factor, binary, op.groups)


def _split(weight: Tensor) -> tuple[Integers, Integers]:
    """Codes, and a factor for each output channel."""
    outputs = weight.shape[0]
    if isinstance(weight, Binary):
        codes, factor = weight.signs, weight.alpha
    elif isinstance(weight, Linear):
        codes, factor = weight.codes, weight.step
    else:
        return weight.integers, np.ones(outputs, np.int64)
    return codes.integers, np.broadcast_to(factor.integers.reshape(-1), (outputs,)).copy()


def feed_of(graph: Graph, source: Node, moves: Chain) -> Feed:
    """Of a map whose last op is left out."""
    largest, signed = 1, False
    if isinstance(source.op, Input):
        largest, signed = source.op.levels or 1, True
    elif isinstance(source.type, Spikes) and isinstance(source.type.code, Rate):
        largest, signed = source.type.code.most, source.type.code.signed
    if not moves:
        return Feed(largest.bit_length(), signed, None)
    route = np.arange(source.type.size, dtype=np.int64).reshape(*source.type.shape, 1)
    for op in moves:
        route = _moved(op, route)
    route = route.reshape(-1, route.shape[-1])
    whole = route.shape == (source.type.size, 1) and bool(
        np.array_equal(route[:, 0], np.arange(source.type.size))
    )
    bits = (largest * route.shape[1]).bit_length()
    return Feed(bits, signed, None if whole else route)


def _moved(op: Op, route: Integers) -> Integers:
    """A route (*shape, taps) behind one more op."""
    taps = route.shape[-1]
    if isinstance(op, View):
        padded = np.concatenate([route.reshape(-1, taps), np.full((1, taps), -1)])
        taken: Integers = padded[op.index.integers]
        return taken
    if not isinstance(op, SumPool):
        raise AssertionError("before the weights of a map there are views and sums only")
    window = Window(op.kernel, op.stride, op.pads, (1,) * len(op.kernel))
    places = np.moveaxis(route, -1, 0).astype(np.float64)
    slid = window.slide(places, -1.0)
    slid = slid.reshape(*slid.shape[: places.ndim], -1)
    joined = np.moveaxis(slid, 0, -1)
    return joined.reshape(*joined.shape[:-2], -1).astype(np.int64)


@dataclass(frozen=True)
class Projection:
    """One map of a population: `matrix` on arrays, or `scale`, which is done by digital logic."""

    source: str
    feed: Feed
    moved: tuple[int, ...]
    """Shape of what the last op reads."""
    last: Conv | Dense | Scale
    matrix: Matrix | None
    positions: int


def projections(graph: Graph, node: Node) -> list[Projection]:
    """All maps of a population."""
    if not isinstance(node.op, Population):
        return []
    found = []
    for source, chain in zip(graph.operands(node), node.op.maps, strict=True):
        *moves, last = chain
        if not isinstance(last, Conv | Dense | Scale):
            raise AssertionError("a map ends in conv, dense or scale")
        moved = chain_type(tuple(moves), source.type).shape
        result = chain_type(chain, source.type).shape
        matrix = None if isinstance(last, Scale) else matrix_of(last)
        positions = prod(result[1:]) if isinstance(last, Conv) else 1
        feed = feed_of(graph, source, tuple(moves))
        found.append(Projection(source.name, feed, moved, last, matrix, positions))
    return found
