"""What a compiled network is compared with: the user's own model, logits and not softmax."""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from snncc.onnx import import_model
from snncc.onnx.ops.qonnx import DOMAINS
from snncc_ir import Batch, Floats, ValueRunner

SOFTMAX = ("LogSoftmax", "QLinearSoftmax", "Softmax")
ROUNDS = ("DequantizeLinear", "QuantizeLinear")


def without_softmax(proto: onnx.ModelProto) -> bytes | None:
    """The model with the logits as first output, if a softmax stands there; else None.

    Behind a softmax of a quantized model there may be rounding of its result; logits are numbers.
    """
    result = proto.graph.output[0]
    makers = {name: node for node in proto.graph.node for name in node.output}
    maker = makers.get(result.name)
    while maker is not None and maker.op_type in ROUNDS:
        maker = makers.get(maker.input[0])
    if maker is None or maker.op_type not in SOFTMAX:
        return None
    name = maker.input[0]
    if maker.op_type == "QLinearSoftmax":
        name = f"{maker.input[0]}:real"
        proto.graph.node.append(helper.make_node("DequantizeLinear", maker.input[:3], [name]))
    result.name = name
    result.type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    content: bytes = proto.SerializeToString()
    return content


def imported_results(model: Path, proto: onnx.ModelProto, samples: Batch) -> Floats | None:
    """The first output of a model of QONNX operators, which onnxruntime lacks; None of others.

    That is what the front end makes of it, before any pass.
    """
    if not any(node.domain in DOMAINS for node in proto.graph.node):
        return None
    results = ValueRunner(import_model(model).graph).run(samples)
    first = next(iter(results.values()))
    return np.asarray(first, np.float64)
