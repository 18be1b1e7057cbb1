"""`sink-views`: what only moves numbers goes behind the neurons.

    %t = transpose(%c)        %r.neuron = neuron(%c)
    %r = neuron(%t)     →     %r = transpose(%r.neuron)

A neuron treats every number alike and ReLU(0) = 0, so moving, leaving out, repeating and zero
padding give the same before it as after it; so do they for a factor. A sum of equally moved values
is the moved sum.
"""

from dataclasses import dataclass

from snncc.passes.base import Context, Exact, Pass
from snncc_ir import LOWERED, Current, Graph, GraphBuilder, Node, Tensor
from snncc_ir.ops import (
    Add,
    Affine,
    Concat,
    MaxPool,
    Neuron,
    Op,
    Pad,
    Relu,
    Reshape,
    Slice,
    Transpose,
    View,
)

_MOVES = (Reshape, Transpose, Pad, Slice, View)


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
        pool = _flat_pool(node, moved, builder) if moved else None
        if moved is None or not (pool or _sinks(node, operands, builder)):
            builder.add(node.name, node.op, node.inputs, node.origin)
            return
        # a concat's operands each get neurons; the operands of a sum are summed first
        groups = (
            [[name] for name in moved.inputs]
            if isinstance(node.op, Neuron)
            else [list(moved.inputs)]
            if isinstance(node.op, Affine | MaxPool)
            else [[operand.inputs[0] for operand in operands]]
        )
        parts = []
        for group in groups:
            part = Node(
                builder.unique(f"{node.name}.{node.op.name}"),
                pool or _everywhere(node.op),
                tuple(group),
                node.type,
                node.origin.by(by),
            )
            parts.append(part.name)
            self._sink(part, builder)
        origin = moved.origin.joined([other.origin for other in operands[1:]], by)
        builder.add(node.name, Reshape(node.type.shape) if pool else moved.op, parts, origin)


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
        case Affine(scale, offset):
            return (
                scale.array.size == 1
                and (not offset.array.any() or (offset.array.size == 1 and _keeps_zeros(moved.op)))
                and isinstance(moved.op, _MOVES)
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


def _everywhere(op: Op) -> Op:
    """An affine map of one factor for all, whatever the shape."""
    match op:
        case Affine(scale, offset) if scale.array.size == 1:
            flat = offset if offset.array.size > 1 else Tensor(offset.array.reshape(()))
            return Affine(Tensor(scale.array.reshape(())), flat)
    return op


def _flat_pool(node: Node, moved: Node, builder: GraphBuilder) -> MaxPool | None:
    """A max pool over (C, 1, L) that is only (C, L) with an axis more: the same over (C, L).

    So the spikes are pooled themselves, and not those of neurons that hand them on.
    """
    if not isinstance(node.op, MaxPool) or not isinstance(moved.op, Reshape):
        return None
    flat, (channels, *spatial) = builder[moved.inputs[0]].type.shape, moved.type.shape
    rank, pool = len(spatial), node.op
    if len(flat) != 2 or rank != 2 or flat[0] != channels or 1 not in spatial:
        return None
    long = 1 if spatial[0] == 1 else 0
    other = 1 - long
    if flat[1] != spatial[long] or pool.kernel[other] != 1 or any(pool.pads[other::rank]):
        return None
    return MaxPool((pool.kernel[long],), (pool.stride[long],), pool.pads[long::rank])


def _keeps_zeros(op: Op) -> bool:
    """Whether a move makes no zeros of its own, which an offset would change."""
    return not isinstance(op, Pad) and not (isinstance(op, View) and op.index.array.min() < 0)
