"""A network as it would be handed to a backend, with stand-in numbers: before any calibration.

Ops, shapes, formats, codes and neuron models are those that the settings lead to, so that whatever
looks at these alone (rules, layouts, tilings, partitions) says of a draft what it will say of the
compiled network. Weights are rounded one by one to the format that they will have; thresholds,
starts and biases are small numbers without a meaning.
"""

from dataclasses import replace

import numpy as np

from snncc_backends.settings import RadixSettings, RateSettings, Settings, TtfsSettings
from snncc_ir import Array, Binary, Graph, Log2, Node, Tensor, i16, i32
from snncc_ir.ops import (
    MODELS,
    Chain,
    Conv,
    Dense,
    GradedIntegrateFire,
    Input,
    IntegrateFire,
    MaxPool,
    Model,
    Population,
    RadixFire,
    Readout,
    Relu,
    Scale,
    TimeToFirstSpike,
)  # fmt: skip

ALPHA = 100
THETA = 64


class DraftLog2(Log2):
    """Logarithmic weights of which only the codes are there: `array` has them, and no values."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "array", self.codes.array)


def draft(graph: Graph, settings: Settings) -> Graph | None:
    """The draft of a graph in normal form at stage INTEGER; None for codings of others."""
    if not isinstance(settings, RateSettings | TtfsSettings | RadixSettings):
        return None
    levels = (1 << settings.input_bits) - 1
    if not isinstance(settings, TtfsSettings):
        levels >>= 1  # their input_bits count the sign

    def rewrite(node: Node) -> Node:
        if isinstance(node.op, Input):
            return replace(node, op=replace(node.op, scale=1.0, levels=levels))
        if not isinstance(node.op, Population):
            return node
        maps = tuple(_map(chain, settings) for chain in node.op.maps)
        op = replace(node.op, maps=maps, bias=_bias(node.op.bias))
        return replace(node, op=replace(op, model=_model(op, settings)))

    return graph.rewritten(rewrite)


def projected(graph: Graph) -> int:
    """Synapses of a graph in normal form or later, those of max pools too; at least 1."""
    return max(1, sum(synapses(graph, node) for node in graph))


def synapses(graph: Graph, node: Node) -> int:
    """That end in a node's neurons, paddings among them: one for each weight that arrives there."""
    if isinstance(node.op, MaxPool):
        return node.type.size * int(np.prod(node.op.kernel))
    if not isinstance(node.op, Population):
        return 0
    total = 0
    for chain in node.op.maps:
        *moves, last = chain
        summed = int(np.prod([np.prod(getattr(op, "kernel", 1)) for op in moves]))
        each = int(np.prod(last.weight.shape[1:])) if isinstance(last, Conv | Dense) else 1
        total += node.type.size * summed * each
    return total


def _model(op: Population, settings: Settings) -> Model:
    """The neurons that the settings ask for; thresholds and starts by channel."""
    column = (op.shape[0], *[1] * (len(op.shape) - 1))
    theta, start = i32(np.full(column, THETA)), i32(np.full(column, THETA // 2))
    if isinstance(op.model, Readout):
        return Readout(i32(np.full(column, THETA)))
    if not isinstance(op.model, Relu):
        return op.model
    match settings:
        case RateSettings():
            kind = MODELS.get(settings.neuron, IntegrateFire)
            if not issubclass(kind, IntegrateFire):
                kind = IntegrateFire
            share = i32(np.full(column, round(THETA * settings.start)))
            model = kind(settings.steps, theta, share)
            if isinstance(model, GradedIntegrateFire):
                return replace(model, most=settings.most)
            return model
        case RadixSettings():
            return RadixFire(settings.steps, theta, start)
        case TtfsSettings():
            table = i32(np.arange(settings.steps, 0, -1))
            return TimeToFirstSpike(settings.tau, table, settings.constant_bits)
    return op.model


def _bias(bias: Tensor) -> Tensor:
    """Their ranks: equal where the network's are, so that what is stored by channel stays so."""
    ranks = np.unique(bias.array, return_inverse=True)[1]
    return i32(ranks.reshape(bias.shape))


def _map(chain: Chain, settings: Settings) -> Chain:
    *moves, last = chain
    if not isinstance(last, Conv | Dense | Scale):
        raise AssertionError("the checker holds that a map ends in conv, dense or scale")
    by_channel = isinstance(last, Conv | Dense)
    return (*moves, replace(last, weight=_weight(last.weight, by_channel, settings)))


def _weight(weight: Tensor, by_channel: bool, settings: Settings) -> Tensor:
    """by_channel: each output channel has a scale of its own."""
    bits = getattr(settings, "weight_bits", 16)
    if isinstance(weight, Binary):
        return Binary(weight.signs, i16(np.full(weight.alpha.shape, ALPHA)))
    values = weight.array.astype(np.float32, copy=False)
    axes = tuple(range(int(by_channel), values.ndim))
    largest = np.abs(values).max(axis=axes, keepdims=True)
    shares = values / np.where(largest > 0, largest, 1)
    if isinstance(settings, TtfsSettings):
        codes = Tensor(_codes(shares, settings.resolution, bits))
        return DraftLog2(codes, Tensor(np.zeros(largest.shape, np.int16)), settings.resolution)
    top = (1 << (bits - 1)) - 1
    return Tensor(np.rint(shares * top).astype(np.int8 if bits <= 8 else np.int16))


def _codes(shares: Array, resolution: int, bits: int) -> Array:
    """Codes of `Log2` for numbers of at most 1: 0, or a sign and 1 to 2^(bits−1) − 1."""
    octaves = -np.log2(np.maximum(np.abs(shares), 2.0**-64))
    steps = np.rint(octaves * resolution) + 1
    least = (1 << (bits - 1)) - 1
    codes: Array = np.where(steps > least, 0, np.sign(shares) * steps).astype(np.int8)
    return codes
