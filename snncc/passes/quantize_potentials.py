"""`quantize-potentials`: fixed-point potentials, thresholds and products for the ttfs code.

A population's potential counts in units of 2^−M of its scale: M goes into the weights' exponents,

    exponent E → E + M·resolution,   threshold → round(2^M · threshold),   bias → round(2^M · bias)

and is as large as the constants' bits allow (a product is a constant shifted to the right, never to
the left), and small enough that no input whatever can drive a potential out of the accumulator,
in whatever order spikes come. So accumulators never saturate. See `snncc_ir.products`.
"""

from dataclasses import dataclass, replace
from math import prod

import numpy as np

from snncc.passes.base import Context, Lossy, Pass
from snncc.passes.chains import compress
from snncc_ir import (
    CODED,
    INTEGER,
    FirstSpike,
    Floats,
    Graph,
    Log2,
    Node,
    SnnccError,
    fail,
    i16,
    i32,
    octave,
    offsets,
    products,
)  # fmt: skip
from snncc_ir.ops import (
    Chain,
    Conv,
    Dense,
    Input,
    Population,
    Readout,
    Scale,
    SumPool,
    TimeToFirstSpike,
)  # fmt: skip

LEAST_THRESHOLD = 2
"""Of the last slot, in units of the accumulator: below, products round to nothing beside it."""


@dataclass(frozen=True)
class QuantizePotentials(Pass):
    """Products from constants of `constant_bits` bits, potentials of `accumulator_bits` bits."""

    constant_bits: int = 16
    accumulator_bits: int = 24
    name = "quantize-potentials"
    needs = CODED
    leaves = INTEGER
    promise = Lossy(why="biases and thresholds become integers")

    def __post_init__(self) -> None:
        if not 8 <= self.constant_bits <= 24:
            raise fail("SNN020", f"constant_bits is {self.constant_bits}, should be 8 to 24")
        if not 16 <= self.accumulator_bits <= 32:
            raise fail("SNN020", f"accumulator_bits is {self.accumulator_bits}, should be 16 to 32")

    def run(self, graph: Graph, context: Context) -> Graph:
        if not isinstance(graph.code, FirstSpike):
            raise fail(
                "SNN020", "the network has no ttfs code, should have one", hint="run ttfs-code"
            )
        code = replace(graph.code, constant_bits=self.constant_bits)

        def rewrite(node: Node) -> Node:
            if not isinstance(node.op, Population):
                return node
            op = self._fixed(graph, node, node.op, code)
            return replace(node, op=op, origin=node.origin.by(self.name))

        return graph.rewritten(rewrite)

    def _fixed(self, graph: Graph, node: Node, op: Population, code: FirstSpike) -> Population:
        sources = graph.operands(node)
        bits = [_input_bits(source) for source in sources]
        room = [
            _room(_weight(chain, node), code, n) for chain, n in zip(op.maps, bits, strict=True)
        ]
        limit = (1 << (self.accumulator_bits - 1)) - 1
        largest = max(float(np.abs(op.bias.floats).max()), 1.0)
        unit = min(*room, int(np.log2(limit / largest)))
        while unit > 0:
            fixed = _in_units(op, unit, self.constant_bits)
            if _reach(fixed, code, bits) <= limit:
                self._refuse_coarse(node, fixed, unit)
                return fixed
            unit -= 1
        raise self._coarse(node, "a potential reaches many times its scale", unit)

    def _refuse_coarse(self, node: Node, op: Population, unit: int) -> None:
        """Raises SNN022 when the last slots cannot be told apart."""
        if not isinstance(op.model, TimeToFirstSpike):
            return
        if op.model.threshold.integers[-1] < LEAST_THRESHOLD:
            octaves = (op.model.steps - 1) / op.model.tau
            raise self._coarse(node, f"{op.model.steps} slots span {octaves:g} octaves", unit)

    def _coarse(self, node: Node, what: str, unit: int) -> SnnccError:
        return fail(
            "SNN022",
            f"in '{node.name}' {what}; accumulators of {self.accumulator_bits} bits with constants "
            f"of {self.constant_bits} bits leave {max(unit, 0)} bits below its scale, should be "
            f"enough for a last threshold of {LEAST_THRESHOLD}",
            str(node.origin),
            "fewer --steps or a larger tau, or more accumulator_bits and constant_bits",
        )


def _weight(chain: Chain, node: Node) -> Log2:
    last = chain[-1]
    if not isinstance(last, Conv | Dense | Scale) or not isinstance(last.weight, Log2):
        raise fail(
            "SNN020",
            f"the weights of '{node.name}' are not logarithmic, should be",
            str(node.origin),
            "run quantize-log2 before quantize-potentials",
        )
    return last.weight


def _input_bits(source: Node) -> int | None:
    """Magnitude bits of an input's numbers; None for spikes."""
    return (source.op.levels or 1).bit_length() if isinstance(source.op, Input) else None


def _room(weight: Log2, code: FirstSpike, bits: int | None) -> int:
    """The largest M that leaves every offset at least 0."""
    return int(offsets(weight, code, bits).min()) // octave(code, weight)


def _in_units(op: Population, unit: int, constant_bits: int) -> Population:
    """`op` with potentials in units of 2^−unit."""
    factor = 2.0**unit
    maps = tuple(_finer(chain, unit) for chain in op.maps)
    model = op.model
    if isinstance(model, TimeToFirstSpike):
        table = i32(np.rint(model.threshold.floats * factor).clip(min=1))
        model = replace(model, threshold=table, constant_bits=constant_bits)
    elif isinstance(model, Readout):
        model = Readout(i32(np.rint(model.theta.floats * factor)))
    bias = np.rint(op.bias.floats * factor)
    return replace(op, maps=maps, bias=i32(compress(bias)), model=model)


def _finer(chain: Chain, unit: int) -> Chain:
    *moves, last = chain
    if not isinstance(last, Conv | Dense | Scale) or not isinstance(last.weight, Log2):
        raise AssertionError("weights were found to be logarithmic")
    weight = last.weight
    exponent = i16(weight.exponent.integers + unit * weight.resolution)
    return (*moves, replace(last, weight=replace(weight, exponent=exponent)))


def _reach(op: Population, code: FirstSpike, bits: list[int | None]) -> int:
    """The largest magnitude that a potential can have on its way, whatever comes."""
    bias = np.broadcast_to(op.bias.floats, op.shape).reshape(op.shape[0], -1)
    up, down = bias.max(axis=1).clip(min=0), (-bias).max(axis=1).clip(min=0)
    for chain, n in zip(op.maps, bits, strict=True):
        last = chain[-1]
        if not isinstance(last, Conv | Dense | Scale) or not isinstance(last.weight, Log2):
            raise AssertionError("weights were found to be logarithmic")
        octaves = octave(code, last.weight)
        planes = range(n or 1)
        gained = [products(last.weight, plane * octaves, code, n) for plane in planes]
        # a sum takes what all of its window sends
        window = prod(prod(move.kernel) for move in chain if isinstance(move, SumPool))
        total: Floats = np.sum(gained, axis=0) * float(window)
        positive, negative = total.clip(min=0), (-total).clip(min=0)
        if n is not None:  # an input's number may have either sign
            positive = negative = positive + negative
        if isinstance(last, Scale):
            up, down = up + positive.max(), down + negative.max()
        else:
            up = up + positive.reshape(len(total), -1).sum(axis=1).max()
            down = down + negative.reshape(len(total), -1).sum(axis=1).max()
    return int(max(up.max(), down.max()))
