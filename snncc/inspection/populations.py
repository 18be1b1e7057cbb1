"""The populations of a graph in normal form: what feeds them, and how much of everything."""

from dataclasses import dataclass
from math import ceil, gcd, prod

import numpy as np

from snncc_ir import Analog, Binary, Graph, Linear, Node, Shape, Spikes, Type
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
    View,
    Window,
    chain_type,
)


@dataclass(frozen=True)
class Layer:
    """One node of the normal form.

    parameters: weights and biases. macs: weights applied if every source neuron spiked once.
    fan_in: most synapses that one neuron receives; fan_out: those that one neuron drives, at most.
    operators: of the nodes of the user's file that it is made of, in order.
    """

    name: str
    kind: str
    sources: tuple[str, ...]
    shape: Shape
    neurons: int
    parameters: int
    macs: int
    fan_in: int
    fan_out: int
    operators: tuple[str, ...]
    origin: str


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
                macs += operations(chain, source.type)
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
                sum(_fan_out(graph, user, node) for user in graph.users[node.name]),
                tuple(source.op_type for source in node.origin.sources),
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


def _fan_out(graph: Graph, user: Node, node: Node) -> int:
    """Synapses from one neuron of `node` into `user`, at most."""
    if isinstance(user.op, MaxPool):
        return _windows(user.op.window, node.type)
    if not isinstance(user.op, Population):
        return 0
    total = 0
    for source, chain in zip(user.inputs, user.op.maps, strict=True):
        copies, kind = int(source == node.name), node.type
        for op in chain if copies else ():
            copies *= _copies(op, kind)
            kind = op.output_type((kind,))
        total += copies
    return total


def _copies(op: Op, operand: Type) -> int:
    """How often one number of an op's operand appears in its result, at most."""
    match op:
        case View(index=index):
            taken = index.integers.reshape(-1)
            return int(np.bincount(taken[taken >= 0], minlength=1).max())
        case SumPool():
            return _windows(op.window, operand)
        case Conv(weight=weight, groups=groups):
            return _windows(op.window, operand) * weight.shape[0] // groups
        case Dense(weight=weight):
            return weight.shape[0]
    return 1


def _windows(window: Window, operand: Type) -> int:
    """Windows that one number is in, at most."""
    sizes = zip(
        window.kernel,
        window.stride,
        window.dilation,
        window.output_sizes(operand.shape[1:]),
        strict=True,
    )
    return prod(min(ceil(k * gcd(s, d) / s), count) for k, s, d, count in sizes)


def operations(chain: Chain, source: Type) -> int:
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
