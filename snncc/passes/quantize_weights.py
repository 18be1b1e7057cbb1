"""`quantize-weights`: integer weights, biases, thresholds and potentials.

Each output channel gets a scale S, an integer: weights and biases become round(S·w), the threshold
S itself. S is as large as the weights' bits allow, and small enough that no potential can leave the
accumulator in the given steps, whatever the network's input is. A readout has one S, so that
its potentials can be compared with each other.
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc.passes.base import Context, Lossy, Pass
from snncc.passes.chains import compress
from snncc_ir import (
    CODED,
    INTEGER,
    Floats,
    Graph,
    Node,
    Rate,
    Tensor,
    Type,
    fail,
    i32,
)  # fmt: skip
from snncc_ir.ops import (
    Chain,
    Conv,
    Dense,
    Input,
    IntegrateFire,
    Population,
    Readout,
    Scale,
    chain_type,
)  # fmt: skip

LARGEST_SCALE = 1 << 24
"""Of channels whose weights are all zero or nearly so."""
FEWEST_LEVELS = 2.0
"""A channel's largest weight has to keep as many levels, or the accumulator is too narrow."""


@dataclass(frozen=True)
class QuantizeWeights(Pass):
    """Integers of `bits` bits for weights, and of `accumulator` bits for potentials."""

    bits: int = 16
    accumulator: int = 32
    name = "quantize-weights"
    needs = CODED
    leaves = INTEGER
    promise = Lossy(why="weights and biases are rounded to integers")

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 16:
            raise fail("SNN020", f"bits is {self.bits}, should be 2 to 16")
        if not 16 <= self.accumulator <= 32:
            raise fail("SNN020", f"accumulator is {self.accumulator}, should be 16 to 32")

    def run(self, graph: Graph, context: Context) -> Graph:
        def rewrite(node: Node) -> Node:
            if not isinstance(node.op, Population):
                return node
            op = self._integer(graph, node, node.op)
            return replace(node, op=op, origin=node.origin.by(self.name))

        return graph.rewritten(rewrite)

    def _integer(self, graph: Graph, node: Node, op: Population) -> Population:
        sources = graph.operands(node)
        scale = self._scale(graph, node, op)
        maps = tuple(
            _rounded_map(chain, source.type, scale, op, self.bits)
            for source, chain in zip(sources, op.maps, strict=True)
        )
        bias = i32(compress(np.rint(op.bias.floats * scale)))
        model = op.model
        if isinstance(model, IntegrateFire):
            start = np.rint(model.start.floats * scale)
            model = replace(model, theta=i32(model.theta.floats * scale), start=i32(start))
        elif isinstance(model, Readout):
            model = Readout(i32(model.theta.floats * scale))
        return replace(op, maps=maps, bias=bias, model=model)

    def _scale(self, graph: Graph, node: Node, op: Population) -> Floats:
        """S, broadcastable to the population's shape."""
        steps = graph.code.steps if isinstance(graph.code, Rate) else 1
        largest, terms = np.zeros(op.shape), np.ones(op.shape)
        reach = np.abs(np.broadcast_to(op.bias.floats, op.shape))
        for source, chain in zip(graph.operands(node), op.maps, strict=True):
            extent = _extent(chain, source, op)
            largest = np.maximum(largest, extent[0])
            reach, terms = reach + extent[1], terms + extent[2]
        shared = _shares_scale(graph, node, op)
        largest, reach, terms = (_grouped(values, shared) for values in (largest, reach, terms))
        # v stays within steps · Σ|round(S·w)| · |x| + S (start) + S (threshold), and rounding adds
        # at most 1/2 to each weight
        limit = (1 << (self.accumulator - 1)) - 1
        by_accumulator = (limit - 0.5 * steps * terms) / (steps * reach + 2)
        by_bits = ((1 << (self.bits - 1)) - 1) / np.maximum(largest, 1e-30)
        scale: Floats = np.floor(np.minimum(np.minimum(by_bits, by_accumulator), LARGEST_SCALE))
        levels = np.where(largest > 0, scale * largest, np.inf)
        if scale.min() < 1 or levels.min() < FEWEST_LEVELS:
            raise fail(
                "SNN022",
                f"in {steps} steps a potential of '{node.name}' may reach "
                f"{steps * reach.max():.3g} thresholds, which leaves {max(levels.min(), 0):.2g} "
                f"levels for a weight in an accumulator of {self.accumulator} bits, should be at "
                f"least {FEWEST_LEVELS:g}",
                str(node.origin),
                "fewer --steps, a wider accumulator, or fewer --input-bits",
            )
        return scale


def _extent(chain: Chain, source: Node, op: Population) -> tuple[Floats, Floats, Floats]:
    """For each neuron: its largest |w|, Σ |w|·|x| and Σ |x| for the largest input there can be."""
    *moves, last = chain
    magnitude = float(source.op.levels or 1) if isinstance(source.op, Input) else 1.0
    values = np.full((1, *source.type.shape), magnitude)
    for move in moves:
        values = move.evaluate((values,))
    if not isinstance(last, Conv | Dense | Scale):
        raise AssertionError("the checker holds that a map ends in conv, dense or scale")
    weight = np.abs(last.weight.floats)
    ones = replace(last, weight=Tensor(np.ones_like(weight)))
    drive, terms = (
        layer.evaluate((values,))[0].reshape(op.shape)
        for layer in (replace(last, weight=Tensor(weight)), ones)
    )
    if isinstance(last, Scale):
        largest = np.broadcast_to(weight, values.shape[1:]).reshape(op.shape)
    else:
        peaks = weight.reshape(len(weight), -1).max(1)
        shape = ones.evaluate((values,)).shape[1:]
        spread = peaks.reshape(-1, *[1] * (len(shape) - 1))
        largest = np.broadcast_to(spread, shape).reshape(op.shape)
    return largest, drive, terms


def _shares_scale(graph: Graph, node: Node, op: Population) -> bool:
    """Whether all neurons need one S: readouts, and convolutions whose channels are not axis 0."""
    return isinstance(op.model, Readout) or any(
        isinstance(chain[-1], Conv) and chain_type(chain, source.type).shape != op.shape
        for source, chain in zip(graph.operands(node), op.maps, strict=True)
    )


def _grouped(values: Floats, shared: bool) -> Floats:
    """The largest of each channel, or of all: (C, 1, …) or (1, 1, …)."""
    result: Floats = values.max(axis=tuple(range(0 if shared else 1, values.ndim)), keepdims=True)
    return result


def _rounded_map(chain: Chain, source: Type, scale: Floats, op: Population, bits: int) -> Chain:
    *moves, last = chain
    match last:
        case Conv(weight=weight) | Dense(weight=weight):
            outputs = weight.shape[0]
            full = np.broadcast_to(scale, op.shape).reshape(outputs, -1)[:, 0]
            factor = full.reshape(-1, *[1] * (len(weight.shape) - 1))
            return (*moves, replace(last, weight=_stored(weight.floats * factor, bits)))
        case Scale(weight=weight):
            behind = chain_type(chain, source).shape
            spread = np.broadcast_to(weight.floats, behind).reshape(op.shape) * scale
            return (*moves, Scale(_stored(compress(spread.reshape(behind)), bits)))
    raise AssertionError("the checker holds that a map ends in conv, dense or scale")


def _stored(weight: Floats, bits: int) -> Tensor:
    return Tensor(np.rint(weight).astype(np.int8 if bits <= 8 else np.int16))
