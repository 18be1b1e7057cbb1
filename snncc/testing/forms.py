"""Each network of the family in several forms, for chips with narrow weights or spiking inputs."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from snncc.testing.builder import NEURONS, STEPS
from snncc.testing.networks import network
from snncc_ir import Graph, GraphBuilder, Tensor, f32, i8, i32
from snncc_ir.composed import Factored
from snncc_ir.ops import Chain, Conv, Dense, Input, IntegrateFire, Population, Scale

BITS = (None, 8, 4, 1)
"""Of all weights; None for those that the network has."""


def forms(name: str, neuron: str, seed: int = 0) -> Iterator[Graph]:
    """A network of the family: as it is, of fewer bits, behind spiking inputs, from potential 0."""
    if neuron == "ttfs":
        yield network(name, neuron, seed)
        return
    for bits in BITS:
        yield network(name, neuron, seed, bits)
    if neuron in NEURONS:
        for bits in BITS[1:]:
            yield spiking_inputs(network(name, neuron, seed, bits))
        yield from_zero(network(name, neuron, seed))


def from_zero(graph: Graph) -> Graph:
    """The network with neurons that start at 0."""
    builder = GraphBuilder(graph.name)
    for node in graph:
        op = node.op
        if isinstance(op, Population) and isinstance(op.model, IntegrateFire):
            op = replace(op, model=replace(op.model, start=i32(0 * op.model.start.integers)))
        builder.add(node.name, op, list(node.inputs), node.origin)
    return builder.graph()


def spiking_inputs(graph: Graph) -> Graph:
    """The network with each input behind neurons: one for positive, one for negative numbers."""
    builder = GraphBuilder(graph.name)
    for node in graph:
        op, sources = node.op, list(node.inputs)
        if isinstance(op, Population):
            maps: list[Chain] = []
            sources = []
            for source, chain in zip(graph.operands(node), op.maps, strict=True):
                if not isinstance(source.op, Input):
                    maps.append(chain)
                    sources.append(source.name)
                    continue
                maps += [chain, _negated(chain)]
                sources += [f"{source.name}.on", f"{source.name}.off"]
            op = Population(op.shape, tuple(maps), op.bias, op.model, op.scale)
        builder.add(node.name, op, sources, node.origin)
        if isinstance(node.op, Input):
            kind = NEURONS["hard-if"] if "hard" in _model(graph) else IntegrateFire
            model = kind(STEPS, i32(24), i32(12))
            for name, weight in (("on", 1), ("off", -1)):
                maps = [(Scale(i8(np.full((1,) * len(node.type.shape), weight))),)]
                op = Population(node.type.shape, tuple(maps), i32(0), model, f32(1.0))
                builder.add(f"{node.name}.{name}", op, [node.name], node.origin)
    return builder.graph()


def _model(graph: Graph) -> str:
    return next(
        node.op.model.name
        for node in graph
        if isinstance(node.op, Population) and isinstance(node.op.model, IntegrateFire)
    )


def _negated(chain: Chain) -> Chain:
    *moves, last = chain
    if not isinstance(last, Conv | Dense | Scale):
        raise AssertionError("a map ends in weights")
    weight = last.weight
    if isinstance(weight, Factored):
        return (*moves, replace(last, weight=weight.negated()))
    return (*moves, replace(last, weight=Tensor((-weight.integers).astype(weight.array.dtype))))
