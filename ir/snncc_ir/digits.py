"""Spike semantics of the radix code: integers, plain numpy, digit by digit.

Layers follow one another: a population integrates the T digits of all its sources, then sends the T
digits of its own number. As in `spikes`, this is the oracle of every backend, written to be read.

What is constant, the bias and the drive of analog inputs, comes in every step; as potentials
double, the T steps count it 1 + 2 + … + 2^(T−1) = 2^T − 1 times, which is how often they count a
source that sends nothing but ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc_ir.checker import INTEGER, check
from snncc_ir.diagnostics import fail
from snncc_ir.graph import Graph, Node
from snncc_ir.ops import Input, MaxPool, Output, Population, RadixFire
from snncc_ir.tensors import Array, Floats, Integers
from snncc_ir.types import Analog, Radix, Spikes


@dataclass(frozen=True)
class Numbers:
    """What a batch of N samples does, all layers' digits sent.

    number: by spiking node, (N, *shape): the number whose digits it has sent.
    potential: by population, (N, *shape): its accumulators before it fires, without its start.
    """

    number: Mapping[str, Integers]
    potential: Mapping[str, Integers]

    def totals(self, graph: Graph) -> dict[str, Integers]:
        """By the node that an output reads: its accumulators, or its numbers, (N, *shape)."""
        sources = dict.fromkeys(node.inputs[0] for node in graph.outputs)
        return {
            name: self.number[name] if name in self.number else self.potential[name]
            for name in sources
        }


def digit(number: Integers, step: int, code: Radix) -> Integers:
    """What is sent in a step: 1 where the digit worth 2^(steps−1−step) is set, else 0."""
    return number >> (code.steps - 1 - step) & 1


def digit_train(number: Integers, code: Radix) -> NDArray[np.int8]:
    """(N, *shape) numbers as (N, steps, *shape): their digits, most significant first."""
    train = np.stack([digit(number, step, code) for step in range(code.steps)], axis=1)
    return train.astype(np.int8)


def run_digits(graph: Graph, samples: Mapping[str, Array]) -> Numbers:
    """Runs an integer graph in the radix code on samples (user's numbers, (N, *shape) by input).

    Raises SNN010 for any other graph.
    """
    check(graph, INTEGER)
    code = graph.code
    if not isinstance(code, Radix):
        raise fail(
            "SNN010", "the network has no radix code, should have one", hint="run radix-code"
        )
    analog: dict[str, Floats] = {}
    number: dict[str, Integers] = {}
    potential: dict[str, Integers] = {}
    for node in graph:
        match node.op:
            case Input():
                units = node.op.quantize(samples[node.name].astype(np.float64))
                analog[node.name] = units.astype(np.float64)
            case MaxPool():
                # the largest number of the window; on a chip, digit by digit from the top: a pool
                # sends 1 when any source still in the race does, and who sent less drops out
                largest = node.op.evaluate((number[node.inputs[0]].astype(np.float64),))
                number[node.name] = largest.astype(np.int64)
            case Population(model=model):
                batch = len(next(iter(analog.values())))
                potential[node.name] = _integrate(graph, node, node.op, code, analog, number, batch)
                if isinstance(model, RadixFire):
                    number[node.name] = _fire(model, potential[node.name])
            case Output():
                pass
    return Numbers(number, potential)


def _integrate(
    graph: Graph,
    node: Node,
    op: Population,
    code: Radix,
    analog: Mapping[str, Floats],
    number: Mapping[str, Integers],
    batch: int,
) -> Integers:
    """Horner's rule over the digits of all sources: (N, *shape)."""
    constant = op.bias.integers + _drive(graph, node, op, analog, Analog)
    potential = np.zeros((batch, *op.shape), np.int64)
    for step in range(code.steps):
        arriving = {
            name: digit(number[name], step, code).astype(np.float64)
            for name in node.inputs
            if name in number
        }
        potential = 2 * potential + constant + _drive(graph, node, op, arriving, Spikes)
    return potential


def _drive(
    graph: Graph,
    node: Node,
    op: Population,
    values: Mapping[str, Floats],
    kind: type[Analog] | type[Spikes],
) -> Integers:
    """What the maps from sources of one kind bring: (N, *shape), or (1, *shape) without any.

    In float64, which is exact here, as in `spikes`.
    """
    total: Integers = np.zeros((1, *op.shape), np.int64)
    for source, chain in zip(graph.operands(node), op.maps, strict=True):
        if isinstance(source.type, kind):
            current = values[source.name]
            for step in chain:
                current = step.evaluate((current,))
            total = total + current.reshape(-1, *op.shape).astype(np.int64)
    return total


def _fire(model: RadixFire, potential: Integers) -> Integers:
    """The numbers that the neurons send, digit by digit."""
    left = potential + model.start.integers
    number = np.zeros_like(left)
    for step in range(model.steps):
        number = 2 * number + model.fire(left, step)
    return number
