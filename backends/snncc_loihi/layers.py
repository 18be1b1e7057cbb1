"""A network as a chip runs it: each population with its compartments, and when it works.

Everything that later stages need of the graph is here; the rest of the package knows no ops.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from snncc_ir import Graph, Integers, Node, Shape
from snncc_ir.ops import (
    HardIntegrateFire,
    Input,
    IntegrateFire,
    MaxPool,
    Output,
    Population,
    Readout,
    Scale,
    chain_type,
)  # fmt: skip
from snncc_loihi.boxes import Boxes, moved
from snncc_loihi.chip import Chip
from snncc_loihi.connections import Box, Connections, box_of
from snncc_loihi.core_map import Program
from snncc_loihi.projections import connect, connect_pool


@dataclass(frozen=True)
class Layer:
    """A population, or a max pool, of `size` neurons.

    first: its first neuron, counted over all layers. first_step: projections between it and the
    input. programs: of a neuron's compartments, in order; the last one fires. theta (0 for
    readouts), start, bias: (size), in the units of the network. most, signed: of its spikes.
    delay: first steps that a readout leaves out. feedback: whether the neuron's own spike comes
    back to it, as a soft reset by −theta. origin: nodes of the user's file, for messages.
    """

    name: str
    model: str
    shape: Shape
    first: int
    first_step: int
    delay: int
    programs: tuple[Program, ...]
    theta: Integers
    start: Integers
    bias: Integers
    most: int
    signed: bool
    feedback: bool
    origin: str = ""

    @property
    def size(self) -> int:
        return len(self.theta)

    @property
    def width(self) -> int:
        """Compartments of a neuron."""
        return len(self.programs)

    @property
    def box(self) -> Box:
        """The shape as channels, rows, columns."""
        return box_of(self.shape)


@dataclass(frozen=True)
class Link:
    """A projection onto layer `target`: from a layer, or (source −1) from the network's input.

    synapses: sources are neurons of the source layer, or input numbers counted over all inputs.
    """

    source: int
    target: int
    delay: int
    synapses: Boxes | Connections


@dataclass(frozen=True)
class HostBias:
    """Input numbers that the host adds to biases: one for each neuron of a layer, or none (−1)."""

    layer: int
    inputs: Integers
    weights: Integers


@dataclass(frozen=True)
class Network:
    """Layers in topological order; inputs: how many numbers the network takes, of which none has a
    larger magnitude than largest_input."""

    steps: int
    layers: tuple[Layer, ...]
    links: tuple[Link, ...]
    host_biases: tuple[HostBias, ...]
    inputs: int
    largest_input: int

    @property
    def neurons(self) -> int:
        return sum(layer.size for layer in self.layers)

    @cached_property
    def incoming(self) -> Mapping[int, tuple[Link, ...]]:
        """The links onto each layer."""
        return {
            i: tuple(link for link in self.links if link.target == i)
            for i in range(len(self.layers))
        }

    @cached_property
    def outgoing(self) -> Mapping[int, tuple[Link, ...]]:
        """The links from each layer, and from the input (−1)."""
        return {
            i: tuple(link for link in self.links if link.source == i)
            for i in range(-1, len(self.layers))
        }


def make_layers(graph: Graph, chip: Chip) -> dict[str, Layer]:
    """The layers of a graph that obeys the chip's rules (stage INTEGER, rate code), by name."""
    layers: dict[str, Layer] = {}
    first = 0
    for node in graph:
        if not isinstance(node.op, Input | Output):
            depth = _first_step(graph, node, layers, chip)
            layer = _layer(graph, node, first, depth, chip)
            layers[node.name] = replace(layer, origin=str(node.origin))
            first += layers[node.name].size
    return layers


def make_network(graph: Graph, chip: Chip) -> Network:
    """The layers of such a graph, and all that connects them."""
    inputs, count = {}, 0
    for node in graph.inputs:
        inputs[node.name] = count
        count += node.type.size
    layers = make_layers(graph, chip)
    number = {name: i for i, name in enumerate(layers)}
    links: list[Link] = []
    biases: list[HostBias] = []
    for name, layer in layers.items():
        node, here = graph[name], number[name]
        for place, source in enumerate(graph.operands(node)):
            synapses = (
                connect_pool(node.op, source.type)
                if isinstance(node.op, MaxPool)
                else _synapses(node, place, source)
            )
            if source.name in number:
                delay = layer.first_step - layers[source.name].first_step - 1
                links.append(Link(number[source.name], here, delay, synapses))
            elif chip.features.held_currents:
                shifted = _shifted(synapses, inputs[source.name], count)
                links.append(Link(-1, here, 0, shifted))
            else:
                biases.append(_host_bias(here, layer, synapses, inputs[source.name]))
    steps = graph.code.train if graph.code else 1
    largest = max(node.op.levels or 1 for node in graph.inputs if isinstance(node.op, Input))
    together = tuple(layers.values())
    return Network(steps, together, tuple(links), tuple(biases), count, largest)


