"""`hoist-neurons`: activations before maxima.

    %p = maxpool(%c)          %r.neuron = neuron(%c)
    %r = neuron(%p)     →     %r = maxpool(%r.neuron)

Chips take maxima over spikes only. ReLU and the affine map of a BatchNormalization with positive
scale are monotone, so they give the same before the maximum as after it.
"""

from dataclasses import dataclass

import numpy as np

from snncc.passes.base import Context, Exact, Pass
from snncc_ir import LOWERED, Current, Graph, GraphBuilder, Node
from snncc_ir.ops import Affine, MaxPool, Neuron


@dataclass(frozen=True)
class HoistNeurons(Pass):
    """Moves neurons (and positive affine maps) from behind a max pool to before it."""

    name = "hoist-neurons"
    needs = LOWERED
    promise = Exact()

    def run(self, graph: Graph, context: Context) -> Graph:
        builder = GraphBuilder(graph.name)
        for node in graph:
            pool = builder[node.inputs[0]] if node.inputs else None
            if pool is None or not _commutes(node, pool):
                builder.add(node.name, node.op, node.inputs, node.origin)
                continue
            inner = builder.unique(f"{node.name}.{node.op.name}")
            builder.add(inner, node.op, pool.inputs, node.origin.by(self.name))
            builder.add(node.name, pool.op, [inner], pool.origin.by(self.name))
        return builder.graph()


def _commutes(node: Node, pool: Node) -> bool:
    if not (isinstance(pool.op, MaxPool) and isinstance(pool.type, Current)):
        return False
    match node.op:
        case Neuron():
            return True
        case Affine(scale, offset):
            per_channel = all(
                len(tensor.shape) == 0 or tensor.shape[1:] == (1,) * (len(tensor.shape) - 1)
                for tensor in (scale, offset)
            )
            return per_channel and bool(np.all(scale.floats > 0))
    return False
