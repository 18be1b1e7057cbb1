"""`quantize-weights`: integer weights, biases, thresholds and potentials.

Each output channel gets a scale S, an integer: weights, biases, thresholds and initial potentials
become round(S·w); of binary weights signs stay, and alpha becomes round(S·alpha), of 16 bits
whatever `bits`. S is as large as the weights' bits allow, and small enough that no potential can
leave the accumulator in the given steps, whatever the network's input is. A readout has one S, so
that its potentials can be compared with each other. In the radix code a potential doubles in every
step: T steps count the largest current 2^T − 1 times, and no potential on the way is larger.
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc.passes.base import Context, Lossy, Pass
from snncc.passes.chains import compress
from snncc.passes.extents import extent, rounded_down
from snncc_ir import (
    CODED,
    INTEGER,
    Binary,
    Floats,
    Graph,
    Node,
    Spikes,
    Tensor,
    Type,
    fail,
    i16,
    i32,
)  # fmt: skip
from snncc_ir.ops import (
    Chain,
    Conv,
    Counting,
    Dense,
    Input,
    Population,
    Readout,
    Scale,
    chain_type,
)  # fmt: skip

LARGEST_ERROR = 0.25
"""Of the current in one step, from rounding weights: standard deviation in thresholds."""


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
        if isinstance(model, Counting):
            theta, start = (np.rint(t.floats * scale) for t in (model.theta, model.start))
            model = replace(model, theta=i32(theta), start=i32(start))
        elif isinstance(model, Readout):
            model = replace(model, theta=i32(model.theta.floats * scale))
        return replace(op, maps=maps, bias=bias, model=model)

    def _scale(self, graph: Graph, node: Node, op: Population) -> Floats:
        """S, broadcastable to the population's shape."""
        steps, levels = (graph.code.train, graph.code.levels) if graph.code else (1, 1)
        largest, terms, squares = np.zeros(op.shape), np.ones(op.shape), np.zeros(op.shape)
        reach = np.abs(np.broadcast_to(op.bias.floats, op.shape))
        for source, chain in zip(graph.operands(node), op.maps, strict=True):
            most = extent(chain, _largest_input(source), op.shape)
            largest = np.maximum(largest, most.weight * self._share(chain))
            reach, terms = reach + most.drive, terms + most.terms
            squares = squares + most.squares
        shared = _shares_scale(graph, node, op)
        ends = 2.0
        if isinstance(op.model, Counting):
            ends = max(ends, float(op.model.theta.floats.max() + abs(op.model.start.floats).max()))
        # v stays within levels · Σ|round(S·w)|·|x| + S · (start + threshold), and rounding adds at
        # most 1/2 to each weight; rounded down, so that the order of summation decides nothing
        limit = (1 << (self.accumulator - 1)) - 1
        room = limit - 0.5 * levels * _grouped(terms, shared)
        by_accumulator = rounded_down(room / (levels * _grouped(reach, shared) + ends))
        by_bits = ((1 << (self.bits - 1)) - 1) / np.maximum(_grouped(largest, shared), 1e-30)
        scale: Floats = np.floor(np.minimum(by_bits, by_accumulator))
        # the standard deviation of a rounding error is 1/√12
        error = np.sqrt(_grouped(squares, shared) / 12) / np.maximum(scale, 1e-30)
        if scale.min() < 1 or (isinstance(op.model, Counting) and error.max() > LARGEST_ERROR):
            raise fail(
                "SNN022",
                f"in {steps} steps a potential of '{node.name}' may reach "
                f"{levels * reach.max():.3g} thresholds; weights that keep it in an accumulator "
                f"of {self.accumulator} bits are off by {error.max():.2g} thresholds a step, "
                f"should be at most {LARGEST_ERROR:g}",
                str(node.origin),
                "fewer --steps, or fewer bits for the input: --set input_bits=8",
            )
        return scale

    def _share(self, chain: Chain) -> float:
        """What a weight takes of its room: the factors of binary weights always have 16 bits."""
        *_, last = chain
        if isinstance(last, Conv | Dense) and isinstance(last.weight, Binary):
            return ((1 << (self.bits - 1)) - 1) / ((1 << 15) - 1)
        return 1.0


def _largest_input(source: Node) -> Floats:
    """The most that each source neuron sends in one step: spikes, or the input's levels."""
    magnitude = 1.0
    if isinstance(source.op, Input):
        magnitude = float(source.op.levels or 1)
    elif isinstance(source.type, Spikes):
        magnitude = float(source.type.code.most)
    return np.full(source.type.shape, magnitude)


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
            if isinstance(weight, Binary):
                alpha = i16(np.rint(weight.alpha.floats * factor))
                return (*moves, replace(last, weight=Binary(weight.signs, alpha)))
            return (*moves, replace(last, weight=_stored(weight.floats * factor, bits)))
        case Scale(weight=weight):
            behind = chain_type(chain, source).shape
            spread = np.broadcast_to(weight.floats, behind).reshape(op.shape) * scale
            return (*moves, Scale(_stored(compress(spread.reshape(behind)), bits)))
    raise AssertionError("the checker holds that a map ends in conv, dense or scale")


def _stored(weight: Floats, bits: int) -> Tensor:
    return Tensor(np.rint(weight).astype(np.int8 if bits <= 8 else np.int16))
