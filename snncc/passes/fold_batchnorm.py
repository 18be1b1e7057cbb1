"""`fold-batchnorm`: affine maps into the convolution or dense layer before them.

    %c = conv(%x) {weight=W}                          %b = conv(%x) {weight=s·W, bias=o}
    %b = affine(%c) {scale=s, offset=o}         →

With the layer's own epsilon, before any normalization ("consistency of batch normalization", Wu,
Yi and Huang 2021). Computed in float64.
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc.passes.base import Close, Context, Pass
from snncc_ir import LOWERED, Floats, Graph, GraphBuilder, Node, Tensor, f32
from snncc_ir.ops import Affine, Conv, Dense


@dataclass(frozen=True)
class FoldBatchNorm(Pass):
    """Folds per-channel affine maps (BatchNormalization, constant Mul, Add) into weights."""

    name = "fold-batchnorm"
    needs = LOWERED
    promise = Close()

    def run(self, graph: Graph, context: Context) -> Graph:
        builder = GraphBuilder(graph.name)
        for node in graph:
            folded = None
            if isinstance(node.op, Affine):
                layer = builder[node.inputs[0]]
                if len(graph.users[layer.name]) == 1:
                    folded = _fold(node.op, layer)
            if folded is None:
                builder.add(node.name, node.op, node.inputs, node.origin)
            else:
                origin = layer.origin.joined([node.origin], self.name)
                builder.add(node.name, folded, layer.inputs, origin)
        return builder.graph()


def _fold(affine: Affine, layer: Node) -> Conv | Dense | None:
    if not isinstance(layer.op, Conv | Dense):
        return None
    shape = layer.type.shape
    scale, offset = (_per_channel(t, shape) for t in (affine.scale, affine.offset))
    if scale is None or offset is None:
        return None
    weight = layer.op.weight.floats
    bias = np.zeros(shape[0]) if layer.op.bias is None else layer.op.bias.floats
    spread = scale.reshape(-1, *[1] * (weight.ndim - 1))
    return replace(layer.op, weight=f32(weight * spread), bias=f32(bias * scale + offset))


def _per_channel(tensor: Tensor, shape: tuple[int, ...]) -> Floats | None:
    """The tensor's value for each channel of `shape`; None when it differs within a channel."""
    rank = len(shape)
    padded = tensor.floats.reshape((1,) * (rank - len(tensor.shape)) + tensor.shape)
    if any(size != 1 for size in padded.shape[1:]):
        return None
    return np.broadcast_to(padded.reshape(-1), (shape[0],))
