"""Gemm and MatMul with constant weights: dense layers."""

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc_ir import f32
from snncc_ir.ops import Dense


def lower_gemm(node: OnnxNode, net: Network) -> str:
    if node.integer("transA", 0):
        refuse("it transposes its data (transA), should not", "export with transA=0")
    _rank_two(node, net)
    weight = net.weight(node, 1, "weight").array
    if weight.ndim != 2:
        refuse(
            f"its weight has shape {list(weight.shape)}, should have 2 axes", "use a dense layer"
        )
    rows = weight if node.integer("transB", 0) else weight.T
    if node.number("alpha", 1.0) != 1.0:
        rows = rows.astype(np.float64) * node.number("alpha", 1.0)
    bias = None
    if node.has_input(2):
        given = net.floats(node, 2, "bias") * node.number("beta", 1.0)
        outputs = len(rows)
        if given.shape not in ((), (1,), (1, 1), (outputs,), (1, outputs)):
            refuse(
                f"its bias has shape {list(given.shape)}, should be [{outputs}], the same for all "
                "samples",
                "give a bias of one number an output",
            )
        bias = f32(np.broadcast_to(given.reshape(-1), (rows.shape[0],)))
    return net.emit(node, Dense(f32(rows), bias), net.value(node.inputs[0]))


def lower_matmul(node: OnnxNode, net: Network) -> str:
    if not net.is_value(node.inputs[0]):
        refuse("its first operand is constant, should be the data", "export as x @ W")
    _rank_two(node, net)
    weight = net.weight(node, 1, "weight").array
    if weight.ndim != 2:
        refuse(
            f"its weight has shape {list(weight.shape)}, should have 2 axes", "use a dense layer"
        )
    return net.emit(node, Dense(f32(weight.T)), net.value(node.inputs[0]))


def _rank_two(node: OnnxNode, net: Network) -> None:
    shape = net.shape(node.inputs[0])
    if len(shape) != 1:
        refuse(
            f"its data has shape N×{'×'.join(map(str, shape))}, should be N×features",
            "put a Flatten before it, or write it as a 1×1 convolution",
        )


LOWERINGS = {"Gemm": lower_gemm, "MatMul": lower_matmul}
