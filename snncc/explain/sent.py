"""What recorded spikes stand for: numbers of the user's network."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from snncc_backends import Execution
from snncc_ir import (
    Array,
    Batch,
    FirstSpike,
    Floats,
    Graph,
    Integers,
    Node,
    Radix,
    Rate,
    Spikes,
    slots_of,
    value_of,
)
from snncc_ir.ops import EventInput, Input, Population, Readout


def sent_values(graph: Graph, execution: Execution, samples: Batch) -> dict[str, Floats]:
    """By node, (N, *shape), in the user's own numbers: inputs as the chip gets them, populations.

    execution: of `samples`, all steps, with recorded spikes.
    """
    values: dict[str, Floats] = {}
    for node in graph:
        match node.op:
            case Input() as op:
                numbers = samples[node.name].astype(np.float64)
                values[node.name] = op.quantize(numbers).astype(np.float64) * op.scale
            case EventInput() as op:
                values[node.name] = op.worth * op.sent(samples[node.name]).sum(axis=1)
            case Population(model=Readout() as model) as op if node.name in execution.totals:
                counted = graph.code.levels if isinstance(graph.code, Radix) else execution.steps
                total = execution.totals[node.name][:, -1]
                values[node.name] = model.evaluate(total / model.counted(counted)) * op.scale.floats
            case Population() as op if node.name in execution.spikes:
                values[node.name] = _units(node, execution.spikes) * op.scale.floats
    return values


def _units(node: Node, spikes: Mapping[str, NDArray[np.int8]]) -> Floats:
    """In units of the population's scale."""
    train = spikes[node.name]
    code = node.type.code if isinstance(node.type, Spikes) else None
    match code:
        case Rate():
            count: Integers = train.sum(axis=1, dtype=np.int64)
            return count / code.steps
        case Radix():
            place = 1 << np.arange(code.steps - 1, -1, -1)
            number: Integers = np.tensordot(train.astype(np.int64), place, (1, 0))
            return number / code.levels
        case FirstSpike():
            return value_of(slots_of(train, code), code)
    raise AssertionError(f"population '{node.name}' has no code")


def largest_value(node: Node) -> Floats:
    """The largest number that each neuron of a spiking population can send, user's units."""
    op, code = node.op, node.type.code if isinstance(node.type, Spikes) else None
    if not isinstance(op, Population):
        raise TypeError(f"'{node.name}' is no population")
    most = code.most if isinstance(code, Rate) else 1
    largest: Floats = np.broadcast_to(op.scale.floats * most, op.shape)
    return largest


def nearest_level(node: Node, values: Floats) -> Floats:
    """The number nearest to each value that the population's code has (ttfs: in the logarithmic
    domain); values and result (N, *shape), in the user's units."""
    op, code = node.op, node.type.code if isinstance(node.type, Spikes) else None
    if not isinstance(op, Population):
        raise TypeError(f"'{node.name}' is no population")
    scale = op.scale.floats
    units = np.maximum(values, 0.0) / scale
    match code:
        case Rate() | Radix():
            most = code.levels * (code.most if isinstance(code, Rate) else 1)
            return np.minimum(np.rint(units * code.levels), most) / code.levels * scale
        case FirstSpike():
            least = np.exp2(-(code.steps - 0.5) / code.tau)
            slot = np.rint(-code.tau * np.log2(np.maximum(units, least / 2)))
            return value_of(np.clip(slot, 0, code.steps).astype(np.int64), code) * scale
    raise AssertionError(f"population '{node.name}' has no code")


def as_float32(values: Mapping[str, Floats]) -> dict[str, Array]:
    """For onnxruntime."""
    return {name: value.astype(np.float32) for name, value in values.items()}
