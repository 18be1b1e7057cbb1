"""A walk through a network layer by layer, as it was and as it is becoming, on the same samples.

What a layer is rewritten to may depend on what really arrives at it: the values of the layers
before it, with all that was done to them. Values of a node are kept until its last user has run.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from snncc.passes.base import Context
from snncc_ir import Graph, GraphBuilder, Node, NodeRunner, Spikes, Type
from snncc_ir.ops import Input, MaxPool, Neuron, Population, Readout, Relu

Values = NDArray[np.float32]
MEMORY = 1 << 31
"""Bytes of values that may be kept at once; beyond, fewer samples are taken."""


@dataclass(frozen=True)
class Layer:
    """A population that is to be rewritten.

    op: as it is. types, arriving: of its sources; arriving has the values that really come, each
    (N, *shape). target: the drive (N, *shape) that its neurons had in the network as it was.
    """

    node: Node
    op: Population
    types: tuple[Type, ...]
    arriving: tuple[Values, ...]
    target: Values

    def drive(self, op: Population, which: int | None = None) -> Values:
        """What `op` makes of what arrives, with its bias; or what its map `which` brings."""
        if which is None:
            return NodeRunner([replace(op, model=Readout())], self.types).run(self.arriving)
        chain, kind = op.maps[which], self.types[which]
        result = NodeRunner(chain, [kind]).run([self.arriving[which]])
        return result.reshape(-1, *op.shape)

    def moved(self, which: int) -> Values:
        """What arrives at the weights of map `which`, behind its views and sums."""
        *moves, _ = self.op.maps[which]
        value = self.arriving[which]
        return NodeRunner(moves, [self.types[which]]).run([value]) if moves else value


def rewrite_layers(
    graph: Graph,
    context: Context,
    by: str,
    samples: int,
    rewrite: Callable[[Layer], Population],
) -> Graph:
    """The graph with every population rewritten, in order; at most `samples` samples are taken."""
    before = context.analog or _decoded(graph)
    count = _affordable(graph, len(next(iter(context.calibration.values()))), samples)
    builder = GraphBuilder(graph.name)
    old: dict[str, Values] = {}
    new: dict[str, Values] = {}
    last = {name: users[-1].name for name, users in graph.users.items() if users}
    total = sum(isinstance(node.op, Population) for node in graph)
    done = 0
    for node in graph:
        op, origin = node.op, node.origin
        types = tuple(builder[name].type for name in node.inputs)
        if isinstance(op, Input):
            given = context.calibration[node.name][:count].astype(np.float64)
            old[node.name] = before[node.name].op.evaluate((given,)).astype(np.float32)
            new[node.name] = op.evaluate((given,)).astype(np.float32)
        elif isinstance(op, Population):
            reference = before[node.name].op
            if not isinstance(reference, Population):
                raise AssertionError("a pass keeps the names of populations")
            x = tuple(old[name] for name in node.inputs)
            y = tuple(new[name] for name in node.inputs)
            target = NodeRunner([replace(reference, model=Readout())], types).run(x)
            op = rewrite(Layer(node, op, types, y, target))
            origin = origin.by(by)
            if graph.users[node.name]:
                drive = replace(op, model=Readout()).output_type(types)
                old[node.name] = NodeRunner([Neuron(reference.model)], [drive]).run([target])
                new[node.name] = NodeRunner([op], types).run(y)
            done += 1
            context.progress(by, done, total)
        elif isinstance(op, MaxPool):
            old[node.name] = NodeRunner([op], types).run([old[node.inputs[0]]])
            new[node.name] = NodeRunner([op], types).run([new[node.inputs[0]]])
        builder.add(node.name, op, node.inputs, origin)
        for name in set(node.inputs):
            if last[name] == node.name:
                old.pop(name, None)
                new.pop(name, None)
    return builder.graph()


def _affordable(graph: Graph, given: int, wanted: int) -> int:
    """How many samples fit into memory, two float32 numbers a neuron; at least one."""
    bytes_a_sample = 8 * sum(prod(node.type.shape) for node in graph)
    return max(1, min(given, wanted, MEMORY // bytes_a_sample))


def _decoded(graph: Graph) -> Graph:
    """The network without its time code, where it is not known what it was before."""

    def rewrite(node: Node) -> Node:
        if isinstance(node.op, Population) and isinstance(node.type, Spikes):
            return replace(node, op=replace(node.op, model=Relu()))
        return node

    return graph.rewritten(rewrite)
