"""Weights of an ONNX file as the start of a training."""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from snncc_ir import Array, fail, why

LAYERS = {"Conv": (nn.Conv1d, nn.Conv2d), "Gemm": (nn.Linear,), "MatMul": (nn.Linear,)}


def load_initializers(module: nn.Module, path: Path | str) -> None:
    """Copies weights and biases of an ONNX file into the layers of `module`, in place.

    The convolutions and dense layers of both are taken in order; they have to be as many, of equal
    shapes. BatchNormalization of the file is not taken: fold it into its layers in the export.
    Raises SNN001 for a file that is no ONNX, SNN007 where layers differ.
    """
    try:
        proto = onnx.load(path)
    except Exception as error:  # protocol buffers raise what they like
        raise fail(
            "SNN001",
            f"the model file is not an ONNX file: {why(error)}",
            str(path),
            "give the path of a .onnx file",
        ) from None
    found = _layers(proto)
    wanted = [part for part in module.modules() if isinstance(part, sum(LAYERS.values(), ()))]
    sizes = [list(weight.shape) for weight, _ in found]
    own = [list(part.weight.shape) for part in wanted]
    if sizes != own:
        raise fail(
            "SNN007",
            f"the layers of the file have weights {sizes}, should be those of the module, {own}",
            str(path),
            "a file of the same network, with BatchNormalization folded",
        )
    with torch.no_grad():
        for part, (weight, bias) in zip(wanted, found, strict=True):
            part.weight.copy_(torch.from_numpy(weight.copy()))
            if part.bias is not None:
                given = np.zeros(len(weight), np.float32) if bias is None else bias
                part.bias.copy_(torch.from_numpy(given.copy()))


def _layers(proto: onnx.ModelProto) -> list[tuple[Array, Array | None]]:
    """(weight as PyTorch has it, bias) of each layer, in the order of the nodes."""
    constants = {t.name: numpy_helper.to_array(t) for t in proto.graph.initializer}
    found: list[tuple[Array, Array | None]] = []
    for node in proto.graph.node:
        weight = constants.get(node.input[1]) if node.op_type in LAYERS else None
        if weight is None:
            if node.op_type == "Add" and found and found[-1][1] is None:
                bias = next((constants[n] for n in node.input if n in constants), None)
                if bias is not None and bias.size == len(found[-1][0]):
                    found[-1] = (found[-1][0], bias.reshape(-1))
            continue
        bias = constants.get(node.input[2]) if len(node.input) > 2 else None
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        if node.op_type != "Conv" and not transposed:
            weight = weight.T
        found.append((weight, bias))
    return found
