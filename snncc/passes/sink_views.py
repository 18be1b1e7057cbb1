"""`sink-views`: what only moves numbers goes behind the neurons.

    %t = transpose(%c)        %r.neuron = neuron(%c)
    %r = neuron(%t)     →     %r = transpose(%r.neuron)

A neuron treats every number alike and ReLU(0) = 0, so moving, leaving out and zero padding give the
same before it as after it. A sum of equally moved values is the moved sum.
"""

from dataclasses import dataclass

from snncc.passes.base import Context, Exact, Pass
from snncc_ir import LOWERED, Current, Graph, GraphBuilder, Node
from snncc_ir.ops import Add, Concat, Neuron, Pad, Relu, Reshape, Slice, Transpose

_MOVES = (Reshape, Transpose, Pad, Slice)


@dataclass(frozen=True)
class SinkViews(Pass):
    """Moves reshape, transpose, pad, slice and concat of currents behind the neurons."""

    name = "sink-views"
    needs = LOWERED
    promise = Exact()

    def run(self, graph: Graph, context: Context) -> Graph:
        builder = GraphBuilder(graph.name)
        for node in graph:
            self._sink(node, builder)
        return builder.graph()

    def _sink(self, node: Node, builder: GraphBuilder) -> None:
        operands = [builder[name] for name in node.inputs]
        moved = operands[0] if operands else None
        by = self.name
        if moved is None or not _sinks(node, operands, builder):
            builder.add(node.name, node.op, node.inputs, node.origin)
            return
        # a concat's operands each get neurons; the operands of a sum are summed first
        groups = (
            [[name] for name in moved.inputs]
            if isinstance(node.op, Neuron)
            else [[operand.inputs[0] for operand in operands]]
        )
        parts = []
        for group in groups:
            part = Node(
                builder.unique(f"{node.name}.{node.op.name}"),
                node.op,
                tuple(group),
                node.type,
                node.origin.by(by),
            )
            parts.append(part.name)
            self._sink(part, builder)
        origin = moved.origin.joined([other.origin for other in operands[1:]], by)
        builder.add(node.name, moved.op, parts, origin)


def _sinks(node: Node, operands: list[Node], builder: GraphBuilder) -> bool:
    moved = operands[0]
    match node.op:
        case Neuron(model=Relu(ceiling=ceiling, step=step)):
            uniform = all(each is None or each.array.size == 1 for each in (ceiling, step))
            return (
                uniform
                and isinstance(moved.op, (*_MOVES, Concat))
                and isinstance(moved.type, Current)
            )
        case Add():
            return (
                isinstance(moved.op, Reshape | Transpose)
                and isinstance(moved.type, Current)
                and all(
                    operand.op == moved.op and operand.type == moved.type for operand in operands
                )
                and len({builder[operand.inputs[0]].type.shape for operand in operands}) == 1
            )
    return False
