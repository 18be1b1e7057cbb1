"""`rate-code`: activations become spiking neurons in a rate code of `steps` time steps.

    model=relu{}   →   model=if{steps=32, theta=1, start=1/2}

Neurons reset by subtraction (Rueckauer et al. 2017). A start at half the threshold rounds the spike
count to the nearest number instead of down ("optimized potential initialization", Bu et al. 2022;
"residual elimination", Wu, Yi and Huang 2021).
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc.passes.base import Context, Lossy, Pass
from snncc_ir import CODED, MOST_PAYLOAD, NORMAL, UNIT, Graph, Node, f32, fail
from snncc_ir.ops import (
    GradedIntegrateFire,
    HardIntegrateFire,
    IntegrateFire,
    Population,
    Relu,
    SignedGradedIntegrateFire,
    SignedIntegrateFire,
)  # fmt: skip

NEURONS: dict[str, type[IntegrateFire]] = {
    model.name: model
    for model in (
        IntegrateFire,
        SignedIntegrateFire,
        GradedIntegrateFire,
        SignedGradedIntegrateFire,
        HardIntegrateFire,
    )
}


@dataclass(frozen=True)
class RateCode(Pass):
    """Gives every population the neuron model `neuron`, over `steps` time steps.

    most: spikes that graded neurons send at once; the others send one.
    """

    neuron: str = "if"
    steps: int = 32
    start: float = 0.5
    most: int = 7
    name = "rate-code"
    needs = NORMAL
    leaves = CODED
    promise = Lossy(why="an activation becomes a number of spikes, at most one a time step")

    def __post_init__(self) -> None:
        if self.neuron not in NEURONS:
            raise fail("SNN020", f"neuron is '{self.neuron}', should be {' or '.join(NEURONS)}")
        if not 1 <= self.steps <= 32767:
            raise fail("SNN020", f"steps is {self.steps}, should be 1 to 32767")
        if not 0 <= self.start < 1:
            raise fail("SNN020", f"start is {self.start}, should be at least 0 and below 1")
        if not 1 <= self.most <= MOST_PAYLOAD:
            raise fail("SNN020", f"most is {self.most}, should be 1 to {MOST_PAYLOAD}")

    def run(self, graph: Graph, context: Context) -> Graph:
        kind = NEURONS[self.neuron]
        model = kind(self.steps, UNIT, f32(self.start))
        if isinstance(model, GradedIntegrateFire):
            model = replace(model, most=self.most)

        def rewrite(node: Node) -> Node:
            if not (isinstance(node.op, Population) and isinstance(node.op.model, Relu)):
                return node
            refuse_low_ceiling(node, node.op.model)
            op = replace(node.op, model=model)
            return replace(node, op=op, origin=node.origin.by(self.name))

        return graph.rewritten(rewrite)


def refuse_low_ceiling(node: Node, model: Relu) -> None:
    """Raises SNN020 for a ceiling (ReLU6) below 1 unit, the most that a code sends."""
    if model.ceiling is not None and bool(np.any(model.ceiling.floats < 1)):
        raise fail(
            "SNN020",
            f"the ceiling of '{node.name}' is {model.ceiling.floats.min():.3g} units, should be at "
            "least 1, the most that a time code sends",
            str(node.origin),
            "run normalize before the time code",
        )
