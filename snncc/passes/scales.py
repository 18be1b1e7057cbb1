"""Scales on their way through maps: what a unit of a source is worth behind views and sums."""

from collections.abc import Mapping

import numpy as np

from snncc_ir import Binary, Floats, Graph, Node, Type
from snncc_ir.ops import (
    Chain,
    Conv,
    Dense,
    MaxPool,
    Op,
    Population,
    Scale,
    SumPool,
    View,
    chain_type,
)  # fmt: skip

Scales = Mapping[str, Floats]
"""By node name, broadcastable to the node's shape."""


def pushed(moves: Chain, scale: Floats, source: Type) -> Floats | None:
    """The scale of each number behind `moves` (views and sums), 0 where nothing arrives.

    scale: broadcastable to the source's shape. None when a sum mixes numbers of different scales.
    """
    current = np.broadcast_to(scale, source.shape)[None]
    for op in moves:
        if isinstance(op, SumPool):
            windows = op.windows(np.ascontiguousarray(current))
            largest = windows.max(-1)
            if np.any((windows != 0) & (windows != largest[..., None])):
                return None
            current = largest
        else:
            current = op.evaluate((current,))
    return np.asarray(current[0])


def channel_scales(values: Floats) -> Floats | None:
    """One scale for each channel of (C, *spatial), zeros aside; None when a channel has several."""
    flat = values.reshape(len(values), -1)
    largest: Floats = flat.max(axis=1)
    mixed = np.any((flat != 0) & (flat != largest[:, None]))
    return None if mixed else largest


def group_scales(last: Conv | Dense, values: Floats) -> Floats | None:
    """One scale for each group of inputs that meet in an output (one of a dense layer): (groups).

    values: of each input, 0 where nothing arrives. None when a group has several.
    """
    groups = last.groups if isinstance(last, Conv) else 1
    return channel_scales(values.reshape(groups, -1))


def uniform_nodes(graph: Graph) -> frozenset[str]:
    """Populations that need one scale for all of their neurons.

    A convolution's weights are shared by all positions, so its source must not have several scales
    in one input channel (after a view that mixes channels, say), and its population must have the
    convolution's own channels. Binary weights of one output keep one magnitude only if all inputs
    that meet there have one scale.
    """
    found: set[str] = set()
    for node in graph:
        if not isinstance(node.op, Population):
            continue
        for source, chain in zip(graph.operands(node), node.op.maps, strict=True):
            *moves, last = chain
            channels = np.arange(1.0, source.type.shape[0] + 1)
            numbered = channels.reshape(-1, *[1] * (len(source.type.shape) - 1))
            behind = pushed(tuple(moves), numbered, source.type)
            if behind is None or _mixes(last, behind):
                found.add(_population_behind(graph, source).name)
            if isinstance(last, Conv) and chain_type(chain, source.type).shape != node.op.shape:
                found.add(node.name)
    return frozenset(found)


def _mixes(last: Op, behind: Floats) -> bool:
    """Whether weights are shared by inputs of different scales."""
    if not isinstance(last, Conv | Dense):
        return False
    if isinstance(last.weight, Binary) and group_scales(last, behind) is None:
        return True
    return isinstance(last, Conv) and channel_scales(behind) is None


def moves_only(chain: Chain) -> bool:
    """Whether a map hands spikes on as they are: views, then one-to-one weights of 1."""
    *moves, last = chain
    return (
        isinstance(last, Scale)
        and all(isinstance(op, View) for op in moves)
        and bool(np.all(last.weight.floats == 1))
    )


def _population_behind(graph: Graph, node: Node) -> Node:
    while isinstance(node.op, MaxPool):
        (node,) = graph.operands(node)
    return node
