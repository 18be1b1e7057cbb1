"""Spike semantics of the rate code: every neuron in every time step, in integers and plain numpy.

This is the oracle of every backend. It is written to be read; speed is the backends' concern.
Linear maps are evaluated in float64, which is exact here: all numbers are integers, and every sum
stays below 2^53 (`quantize-weights` keeps potentials in 32 bits), in whatever order it is taken.

Within a time step the nodes follow one another in topological order: a spike reaches the next
population in the same step.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from snncc_ir.checker import INTEGER, check
from snncc_ir.diagnostics import fail
from snncc_ir.graph import Graph, Node
from snncc_ir.ops import EventInput, Input, IntegrateFire, MaxPool, Output, Population, Readout
from snncc_ir.slots import value_of
from snncc_ir.tensors import Array, Floats, Integers
from snncc_ir.types import Analog, FirstSpike, Radix, Rate, Spikes


@dataclass(frozen=True)
class Step:
    """One time step of a batch: `spikes` by spiking node and `potentials` by readout population.

    All arrays are (N, *shape), int64, and not to be changed.
    """

    index: int
    spikes: Mapping[str, Integers]
    potentials: Mapping[str, Integers]


class Oracle:
    """Runs an integer graph (stage INTEGER) step by step; raises SNN010 for any other graph.

    Graphs in the ttfs and radix codes have no common time step: `slots.run_phases` and
    `digits.run_digits` run them.
    """

    def __init__(self, graph: Graph) -> None:
        check(graph, INTEGER)
        if isinstance(graph.code, FirstSpike | Radix):
            raise fail(
                "SNN010", f"the code is {graph.code.name}, should be rate", hint="run rate-code"
            )
        self.graph = graph
        self.steps = graph.code.steps if isinstance(graph.code, Rate) else 1

    def steps_of(self, samples: Mapping[str, Array], steps: int | None = None) -> Iterator[Step]:
        """All time steps for a batch of samples: user's numbers, (N, *shape) by input name, or of
        an event input counts, (N, steps, *shape).
        """
        analog = {
            node.name: node.op.quantize(samples[node.name].astype(np.float64)).astype(np.float64)
            for node in self.graph.inputs
            if isinstance(node.op, Input)
        }
        trains = {
            node.name: node.op.sent(samples[node.name])
            for node in self.graph.inputs
            if isinstance(node.op, EventInput)
        }
        batch = len(next(iter(samples.values())))
        populations = [node for node in self.graph if isinstance(node.op, Population)]
        constant = {node.name: _drive(self.graph, node, analog, Analog) for node in populations}
        potential = {node.name: _start(node, batch) for node in populations}
        count = {
            node.name: np.zeros((batch, *node.type.shape), np.int64)
            for node in self.graph
            if isinstance(node.type, Spikes) and not isinstance(node.op, Output)
        }
        for index in range(self.steps if steps is None else steps):
            spikes: dict[str, Integers] = {}
            for node in self.graph:
                if isinstance(node.op, EventInput):
                    spikes[node.name] = trains[node.name][:, index]
                    count[node.name] += spikes[node.name]
                elif isinstance(node.op, MaxPool):
                    (source,) = node.inputs
                    sent = count[source] - spikes[source]
                    spikes[node.name] = node.op.send(sent, spikes[source])
                    count[node.name] += spikes[node.name]
                elif isinstance(node.op, Population):
                    arriving = {name: spikes[name].astype(np.float64) for name in node.inputs
                                if name in spikes}  # fmt: skip
                    model = node.op.model
                    if isinstance(model, Readout) and index < model.delay:
                        continue
                    potential[node.name] += constant[node.name]
                    potential[node.name] += _drive(self.graph, node, arriving, Spikes)
                    potential[node.name] += node.op.bias.integers
                    if isinstance(model, IntegrateFire):
                        spikes[node.name] = model.fire(potential[node.name], count[node.name])
            readouts = {
                node.name: potential[node.name].copy()
                for node in populations
                if not isinstance(node.type, Spikes)
            }
            yield Step(index, spikes, readouts)

    def outputs(self, steps: Iterator[Step]) -> dict[str, Floats]:
        """The network's results after the given steps, in the user's units, by output name."""
        spike_count: dict[str, Integers] = {}
        last: Step | None = None
        for step in steps:
            for node in self.graph.outputs:
                source = node.inputs[0]
                if source in step.spikes:
                    spike_count[source] = spike_count.get(source, np.int64(0)) + step.spikes[source]
            last = step
        if last is None:
            raise ValueError("there is no time step, should be one at least")
        totals = {**last.potentials, **spike_count}
        return decode(self.graph, totals, last.index + 1)


def decode(graph: Graph, totals: Mapping[str, Integers], steps: int) -> dict[str, Floats]:
    """Results in the user's units after `steps` steps.

    totals: by the population that an output reads, its potentials (readout), its spike counts
    (rate code), its slots (ttfs code) or its numbers (radix code). Where the code has its results
    at the end only, steps is 1.
    """
    counted = graph.code.levels if isinstance(graph.code, Radix) else steps
    results = {}
    for node in graph.outputs:
        (source,) = graph.operands(node)
        total = totals[source.name]
        if isinstance(source.type, Spikes) and isinstance(source.type.code, FirstSpike):
            units = value_of(total, source.type.code)
        elif isinstance(source.op, Population) and isinstance(source.op.model, Readout):
            units = source.op.model.evaluate(total / source.op.model.counted(counted))
        else:
            units = total / counted
        results[node.name] = node.op.evaluate((units,))
    return results


def _start(node: Node, batch: int) -> Integers:
    shape = (batch, *node.type.shape)
    if isinstance(node.op, Population) and isinstance(node.op.model, IntegrateFire):
        return np.broadcast_to(node.op.model.start.integers, shape).copy()
    return np.zeros(shape, np.int64)


def _drive(
    graph: Graph, node: Node, values: Mapping[str, Floats], kind: type[Analog] | type[Spikes]
) -> Integers:
    """Σ of the maps whose sources are of one kind."""
    if not isinstance(node.op, Population):
        raise AssertionError("only populations are driven")
    total: Integers = np.zeros((1, *node.op.shape), np.int64)
    for source, chain in zip(graph.operands(node), node.op.maps, strict=True):
        if isinstance(source.type, kind):
            current = reduce(lambda x, op: op.evaluate((x,)), chain, values[source.name])
            total = total + current.reshape(-1, *node.op.shape).astype(np.int64)
    return total
