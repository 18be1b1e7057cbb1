"""Projections as the machine does them: a grouped convolution over a box of spikes.

Every map of the normal form becomes one or several routes: dense layers are convolutions whose
kernel is as large as the source, one-to-one maps are grouped convolutions of one tap, sums
of non-overlapping windows are the integration's own pooling, and other sums are one route for each
tap of their window.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from snncc_ir import FirstSpike, Graph, Integers, Log2, Node, Shape, Tensor, Type, offsets
from snncc_ir.ops import Chain, Conv, Dense, Input, Op, Population, Scale, SumPool, View, chain_type

Box = tuple[int, int, int]
MOST_SIZE = 4096
"""Of a kernel, a stride, a dilation or a pool."""


@dataclass(frozen=True)
class Route:
    """A grouped convolution from a source's spikes to a population, both seen as (C, H, W).

    index: source cell of each cell of the box, −1 for none, or None for all in order. codes:
    (C, kernel_y, kernel_x, O/groups), as in `Log2.codes`. offsets: (O). by_neuron: O is neurons,
    each fed by one cell. Kernel, stride, pad and dilation are (y, x); pool divides a spike's place
    first.
    """

    source: Node
    box: Box
    index: Integers | None
    pool: tuple[int, int]
    codes: Integers
    offsets: Integers
    groups: int
    by_neuron: bool = False
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)

    @property
    def kernel(self) -> tuple[int, int]:
        return self.codes.shape[1], self.codes.shape[2]

    @property
    def is_input(self) -> bool:
        """Whether the source is the network's input."""
        return isinstance(self.source.op, Input)


def box(shape: Shape) -> Box:
    """(C), (C, L), (C, H, W); anything with more axes is a row of channels."""
    match shape:
        case (channels,):
            return channels, 1, 1
        case (channels, length):
            return channels, 1, length
        case (channels, height, width):
            return channels, height, width
    return prod(shape), 1, 1


def target_box(graph: Graph, node: Node, op: Population) -> Box:
    """How a population's neurons are counted: as its convolutions see them, else each as a channel
    where it has a dense layer, whose outputs have exponents of their own, else by its shape."""
    for source, chain in zip(graph.operands(node), op.maps, strict=True):
        if isinstance(chain[-1], Conv):
            return box(chain_type(chain, source.type).shape)
    if any(isinstance(chain[-1], Dense) for chain in op.maps):
        return node.type.size, 1, 1
    return box(node.type.shape)


def routes(graph: Graph, node: Node, op: Population, code: FirstSpike) -> Iterator[Route]:
    """All routes into a population."""
    target = target_box(graph, node, op)
    for source, chain in zip(graph.operands(node), op.maps, strict=True):
        bits = None
        if isinstance(source.op, Input):
            bits = (source.op.levels or 1).bit_length()
        yield from _of_map(source, chain, target, code, bits)


def _of_map(
    source: Node, chain: Chain, target: Box, code: FirstSpike, bits: int | None
) -> Iterator[Route]:
    *moves, last = chain
    if not isinstance(last, Conv | Dense | Scale) or not isinstance(last.weight, Log2):
        raise AssertionError("the checker holds that a map ends in log2 weights")
    kind, pool = source.type, (1, 1)
    behind = chain_type(chain[:-1], kind)
    window = moves[-1] if moves else None
    if isinstance(window, SumPool) and _divides(window, last, behind, target):
        moves = moves[:-1]
        pool = _two(window.kernel)
    before = chain_type(tuple(moves), kind)
    shift = offsets(last.weight, code, bits)
    for index in _indices(moves, kind):
        match last:
            case Conv():
                yield Route(source, box(before.shape), _shaped(index, box(before.shape)), pool,
                            *_convolution(last, shift))  # fmt: skip
            case Dense():
                yield _dense(source, last, index, before, behind, pool, shift)
            case Scale():
                yield _one_to_one(source, last, index, before, behind, pool, shift, target)


def _divides(window: SumPool, last: Conv | Dense | Scale, behind: Type, target: Box) -> bool:
    """Whether a sum can be the integration's own pooling: windows side by side, no padding."""
    if window.kernel != window.stride or any(window.pads):
        return False
    return not isinstance(last, Scale) or (
        box(behind.shape) == target and _by_channel(last.weight, behind.shape)
    )


def _by_channel(weight: Tensor, shape: Shape) -> bool:
    """Whether one-to-one weights, broadcast to `shape`, are the same at all places of a channel."""
    places = len(shape) - 1
    return places == 0 or all(size == 1 for size in weight.shape[-places:])