def is_one_to_one(graph: Graph, node: Node) -> bool:
    """Whether all that a population gets from inputs comes to each neuron from one number."""
    if not isinstance(node.op, Population):
        return False
    return all(
        len(chain) == 1 and isinstance(chain[-1], Scale)
        for source, chain in zip(graph.operands(node), node.op.maps, strict=True)
        if isinstance(source.op, Input)
    )


def _synapses(node: Node, place: int, source: Node) -> Boxes | Connections:
    if not isinstance(node.op, Population):
        raise AssertionError("only populations and max pools have sources")
    chain = node.op.maps[place]
    if chain_type(chain, source.type).size != node.type.size:
        raise AssertionError("a map's result has the population's size")
    found = connect(chain, source.type)
    if isinstance(found, Boxes) and found.target != box_of(node.type.shape):
        return found.listed()
    return found


def _first_step(graph: Graph, node: Node, layers: Mapping[str, Layer], chip: Chip) -> int:
    """A spike of step t arrives at t + 1; what the host adds to biases is there at step 0."""
    behind = [
        layers[source.name].first_step
        if source.name in layers
        else (0 if chip.features.held_currents else -1)
        for source in graph.operands(node)
    ]
    return max(behind) + 1


def _layer(graph: Graph, node: Node, first: int, depth: int, chip: Chip) -> Layer:
    size = node.type.size
    zeros = np.zeros(size, np.int64)
    native = chip.features.soft_reset == "native"
    if isinstance(node.op, MaxPool):
        (source,) = graph.operands(node)
        code = source.type.code  # type: ignore[attr-defined]
        lanes = int(np.prod(node.op.window.kernel))
        fires = Program.FIRE_COUNT if native else Program.FIRE_JOINED
        programs = (Program.INTEGRATE, *[Program.INTEGRATE_MAX] * (lanes - 1), fires)
        return Layer(node.name, "maxpool", node.type.shape, first, depth, 0, programs,
                     zeros + 1, zeros, zeros, code.most, code.signed, not native)  # fmt: skip
    if not isinstance(node.op, Population):
        raise AssertionError("only populations and max pools are put on cores")

    def spread(values: Integers) -> Integers:
        return np.broadcast_to(values, node.op.shape).reshape(-1)  # type: ignore[attr-defined]

    bias, model = spread(node.op.bias.integers), node.op.model
    if isinstance(model, Readout):
        return Layer(node.name, model.name, node.type.shape, first, depth, model.delay,
                     (Program.INTEGRATE,), zeros, zeros, bias, 1, False, False)  # fmt: skip
    if not isinstance(model, IntegrateFire):
        raise AssertionError("the rules hold that neurons integrate and fire")
    coupled = False
    if isinstance(model, HardIntegrateFire):
        programs = (Program.FIRE_ZERO,)
    elif native:
        programs = (Program.FIRE_SUBTRACT,)
    else:
        programs, coupled = (Program.INTEGRATE, Program.FIRE_JOINED), True
    return Layer(node.name, model.name, node.type.shape, first, depth, 0, programs,
                 spread(model.theta.integers), spread(model.start.integers), bias,
                 model.code.most, model.signed, coupled)  # fmt: skip


def _shifted(synapses: Boxes | Connections, first: int, count: int) -> Boxes | Connections:
    """Sources counted from `first` on, of `count` in all."""
    if isinstance(synapses, Boxes):
        return moved(synapses, first, count)
    before = np.zeros(first, np.int64)
    behind = np.full(count + 1 - first - len(synapses.rows), len(synapses.targets), np.int64)
    rows = np.concatenate([before, synapses.rows, behind])
    return Connections(rows, synapses.targets, synapses.lanes, synapses.weights)


def _host_bias(index: int, layer: Layer, connected: Boxes | Connections, first: int) -> HostBias:
    synapses = connected.listed()
    inputs = np.full(layer.size, -1, np.int64)
    weights = np.zeros(layer.size, np.int64)
    inputs[synapses.targets] = first + synapses.sources
    weights[synapses.targets] = synapses.weights
    return HostBias(index, inputs, weights)
