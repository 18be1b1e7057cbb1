"""Spike semantics of the time-to-first-spike code: integers, plain numpy; see `products`.

Layers follow one another: a population adds up the products of all its sources' spikes, then fires.
As in `spikes`, this is the oracle of every backend, written to be read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from snncc_ir.checker import INTEGER, check
from snncc_ir.composed import Log2
from snncc_ir.diagnostics import fail
from snncc_ir.graph import Graph, Node
from snncc_ir.ops import (
    Chain,
    Conv,
    Dense,
    Input,
    MaxPool,
    Output,
    Population,
    Scale,
    TimeToFirstSpike,
)  # fmt: skip
from snncc_ir.products import octave, products
from snncc_ir.tensors import Array, Floats, Integers, Tensor
from snncc_ir.types import FirstSpike


@dataclass(frozen=True)
class Phases:
    """What a batch of N samples does, all layers' phases done.

    slot: by spiking node, (N, *shape): the slot of its spike, or the number of slots for no spike.
    potential: by population, (N, *shape): its accumulators before it fires.
    """

    slot: Mapping[str, Integers]
    potential: Mapping[str, Integers]

    def totals(self, graph: Graph) -> dict[str, Integers]:
        """By the node that an output reads: its accumulators, or its slots, (N, *shape)."""
        sources = dict.fromkeys(node.inputs[0] for node in graph.outputs)
        return {
            name: self.slot[name] if name in self.slot else self.potential[name] for name in sources
        }


def spike_train(slot: Integers, code: FirstSpike) -> NDArray[np.int8]:
    """(N, *shape) slots as (N, steps, *shape): 1 in the slot of the spike."""
    each = np.arange(code.steps).reshape(1, -1, *[1] * (slot.ndim - 1))
    train: NDArray[np.int8] = (slot[:, None] == each).astype(np.int8)
    return train


def slots_of(train: NDArray[np.int8], code: FirstSpike) -> Integers:
    """(N, *shape) the slot of each neuron's first spike, or the number of slots for none.

    train: (N, steps, *shape).
    """
    slot = np.full((len(train), *train.shape[2:]), code.steps, np.int64)
    for step in reversed(range(code.steps)):  # many times faster than argmax over that axis
        np.copyto(slot, step, where=train[:, step] != 0)
    return slot


def value_of(slot: Integers, code: FirstSpike) -> Floats:
    """What spikes are worth, in units of their population's scale."""
    return np.where(slot < code.steps, np.exp2(-slot / code.tau), 0.0)


def run_phases(graph: Graph, samples: Mapping[str, Array]) -> Phases:
    """Runs an integer graph in the ttfs code on samples (user's numbers, (N, *shape) by input).

    Raises SNN010 for any other graph.
    """
    check(graph, INTEGER)
    code = graph.code
    if not isinstance(code, FirstSpike):
        raise fail(
            "SNN010",
            "the network has no time-to-first-spike code, should have one",
            hint="run ttfs-code",
        )
    numbers: dict[str, Integers] = {}
    slot: dict[str, Integers] = {}
    potential: dict[str, Integers] = {}
    for node in graph:
        match node.op:
            case Input():
                numbers[node.name] = node.op.quantize(samples[node.name].astype(np.float64))
            case MaxPool():
                # the earliest spike of the window; padding never spikes
                earliest = -node.op.evaluate((-slot[node.inputs[0]].astype(np.float64),))
                slot[node.name] = earliest.astype(np.int64)
            case Population(model=model):
                potential[node.name] = _integrate(graph, node, node.op, code, numbers, slot)
                if isinstance(model, TimeToFirstSpike):
                    slot[node.name] = model.slot(potential[node.name])
            case Output():
                pass
    return Phases(slot, potential)


def _integrate(
    graph: Graph,
    node: Node,
    op: Population,
    code: FirstSpike,
    numbers: Mapping[str, Integers],
    slot: Mapping[str, Integers],
) -> Integers:
    """Bias and all products, (N, *shape)."""
    total = op.bias.integers
    for source, chain in zip(node.inputs, op.maps, strict=True):
        if source in numbers:
            levels = graph[source].op
            if not isinstance(levels, Input):
                raise AssertionError("numbers come from inputs")
            bits = (levels.levels or 1).bit_length()
            arriving = _planes(numbers[source], bits, code, chain)
        else:
            bits = None
            arriving = _trains(slot[source], code, chain)
        for spike, sent in arriving:
            total = total + _through(chain, spike, sent, code, bits).reshape(-1, *op.shape)
    batch = len(next(iter([*numbers.values(), *slot.values()])))
    return np.broadcast_to(total, (batch, *op.shape)).astype(np.int64)


def _weight(chain: Chain) -> Log2:
    last = chain[-1]
    if not isinstance(last, Conv | Dense | Scale) or not isinstance(last.weight, Log2):
        raise AssertionError("the checker holds that a map ends in log2 weights")
    return last.weight


def _trains(slot: Integers, code: FirstSpike, chain: Chain) -> Iterator[tuple[int, Floats]]:
    """Exponent of a slot's spikes, and who sends in it (1 or 0)."""
    unit = octave(code, _weight(chain)) // code.tau
    for k in range(code.steps):
        sent = slot == k
        if sent.any():
            yield k * unit, sent.astype(np.float64)


def _planes(
    numbers: Integers, bits: int, code: FirstSpike, chain: Chain
) -> Iterator[tuple[int, Floats]]:
    """Exponent of a bit plane, and who sends in it: 1, −1 where the number is negative, or 0."""
    unit = octave(code, _weight(chain))
    for plane in range(bits):
        sent = (np.abs(numbers) >> (bits - 1 - plane) & 1) * np.sign(numbers)
        if sent.any():
            yield plane * unit, sent.astype(np.float64)


def _through(
    chain: Chain, spike: int, sent: Floats, code: FirstSpike, bits: int | None
) -> Integers:
    """What spikes of one exponent bring: every weight is replaced by its product."""
    *moves, last = chain
    if not isinstance(last, Conv | Dense | Scale):
        raise AssertionError("the checker holds that a map ends in conv, dense or scale")
    weight = Tensor(products(_weight(chain), spike, code, bits))
    result = reduce(lambda x, op: op.evaluate((x,)), [*moves, replace(last, weight=weight)], sent)
    return result.astype(np.int64)
