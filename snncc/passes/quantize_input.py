"""`quantize-input`: the network's input as integers, so that what follows can be exact.

    %x = input {scale=s}   →   %x = input {scale=s/L, levels=L},    L = 2^(bits−1) − 1

and the weights of the input's projections are divided by L. The chip gets
clip(round(x/scale), −L, L). An input that is on a grid already, of a quantized network's own, stays
on it, unless it has more levels than that.
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc.passes.base import Context, Lossy, Pass
from snncc_ir import NORMAL, Factored, Graph, Node, f32, fail
from snncc_ir.ops import Chain, Conv, Dense, Input, Population, Scale


@dataclass(frozen=True)
class QuantizeInput(Pass):
    """Integers of `bits` bits, one of them the sign, for the network's input."""

    bits: int = 12
    name = "quantize-input"
    needs = NORMAL
    promise = Lossy(why="the input is rounded, and numbers beyond the calibrated range are clipped")

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 16:
            raise fail("SNN020", f"bits is {self.bits}, should be 2 to 16")

    def run(self, graph: Graph, context: Context) -> Graph:
        levels = int((1 << (self.bits - 1)) - 1)

        def rewrite(node: Node) -> Node:
            match node.op:
                case Input() if _is_open(node, levels):
                    scale = node.op.scale / _divisor(node, levels)
                    op: Input | Population = replace(node.op, scale=scale, levels=levels)
                case Population() if any(_is_open(s, levels) for s in graph.operands(node)):
                    maps = tuple(
                        _divided(chain, _divisor(source, levels))
                        if _is_open(source, levels)
                        else chain
                        for source, chain in zip(graph.operands(node), node.op.maps, strict=True)
                    )
                    op = replace(node.op, maps=maps)
                case _:
                    return node
            return replace(node, op=op, origin=node.origin.by(self.name))

        return graph.rewritten(rewrite)


def _is_open(node: Node, levels: int) -> bool:
    """Whether an input has no integers yet, or more than there may be."""
    return isinstance(node.op, Input) and not (node.op.levels and node.op.levels <= levels)


def _divisor(node: Node, levels: int) -> float:
    """How many of the integers to come make one unit of now."""
    if not isinstance(node.op, Input):
        raise AssertionError("only inputs are open")
    return levels / (node.op.levels or 1)


def _divided(chain: Chain, divisor: float) -> Chain:
    *moves, last = chain
    if not isinstance(last, Conv | Dense | Scale):
        raise AssertionError("the checker holds that a map ends in conv, dense or scale")
    if isinstance(last.weight, Factored) and not isinstance(last, Scale):
        return (*moves, replace(last, weight=last.weight.times(np.array([1 / divisor]))))
    return (*moves, replace(last, weight=f32(last.weight.floats / divisor)))
