"""`ttfs-code`: activations become the times of single spikes.

    model=relu{}   →   model=ttfs{tau=4, threshold=[…]},   threshold[k] = 2^(−(k + offset) / tau)

Slot k is worth 2^(−k/tau) in units of the population's scale, one base for all layers (Lew, Lee and
Park 2022, after the layer-wise kernels of Park et al. 2020). With offset 0 a value is rounded down
to the next level; with offset 1/2 to the nearest in the logarithmic domain, at no cost.
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc.passes.base import Context, Lossy, Pass
from snncc.passes.rate_code import refuse_low_ceiling
from snncc_ir import CODED, MOST_SLOTS, NORMAL, TAUS, Graph, Node, f32, fail
from snncc_ir.ops import Population, Relu, TimeToFirstSpike


@dataclass(frozen=True)
class TtfsCode(Pass):
    """Gives every population thresholds for `steps` slots, `tau` of them an octave."""

    steps: int = 24
    tau: int = 4
    offset: float = 0.5
    name = "ttfs-code"
    needs = NORMAL
    leaves = CODED
    promise = Lossy(why="an activation becomes the time of a spike: the nearest of a few powers")

    def __post_init__(self) -> None:
        if not 2 <= self.steps <= MOST_SLOTS:
            raise fail("SNN020", f"steps is {self.steps}, should be 2 to {MOST_SLOTS}")
        if self.tau not in TAUS:
            raise fail("SNN020", f"tau is {self.tau}, should be {', '.join(map(str, TAUS))}")
        if not 0 <= self.offset < 1:
            raise fail("SNN020", f"offset is {self.offset}, should be at least 0 and below 1")

    def run(self, graph: Graph, context: Context) -> Graph:
        slots = np.arange(self.steps)
        model = TimeToFirstSpike(self.tau, f32(np.exp2(-(slots + self.offset) / self.tau)))

        def rewrite(node: Node) -> Node:
            if not (isinstance(node.op, Population) and isinstance(node.op.model, Relu)):
                return node
            refuse_low_ceiling(node, node.op.model)
            return replace(node, op=replace(node.op, model=model), origin=node.origin.by(self.name))

        return graph.rewritten(rewrite)
