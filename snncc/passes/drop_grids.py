"""`drop-grids`: grids that are left are left out, as no neuron sends what is on them.

    %c = conv(%x)
    %q = quantize(%c) {step=s, low=-128, high=127}
    %s = add(%q, %y)                                  →   %s = add(%c, %y)

Such grids stand before residual sums, behind averages, at outputs. Currents are not rounded on a
chip; there the grid would only add noise. A grid that rounds down is half a step below its operand
on average: that half step stays, and so it does for one that rounds up. Where such a grid from 0
on is a ReLU, it becomes neurons, which round to the nearest.
"""

from dataclasses import dataclass

import numpy as np

from snncc.passes.base import Context, Lossy, Pass
from snncc_ir import LOWERED, Current, Graph, GraphBuilder, Node, f32
from snncc_ir.ops import Affine, Neuron, Quantize, Relu

SHIFT = {"floor": -0.5, "ceil": 0.5}
"""What rounding moves numbers by on average, in steps."""


@dataclass(frozen=True)
class DropGrids(Pass):
    """Leaves out what `quantize` is left."""

    name = "drop-grids"
    needs = LOWERED
    promise = Lossy(why="sums that no neuron sends are not rounded to the file's grids")

    def run(self, graph: Graph, context: Context) -> Graph:
        if not any(isinstance(node.op, Quantize) for node in graph):
            return graph
        builder = GraphBuilder(graph.name)
        names: dict[str, str] = {}
        for node in graph:
            inputs = [names[operand] for operand in node.inputs]
            if isinstance(node.op, Quantize):
                names[node.name] = self._left(graph, builder, node, node.op, inputs[0])
            else:
                origins = [o.origin for o in graph.operands(node) if isinstance(o.op, Quantize)]
                origin = node.origin.joined(origins, self.name) if origins else node.origin
                names[node.name] = builder.add(node.name, node.op, inputs, origin).name
        return builder.graph()

    def _left(
        self, graph: Graph, builder: GraphBuilder, node: Node, op: Quantize, operand: str
    ) -> str:
        """The value in place of a grid's."""
        origin = node.origin.by(self.name)
        step, shift = op.step.floats, SHIFT.get(op.rounding, 0.0)
        is_relu = op.rounding != "even" and op.low == 0 and op.high > 0
        is_relu = is_relu and isinstance(graph.operands(node)[0].type, Current)
        if shift:
            name = builder.unique(f"{node.name}.shift") if is_relu else node.name
            shifted = Affine(f32(1.0), f32(np.asarray(shift * step)))
            operand = builder.add(name, shifted, [operand], origin).name
        if is_relu:
            neurons = Neuron(Relu(f32(op.high * step), op.step))
            operand = builder.add(node.name, neurons, [operand], origin).name
        return operand
