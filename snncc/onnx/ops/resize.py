"""Resize and Upsample by nearest neighbors: a view, computed by onnxruntime's own operator."""

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.emit import check_size, view
from snncc.onnx.single import places_by_runtime

_MOST = 2.0**31
"""Times; no result is so large."""


def lower_resize(node: OnnxNode, net: Network) -> str:
    mode = node.text("mode", "nearest")
    if mode != "nearest":
        refuse(
            f"its mode is '{mode}', should be 'nearest', whose results are numbers that neurons "
            "send already",
            "upsample with mode='nearest' (and fine-tune), or use ConvTranspose, which can hold "
            "the weights of an interpolation",
        )
    if node.text("coordinate_transformation_mode", "") == "tf_crop_and_resize":
        refuse(
            "its coordinate_transformation_mode is 'tf_crop_and_resize', should be another one",
            "crop with Slice, then resize",
        )
    shape = net.shape(node.inputs[0])
    instead = {}
    if net.opset >= 11 and node.has_input(3):
        sizes = net.integers(node, 3, "sizes")
        check_size(sizes)
        if len(sizes) == len(shape) + 1 and sizes[0] == net.batch and "axes" not in node.attributes:
            instead[node.inputs[3]] = np.array([1, *sizes[1:]], np.int64)
    else:
        where = 2 if net.opset >= 11 else 1
        factors = (
            net.floats(node, where, "scales").reshape(-1)
            if node.has_input(where)
            else _scales(node)
        )
        largest = 1.0
        for factor in factors:
            if not 0 < factor < _MOST:
                refuse(f"it has a scale of {factor:g}, should be positive", "export it again")
            largest *= max(float(factor), 1.0)
        check_size((*shape, int(min(largest, _MOST))))
    index = places_by_runtime(node, net, shape, instead)
    if index.shape[0] != 1 or index.ndim != len(shape) + 1:
        refuse("it resizes the batch axis, should not", "give the batch axis a scale of 1")
    return view(node, net, net.value(node.inputs[0]), index[0])


def _scales(node: OnnxNode) -> list[float]:
    given = node.attributes.get("scales")
    return given if isinstance(given, list) else []


LOWERINGS = {"Resize": lower_resize, "Upsample": lower_resize}
