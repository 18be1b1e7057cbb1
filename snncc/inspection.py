"""What a model becomes, before anyone waits: layers, projections, sizes."""

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from snncc.onnx import import_model
from snncc.passes.base import Context
from snncc.passes.manager import run_pipeline
from snncc.passes.registry import parse_pipeline
from snncc_ir import Analog, Binary, Graph, Linear, Shape, Spikes, Type
from snncc_ir.ops import (
    Chain,
    Conv,
    Dense,
    MaxPool,
    Op,
    Population,
    Readout,
    Scale,
    SumPool,
    chain_type,
)

NORMAL_FORM = (
    "adopt-grids,drop-grids,hoist-neurons,fold-batchnorm,sink-views,fuse,binary-weights,"
    "linear-weights"
)


@dataclass(frozen=True)
class Layer:
    """One node of the normal form.

    fan_in: most weights that one neuron receives. macs: multiply-adds of the float network, which
    are the synaptic operations if every source neuron spiked once.
    """

    name: str
    kind: str
    sources: tuple[str, ...]
    shape: Shape
    neurons: int
    parameters: int
    macs: int
    fan_in: int
    origin: str


@dataclass(frozen=True)
class Inspection:
    """A model's layers and what the front end had to say."""

    layers: tuple[Layer, ...]
    notes: tuple[str, ...]


def inspect(model: Path) -> Inspection:
    """Raises `SnnccError` with all that keeps the model from being compiled."""
    imported = import_model(model)
    passes = parse_pipeline(NORMAL_FORM)
    graph = run_pipeline(imported.graph, passes, Context({}), measure=False).graph
    return Inspection(layers(graph), imported.notes)


def layers(graph: Graph) -> tuple[Layer, ...]:
    """Of a graph in normal form; inputs and outputs aside."""
    found = []
    for node in graph:
        parameters = macs = fan_in = 0
        if isinstance(node.op, Population):
            kind = "readout" if isinstance(node.op.model, Readout) else "population"
            parameters = node.op.bias.array.size
            for source, chain in zip(graph.operands(node), node.op.maps, strict=True):
                own_parameters, own_fan_in = _size(chain, source.type)
                parameters, fan_in = parameters + own_parameters, fan_in + own_fan_in
                macs += _operations(chain, source.type)
            kind += f": {', '.join('·'.join(map(_label, chain)) for chain in node.op.maps)}"
        elif isinstance(node.op, MaxPool):
            kind, fan_in = "maxpool", prod(node.op.kernel)
        else:
            continue
        neurons = node.type.size if isinstance(node.type, Spikes | Analog) else 0
        found.append(
            Layer(
                node.name,
                kind,
                node.inputs,
                node.type.shape,
                neurons,
                parameters,
                macs,
                fan_in,
                str(node.origin),
            )
        )
    return tuple(found)


def _label(op: Op) -> str:
    """Its name, and of weights that are ±alpha, or integers times a step, that they are."""
    if isinstance(op, Conv | Dense) and isinstance(op.weight, Binary):
        return f"binary {op.name}"
    if isinstance(op, Conv | Dense) and isinstance(op.weight, Linear):
        largest = int(np.abs(op.weight.codes.integers).max(initial=0))
        return f"{largest.bit_length() + 1}-bit {op.name}"
    return op.name


def _size(chain: Chain, source: Type) -> tuple[int, int]:
    """(weights, largest fan-in) of a map."""
    *moves, last = chain
    pooled = prod(prod(op.kernel) for op in moves if isinstance(op, SumPool))
    match last:
        case Conv(weight=weight):
            return weight.array.size, pooled * weight.array[0].size
        case Dense(weight=weight):
            return weight.array.size, pooled * weight.shape[1]
        case Scale(weight=weight):
            return weight.array.size, pooled
    raise AssertionError("the checker holds that a map ends in conv, dense or scale")


def _operations(chain: Chain, source: Type) -> int:
    """Weights applied for one unit from every source neuron, borders included."""
    *moves, last = chain
    behind = chain_type(tuple(moves), source)
    match last:
        case Conv(weight=weight):
            taps = np.ones((1, 1, *weight.shape[2:]))
            ones = np.ones((1, 1, *behind.shape[1:]))
            covered = last.window.slide(ones)
            axes = tuple(range(covered.ndim - taps.ndim + 2, covered.ndim))
            return int(covered.sum(axis=axes).sum()) * weight.shape[0] * weight.shape[1]
        case Dense(weight=weight):
            return int(weight.array.size)
    return behind.size
