"""A walk through a network layer by layer, as it was and as it is becoming, on the same samples.

What a layer is rewritten to may depend on what really arrives at it: the values of the layers
before it, with all that was done to them; or, over time, their spikes. Values of a node are kept
until its last user has run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from snncc.passes.base import Context
from snncc.passes.in_time import fire, mean_of, pool_in_time, settles_soon
from snncc_ir import Array, Graph, GraphBuilder, Node, NodeRunner, Rate, Spikes, Type
from snncc_ir.ops import (
    AnyInput,
    Conv,
    Dense,
    EventInput,
    IntegrateFire,
    MaxPool,
    Neuron,
    Population,
    Readout,
    Relu,
)  # fmt: skip

Values = NDArray[np.float32]
MEMORY = 1 << 31
"""Bytes of values that may be kept at once; beyond, fewer samples are taken."""
WORK = 1 << 37
"""Multiplications, about, that a simulation of all samples over time may take; of large networks
and of many steps, fewer samples are taken."""
WORK_IF_SETTLED = 3 << 34
"""Likewise, of neurons that settle soon."""
WORK_OF_VALUES = 1 << 34
"""Likewise, where values in place of spikes go through the network, once for each look at them."""
WORK_OF_A_NEURON = 64
"""What a neuron's step takes, in multiplications."""
LEAST_SAMPLES = 48


@dataclass(frozen=True)
class Layer:
    """A population that is to be rewritten.

    op: as it is. types, arriving: of its sources; arriving has what really comes: numbers
    (N, *shape), or spike trains (N, steps, *shape). target: the drive (N, *shape) that its neurons
    had in the network as it was.
    """

    node: Node
    op: Population
    types: tuple[Type, ...]
    arriving: tuple[Array, ...]
    target: Values

    _means: dict[int, tuple[Values, ...]] = field(default_factory=dict)

    def means(self, first: int = 0) -> tuple[Values, ...]:
        """What arrives, numbers or spikes a step from step `first` on: each (N, *shape)."""
        if first not in self._means:
            self._means[first] = tuple(
                mean_of(value, kind, first)
                for value, kind in zip(self.arriving, self.types, strict=True)
            )
        return self._means[first]

    def of(self, samples: slice) -> "Layer":
        """The same for some of the samples."""
        means = {
            first: tuple(value[samples] for value in found) for first, found in self._means.items()
        }
        arriving = tuple(value[samples] for value in self.arriving)
        return replace(self, arriving=arriving, target=self.target[samples], _means=means)

    def drive(self, op: Population, which: int | None = None, first: int = 0) -> Values:
        """What `op` makes of the means, with its bias; or what its map `which` brings."""
        means = self.means(first)
        if which is None:
            return NodeRunner([replace(op, model=Readout())], self.types).run(means)
        chain, kind = op.maps[which], self.types[which]
        result = NodeRunner(chain, [kind]).run([means[which]])
        return result.reshape(-1, *op.shape)

    def moved(self, which: int, first: int = 0) -> Values:
        """What arrives on average at the weights of map `which`, behind its views and sums."""
        *moves, _ = self.op.maps[which]
        value = self.means(first)[which]
        return NodeRunner(moves, [self.types[which]]).run([value]) if moves else value


