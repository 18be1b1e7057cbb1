"""`quantize-input`: the network's input as integers, so that what follows can be exact.

    %x = input {scale=s}   →   %x = input {scale=s/L, levels=L},    L = 2^(bits−1) − 1

and the weights of the input's projections are divided by L. The chip gets
clip(round(x/scale), −L, L).
"""

from dataclasses import dataclass, replace

from snncc.passes.base import Context, Lossy, Pass
from snncc_ir import NORMAL, Binary, Graph, Node, f32, fail
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
                case Input(levels=None):
                    scale = node.op.scale / levels
                    op: Input | Population = replace(node.op, scale=scale, levels=levels)
                case Population() if any(_is_open(source) for source in graph.operands(node)):
                    maps = tuple(
                        _divided(chain, levels) if _is_open(source) else chain
                        for source, chain in zip(graph.operands(node), node.op.maps, strict=True)
                    )
                    op = replace(node.op, maps=maps)
                case _:
                    return node
            return replace(node, op=op, origin=node.origin.by(self.name))

        return graph.rewritten(rewrite)


def _is_open(node: Node) -> bool:
    return isinstance(node.op, Input) and node.op.levels is None


def _divided(chain: Chain, divisor: int) -> Chain:
    *moves, last = chain
    if not isinstance(last, Conv | Dense | Scale):
        raise AssertionError("the checker holds that a map ends in conv, dense or scale")
    if isinstance(last.weight, Binary) and not isinstance(last, Scale):
        alpha = f32(last.weight.alpha.floats / divisor)
        return (*moves, replace(last, weight=replace(last.weight, alpha=alpha)))
    return (*moves, replace(last, weight=f32(last.weight.floats / divisor)))
