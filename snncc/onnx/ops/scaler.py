"""Scaler of ONNX-ML, as scikit-learn's pipelines have it: an affine map of each feature."""

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.emit import affine, shape_of
from snncc_ir import Floats


def lower_scaler(node: OnnxNode, net: Network) -> str:
    """(x − offset) · scale."""
    value = net.value(node.inputs[0])
    scale, offset = (_features(node, net, value, name) for name in ("scale", "offset"))
    return affine(node, net, value, scale, -offset * scale)


def _features(node: OnnxNode, net: Network, value: str, name: str) -> Floats:
    given = node.attributes.get(name)
    numbers = np.asarray(given if isinstance(given, list) else [float(name == "scale")], np.float64)
    shape = shape_of(net, value)
    if len(shape) != 1 or numbers.size not in (1, shape[0]) or not np.isfinite(numbers).all():
        refuse(
            f"its {name} has {numbers.size} numbers for data of N×{'×'.join(map(str, shape))}, "
            "should be one for each feature",
            "export the pipeline again",
        )
    return numbers


LOWERINGS = {"ai.onnx.ml.Scaler": lower_scaler}