def rewrite_layers(
    graph: Graph,
    context: Context,
    by: str,
    samples: int,
    rewrite: Callable[[Layer], Population],
    in_time: bool = False,
) -> Graph:
    """The graph with every population rewritten, in order; at most `samples` samples are taken.

    in_time: what arrives are the spike trains of a rate code, simulated, in place of values.
    """
    before = context.analog or _decoded(graph)
    steps = graph.code.steps if in_time and isinstance(graph.code, Rate) else 0
    count = _affordable(graph, len(next(iter(context.calibration.values()))), samples, steps)
    builder = GraphBuilder(graph.name)
    old: dict[str, Values] = {}
    new: dict[str, Array] = {}
    last = {name: users[-1].name for name, users in graph.users.items() if users}
    total = sum(isinstance(node.op, Population) for node in graph)
    done = 0
    for node in graph:
        op, origin = node.op, node.origin
        types = tuple(builder[name].type for name in node.inputs)
        if isinstance(op, AnyInput):
            given = context.calibration[node.name][:count]
            numbers = op.accumulated(given) if isinstance(op, EventInput) else given.astype(float)
            old[node.name] = before[node.name].op.evaluate((numbers,)).astype(np.float32)
            new[node.name] = op.evaluate((numbers,)).astype(np.float32)
            if steps and isinstance(op, EventInput):
                new[node.name] = op.sent(given).astype(np.int8)
        elif isinstance(op, Population):
            reference = before[node.name].op
            if not isinstance(reference, Population):
                raise AssertionError("a pass keeps the names of populations")
            x = tuple(old[name] for name in node.inputs)
            y = tuple(new[name] for name in node.inputs)
            target = NodeRunner([replace(reference, model=Readout())], types).run(x)
            op = rewrite(Layer(node, op, types, y, target))
            origin = origin.by(by)
            if isinstance(node.type, Spikes):
                drive = replace(op, model=Readout()).output_type(types)
                old[node.name] = NodeRunner([Neuron(reference.model)], [drive]).run([target])
                new[node.name] = _sent(op, types, y, steps)
            done += 1
            context.progress(by, done, total)
        elif isinstance(op, MaxPool):
            (source,) = node.inputs
            old[node.name] = NodeRunner([op], types).run([old[source]])
            new[node.name] = (
                pool_in_time(op, types[0], new[source].astype(np.int8, copy=False))
                if steps
                else NodeRunner([op], types).run([new[source]])
            )
        builder.add(node.name, op, node.inputs, origin)
        for name in set(node.inputs):
            if last[name] == node.name:
                old.pop(name, None)
                new.pop(name, None)
    return builder.graph()


def _sent(op: Population, types: Sequence[Type], arriving: Sequence[Array], steps: int) -> Array:
    """What a population makes of what arrives: values, or its spikes over time."""
    if not steps or not isinstance(op.model, IntegrateFire):
        return NodeRunner([op], types).run(arriving)
    return fire(op, types, arriving, steps)


def _affordable(graph: Graph, given: int, wanted: int, steps: int) -> int:
    """How many samples fit into memory, and over time are bearable; at least one.

    Two float32 numbers a neuron; over time its spikes, and three numbers.
    """
    spiking = [node.type for node in graph if isinstance(node.type, Spikes)]
    neurons = sum(kind.size for kind in spiking) or 1
    work = max(steps, 1) * (_multiplications(graph) + WORK_OF_A_NEURON * neurons)
    most = WORK_OF_VALUES
    if steps:
        most = WORK_IF_SETTLED if any(settles_soon(kind.code) for kind in spiking) else WORK
    bearable = max(LEAST_SAMPLES, most // work)
    bytes_a_sample = (12 + steps) * _most_alive(graph)
    return max(1, min(given, wanted, bearable, MEMORY // bytes_a_sample))


def _multiplications(graph: Graph) -> int:
    """Of one sample, in one step: weights times the places where each is used."""
    total = 0
    for node in graph:
        for chain in node.op.maps if isinstance(node.op, Population) else ():
            if isinstance(chain[-1], Conv | Dense):
                weight = chain[-1].weight.array
                total += weight.size * node.type.size // len(weight)
    return total


def _most_alive(graph: Graph) -> int:
    """The most neurons whose values are kept at once."""
    last = {name: users[-1].name for name, users in graph.users.items() if users}
    alive: dict[str, int] = {}
    most = 1
    for node in graph:
        alive[node.name] = node.type.size
        most = max(most, sum(alive.values()))
        for name in set(node.inputs):
            if last[name] == node.name:
                alive.pop(name, None)
    return most


def _decoded(graph: Graph) -> Graph:
    """The network without its time code, where it is not known what it was before."""

    def rewrite(node: Node) -> Node:
        if isinstance(node.op, Population) and isinstance(node.type, Spikes):
            return replace(node, op=replace(node.op, model=Relu()))
        return node

    return graph.rewritten(rewrite)