def _indices(moves: list[Op], kind: Type) -> list[Integers | None]:
    """One index for each combination of taps of the sums; None for a source as it is."""
    found: list[Integers] = [np.arange(kind.size).reshape(kind.shape)]
    if not moves:
        return [None]
    for op in moves:
        if isinstance(op, View):
            found = [_taken(index, op.index.integers) for index in found]
        elif isinstance(op, SumPool):
            found = [tap for index in found for tap in _taps(op, index)]
    return list(found)


def _taken(index: Integers, chosen: Integers) -> Integers:
    flat = np.append(index.reshape(-1), -1)
    return flat[chosen]


def _taps(op: SumPool, index: Integers) -> Iterator[Integers]:
    windows = op.window.slide(index[None].astype(np.float64), -1.0)[0]
    rank = len(op.kernel)
    for tap in product(*(range(size) for size in op.kernel)):
        yield windows[(..., *tap)].astype(np.int64).reshape(windows.shape[: 1 + rank])


def _shaped(index: Integers | None, shape: Box) -> Integers | None:
    return None if index is None else index.reshape(shape)


def _two(sizes: tuple[int, ...]) -> tuple[int, int]:
    """One dimension is one row of two."""
    return (1, sizes[0]) if len(sizes) == 1 else (sizes[0], sizes[1])


def _pads(pads: tuple[int, ...]) -> tuple[int, int]:
    return (0, pads[0]) if len(pads) == 2 else (pads[0], pads[1])


def _convolution(conv: Conv, shift: Integers) -> tuple[
    Integers, Integers, int, bool, tuple[int, int], tuple[int, int], tuple[int, int]
]:  # fmt: skip
    """codes, offsets, groups, by_neuron, stride, pad, dilation of a route."""
    weight = _codes(conv.weight)
    if weight.ndim == 3:
        weight = weight[:, :, None]
    outputs, inputs, height, width = weight.shape
    grouped = weight.reshape(conv.groups, outputs // conv.groups, inputs, height, width)
    codes = grouped.transpose(0, 2, 3, 4, 1).reshape(conv.groups * inputs, height, width, -1)
    each = np.broadcast_to(shift.reshape(-1), (outputs,))
    return codes, each, conv.groups, False, _two(conv.stride), _pads(conv.pads), _two(conv.dilation)


def _dense(
    source: Node,
    dense: Dense,
    index: Integers | None,
    before: Type,
    behind: Type,
    pool: tuple[int, int],
    shift: Integers,
) -> Route:
    weight = _codes(dense.weight)
    each = np.broadcast_to(shift.reshape(-1), (len(weight),))
    seen = box(before.shape)
    if index is not None and pool == (1, 1):
        used = index.reshape(-1)
        kept = used >= 0
        if len(np.unique(used[kept])) == kept.sum():
            # weights move to the source's own order, so that nothing has to be copied
            moved = np.zeros((len(weight), source.type.size), np.int64)
            moved[:, used[kept]] = weight[:, kept]
            weight, index, seen = moved, None, box(source.type.shape)
    if pool == (1, 1) and max(seen) > MOST_SIZE:
        seen = (weight.shape[1], 1, 1)  # too wide for a kernel
    height, width = seen[1] // pool[0], seen[2] // pool[1]
    codes = weight.reshape(len(weight), seen[0], height, width).transpose(1, 2, 3, 0)
    return Route(source, seen, _shaped(index, seen), pool, codes, each, 1)


def _one_to_one(
    source: Node,
    scale: Scale,
    index: Integers | None,
    before: Type,
    behind: Type,
    pool: tuple[int, int],
    shift: Integers,
    target: Box,
) -> Route:
    """Grouped: by channel where the weights of a channel are one, else by neuron."""
    codes = np.broadcast_to(_codes(scale.weight), behind.shape).reshape(-1)
    each = np.broadcast_to(shift, behind.shape).reshape(-1)
    if _by_channel(scale.weight, behind.shape) and box(behind.shape) == target:
        codes, each = (numbers.reshape(target[0], -1)[:, 0] for numbers in (codes, each))
        seen, by_neuron = box(before.shape), False
    else:
        seen, by_neuron = (codes.size, 1, 1), True
    column = codes.reshape(-1, 1, 1, 1)
    return Route(source, seen, _shaped(index, seen), pool, column, each, len(column), by_neuron)


def _codes(weight: Tensor) -> Integers:
    if not isinstance(weight, Log2):
        raise AssertionError("the checker holds that a map ends in log2 weights")
    return weight.codes.integers
