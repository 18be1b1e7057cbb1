"""`ttfs-code`: activations become the times of single spikes.

    model=relu{}   →   model=ttfs{tau=4, threshold=[…]},   threshold[k] = 2^(−(k + offset) / tau)

Slot k is worth 2^(−k/tau) in units of the population's scale, one base for all layers (Lew, Lee and
Park 2022, after the layer-wise kernels of Park et al. 2020). With offset 0 a value is rounded down
to the next level; with offset 1/2 to the nearest in the logarithmic domain, at no cost.

Neurons that a network was trained with, `ttfs-relu`, bring their code along: `steps`, `tau` and
`offset` have to be theirs. Their thresholds count in units of their `theta`.
"""

from dataclasses import dataclass, replace

from snncc.passes.base import Context, Lossy, Pass
from snncc.passes.rate_code import refuse_low_ceiling
from snncc_ir import CODED, MOST_SLOTS, NORMAL, TAUS, Graph, Node, f32, fail
from snncc_ir.ops import Population, Relu, TimeToFirstSpike, TtfsRelu, slot_thresholds


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
        def rewrite(node: Node) -> Node:
            if not (isinstance(node.op, Population) and isinstance(node.op.model, Relu)):
                return node
            model = self._coded(node, node.op.model)
            return replace(node, op=replace(node.op, model=model), origin=node.origin.by(self.name))

        return graph.rewritten(rewrite)

    def _coded(self, node: Node, relu: Relu) -> TimeToFirstSpike:
        refuse_low_ceiling(node, relu)
        unit = 1.0
        if isinstance(relu, TtfsRelu):
            self._expect_own_code(node, relu)
            unit = relu.unit
        table = slot_thresholds(self.steps, self.tau, self.offset, unit)
        return TimeToFirstSpike(self.tau, f32(table))

    def _expect_own_code(self, node: Node, relu: TtfsRelu) -> None:
        """Raises SNN020 for neurons that were trained for another code, or scale."""
        own = (relu.slots, relu.tau, relu.offset)
        if own != (self.steps, self.tau, self.offset):
            raise fail(
                "SNN020",
                f"'{node.name}' was trained for steps={own[0]}, tau={own[1]}, offset={own[2]:g}; "
                f"steps is {self.steps}, tau is {self.tau}, offset is {self.offset:g}, should be "
                "the same",
                str(node.origin),
                "leave these options out: they are taken from the network",
            )
        if relu.ceiling is not None and relu.ceiling.floats.item() != 1:
            raise fail(
                "SNN020",
                f"the ceiling of '{node.name}' is {relu.ceiling.floats.item():.3g} units, should "
                "be 1, what slot 0 is worth",
                str(node.origin),
                "run normalize before the time code",
            )
