"""How large the integer scale S of a population may be, for each of its channels.

Weights, biases, thresholds and starts become round(S·w). S is bounded by the weights' bits, by what
a bias may be, and by an accumulator in which no potential may overflow, whatever the network's
input is. Two bounds of potentials are proven here, of neurons with at most `pos` upward and `neg`
downward in a step (both ≥ 0), over L steps:

* `sum`:    |v| ≤ start + L·(pos + neg) + theta, which needs nothing from neurons;
* `reset`:  v ≥ min(start, 0) − L·neg, and v ≤ max(start, theta) + L·max(0, pos − most·theta) + pos:
  a neuron with v ≥ theta sends and is reset, by up to most·theta in a step, and one with v < theta
  adds `pos` at most; what signed neurons take back when v < 0 leaves v below theta. Of neurons that
  are reset to zero, v ≤ max(start, theta) + pos. And v ≤ start + L·pos of all, those too that
  never spike (readout) or only afterwards (radix code).

The second is up to twice as tight, because a potential does not go up and down in the same step.
Rounding adds at most 1/2 to each weight.
"""

from dataclasses import dataclass

import numpy as np

from snncc.passes.extents import driven_up, extent, rounded_down
from snncc_ir import Binary, Floats, Graph, Node, Rate, Spikes
from snncc_ir.ops import (
    Chain,
    Conv,
    Counting,
    Dense,
    HardIntegrateFire,
    Input,
    IntegrateFire,
    Population,
    Readout,
    Scale,
    chain_type,
)  # fmt: skip

BOUNDS = ("sum", "reset")


@dataclass(frozen=True)
class Limits:
    """bits: of weights; accumulator: bits of potentials, sign included. bias: largest magnitude of
    a bias, together with what a one-to-one map from the input adds to it; 0: any."""

    bits: int
    accumulator: int
    bias: int
    bound: str

    @property
    def weight(self) -> int:
        """The largest weight."""
        return int((1 << (self.bits - 1)) - 1)

    @property
    def potential(self) -> int:
        """The largest potential."""
        return int((1 << (self.accumulator - 1)) - 1)


@dataclass(frozen=True)
class Room:
    """Of a population: its S at most, broadcastable to its shape, not rounded to an integer.

    reach: of the current in one step, in thresholds. squares: Σ x² of what arrives in one step, for
    each channel, from which the error of rounding follows; 0 where weights are not rounded.
    """

    scale: Floats
    reach: float
    squares: Floats


@dataclass
class _Sums:
    """For each neuron, over all maps: the largest |w|, and what they bring in one step at most.

    up, down: with the bias. terms: Σ |x|, with 1 for the bias. written, numbers: |bias| and what
    one-to-one maps of the input bring, and of how many roundings that has the errors.
    """

    largest: Floats
    drive: Floats
    up: Floats
    down: Floats
    terms: Floats
    squares: Floats
    written: Floats
    numbers: Floats


def room(graph: Graph, node: Node, op: Population, limits: Limits, exact: bool = False) -> Room:
    """How large S may be; for bound `reset` but for what rounding adds, which `overshoot` knows.

    exact: S·w are integers, of neurons that each get one number and so an even current.
    """
    sums = _sums(graph, node, op, limits, exact)
    shared = shares_scale(graph, node, op)
    reach = sums.drive + np.abs(op.bias.floats)
    levels = graph.code.levels if graph.code else 1
    if exact or limits.bound == "reset":
        # of exact weights, each step adds a bias that is rounded, against a rounded threshold
        slack = levels + 2.0 if exact else 0.0
        highest = (limits.potential - slack) / _farthest(op, levels, sums, exact)
    else:
        # v stays within levels · Σ|round(S·w)|·|x| + S · (start + threshold), and rounding adds at
        # most 1/2 to each weight
        ends = 2.0
        if isinstance(op.model, Counting):
            ends = max(ends, float(op.model.theta.floats.max() + abs(op.model.start.floats).max()))
        rest = limits.potential - 0.5 * levels * grouped(sums.terms, shared)
        highest = rest / (levels * grouped(reach, shared) + ends)
    by_accumulator = _least(highest, shared)
    if not exact:
        # so that the order of summation decides nothing
        by_accumulator = rounded_down(by_accumulator)
    by_bits = limits.weight / np.maximum(grouped(sums.largest, shared), 1e-30)
    scale = np.minimum(by_bits, by_accumulator)
    if limits.bias:
        rest = np.maximum(limits.bias - 0.5 * sums.numbers, 0.5)
        by_bias = _least(rest / np.maximum(sums.written, 1e-30), shared)
        scale = np.minimum(scale, by_bias if exact else rounded_down(by_bias))
    return Room(scale, float(reach.max()), grouped(sums.squares, shared))


