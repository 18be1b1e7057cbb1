"""How neurons are stored: with channels last, whatever the order in which the IR counts them.

The IR counts neurons in row-major order of (C, H, W); the runtime stores them as (H, W, C). A
permutation says, for each place in storage, which neuron of the IR is there.
"""

from dataclasses import dataclass
from math import prod

import numpy as np

from snncc_ir import Graph, Integers, Node, Shape, Tensor
from snncc_ir.ops import Conv, Population, Window, chain_type


@dataclass(frozen=True)
class Box:
    """A runtime shape."""

    channels: int
    height: int
    width: int

    @property
    def order(self) -> Integers:
        """IR index of each place in storage."""
        index = np.arange(self.channels * self.height * self.width)
        return index.reshape(self.channels, -1).T.reshape(-1)

    def __str__(self) -> str:
        return f"{{{self.channels}, {self.height}, {self.width}}}"


def box(shape: Shape) -> Box:
    """(C), (C, L), (C, H, W); anything with more axes is a row of channels."""
    match shape:
        case (channels,):
            return Box(channels, 1, 1)
        case (channels, length):
            return Box(channels, 1, length)
        case (channels, height, width):
            return Box(channels, height, width)
    return Box(prod(shape), 1, 1)


def storage(graph: Graph, node: Node) -> Box:
    """How a node's neurons are stored: as its convolutions see them, else by its own shape."""
    if isinstance(node.op, Population):
        for source, chain in zip(graph.operands(node), node.op.maps, strict=True):
            if isinstance(chain[-1], Conv):
                return box(chain_type(chain, source.type).shape)
    return box(node.type.shape)


def window(of: Window) -> str:
    """A window as C initializer; one dimension is one row of two."""
    if of.rank == 1:
        of = Window(
            (1, *of.kernel), (1, *of.stride), (0, of.pads[0], 0, of.pads[1]), (1, *of.dilation)
        )
    numbers = (*of.kernel, *of.stride, of.pads[0], of.pads[1], *of.dilation)
    return "{" + ", ".join(map(str, numbers)) + "}"


NO_WINDOW = "{0, 0, 0, 0, 0, 0, 0, 0}"


def places(order: Integers) -> Integers:
    """Place in storage of each IR index."""
    inverse = np.empty_like(order)
    inverse[order] = np.arange(len(order))
    return inverse


def periodic(values: Integers, target: Box) -> tuple[Integers, int]:
    """One value a channel where all positions agree, else one a neuron; with their number."""
    rows = values.reshape(-1, target.channels)
    if bool(np.all(rows == rows[0])):
        return rows[0], target.channels
    return values, values.size


def spread(tensor: Tensor, shape: Shape, target: Box) -> Integers:
    """A parameter for each neuron, in storage order."""
    return np.broadcast_to(tensor.integers, shape).reshape(-1)[target.order]
