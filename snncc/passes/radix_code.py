"""`radix-code`: activations become the binary digits of a number, most significant first.

    model=relu{}   →   model=radix{steps=4, theta=1, start=1/2}

With M = 2^steps − 1 the number is clip(⌊M·drive + start⌋, 0, M): a value of `steps` bits, in that
many steps. A start at half the threshold rounds to the nearest number instead of down. (Weighted
spikes, Kim et al. 2018; radix encoding, Wang et al. 2021.)
"""

from dataclasses import dataclass, replace

from snncc.passes.base import Context, Lossy, Pass
from snncc.passes.rate_code import refuse_low_ceiling
from snncc_ir import CODED, MOST_DIGITS, NORMAL, UNIT, Graph, Node, f32, fail
from snncc_ir.ops import Population, RadixFire, Relu


@dataclass(frozen=True)
class RadixCode(Pass):
    """Gives every population neurons that send `steps` binary digits."""

    steps: int = 4
    start: float = 0.5
    name = "radix-code"
    needs = NORMAL
    leaves = CODED
    promise = Lossy(why="an activation becomes a number of as many bits as there are steps")

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= MOST_DIGITS:
            raise fail("SNN020", f"steps is {self.steps}, should be 1 to {MOST_DIGITS}")
        if not 0 <= self.start < 1:
            raise fail("SNN020", f"start is {self.start}, should be at least 0 and below 1")

    def run(self, graph: Graph, context: Context) -> Graph:
        model = RadixFire(self.steps, UNIT, f32(self.start))

        def rewrite(node: Node) -> Node:
            if not (isinstance(node.op, Population) and isinstance(node.op.model, Relu)):
                return node
            refuse_low_ceiling(node, node.op.model)
            return replace(node, op=replace(node.op, model=model), origin=node.origin.by(self.name))

        return graph.rewritten(rewrite)