def _sums(graph: Graph, node: Node, op: Population, limits: Limits, exact: bool) -> _Sums:
    bias, zeros = np.broadcast_to(op.bias.floats, op.shape), np.zeros(op.shape)
    up, down = np.maximum(bias, 0.0), np.maximum(-bias, 0.0)
    sums = _Sums(zeros, zeros, up, down, zeros + 1, zeros, np.abs(bias), zeros + 1)
    for source, chain in zip(graph.operands(node), op.maps, strict=True):
        magnitude = _largest_input(source)
        most = extent(chain, magnitude, op.shape)
        sums.largest = np.maximum(sums.largest, most.weight * _share(chain, limits))
        sums.drive = sums.drive + most.drive
        if not exact:
            sums.terms, sums.squares = sums.terms + most.terms, sums.squares + most.squares
        if limits.bound == "reset" or exact:
            up = most.drive if _either(source) else driven_up(chain, magnitude, op.shape)
            other = most.drive if _either(source) else np.maximum(most.drive - up, 0.0)
            sums.up, sums.down = sums.up + up, sums.down + other
        if isinstance(source.op, Input) and isinstance(chain[-1], Scale):
            sums.written = sums.written + most.drive
            sums.numbers = sums.numbers if exact else sums.numbers + most.terms
    return sums


def overshoot(graph: Graph, node: Node, op: Population, limits: Limits) -> Floats:
    """How far potentials of a population in integers may go, as a share of what there is room for.

    One number for all neurons that share an S; op: with integers, in place of the node's own.
    """
    levels = graph.code.levels if graph.code else 1
    farthest = _farthest(op, levels, _sums(graph, node, op, limits, exact=False))
    return grouped(farthest / limits.potential, shares_scale(graph, node, op))


def _farthest(op: Population, levels: int, sums: _Sums, exact: bool = False) -> Floats:
    """The largest |v| and theta, by bound `reset`: (*shape)."""
    model, up, down = op.model, sums.up, sums.down
    start = theta = np.zeros(op.shape)
    if isinstance(model, Readout):
        levels = model.counted(levels)
    if isinstance(model, Counting):
        start, theta = (np.broadcast_to(t.floats, op.shape) for t in (model.start, model.theta))
    highest = levels * up + np.maximum(start, 0.0)
    if isinstance(model, HardIntegrateFire):
        highest = np.minimum(highest, np.maximum(start, theta) + up)
    elif isinstance(model, IntegrateFire):
        gained = np.maximum(up - model.code.most * theta, 0.0)
        highest = np.minimum(highest, np.maximum(start, theta) + levels * gained + up)
    # of an even current that is negative, the first spike never comes: v falls from its start on
    even = np.where(exact & (start < theta), start, np.minimum(start, 0.0))
    farthest: Floats = np.maximum(np.maximum(highest, levels * down - even), theta)
    return np.maximum(farthest, 1e-30)


def shares_scale(graph: Graph, node: Node, op: Population) -> bool:
    """Whether all neurons need one S: readouts, and convolutions whose channels are not axis 0."""
    return isinstance(op.model, Readout) or any(
        isinstance(chain[-1], Conv) and chain_type(chain, source.type).shape != op.shape
        for source, chain in zip(graph.operands(node), op.maps, strict=True)
    )


def grouped(values: Floats, shared: bool) -> Floats:
    """The largest of each channel, or of all: (C, 1, …) or (1, 1, …)."""
    result: Floats = values.max(axis=tuple(range(0 if shared else 1, values.ndim)), keepdims=True)
    return result


def _least(values: Floats, shared: bool) -> Floats:
    return -grouped(-values, shared)


def _either(source: Node) -> bool:
    """Whether a source also sends negative numbers."""
    if isinstance(source.type, Spikes) and isinstance(source.type.code, Rate):
        return source.type.code.signed
    return isinstance(source.op, Input)


def _largest_input(source: Node) -> Floats:
    """The most that each source neuron sends in one step: spikes, or the input's levels."""
    magnitude = 1.0
    if isinstance(source.op, Input):
        magnitude = float(source.op.levels or 1)
    elif isinstance(source.type, Spikes):
        magnitude = float(source.type.code.most)
    return np.full(source.type.shape, magnitude)


def _share(chain: Chain, limits: Limits) -> float:
    """What a weight takes of its room: the factors of binary weights always have 16 bits."""
    last = chain[-1]
    if isinstance(last, Conv | Dense) and isinstance(last.weight, Binary):
        return limits.weight / ((1 << 15) - 1)
    return 1.0
