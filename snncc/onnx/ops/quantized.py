"""QuantizeLinear and DequantizeLinear: numbers on a grid, which neurons and weights then keep.

A value between the two is the number that its integers stand for, so that what only moves integers,
and max pools, need to know nothing of it.
"""

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.grids import grid_of, read_grid
from snncc_ir import Analog, f32
from snncc_ir.ops import Affine


def lower_quantize(node: OnnxNode, net: Network) -> str | tuple[str, ...]:
    x, result = _ends(node)
    grid = read_grid(node, net, 1, 2)
    if not net.is_value(x):
        integers = grid.integers(net.floats(node, 0, "data"))
        net.define_constant(result, integers)
        return ()
    return net.emit(node, grid.op(net.shape(x)), net.value(x))


def lower_dequantize(node: OnnxNode, net: Network) -> str | tuple[str, ...]:
    x, result = _ends(node)
    grid = read_grid(node, net, 1, 2)
    if not net.is_value(x):
        integers = net.floats(node, 0, "data")
        real = grid.real(integers).astype(np.float32)
        net.define_constant(result, real)
        return ()
    value, shape = net.value(x), net.shape(x)
    there = grid_of(net, value, bool(np.any(grid.zero)))
    if there is None:
        if not isinstance(net.type(x), Analog):
            refuse(
                "its data are not on a grid, should be integers that QuantizeLinear, or a layer in "
                "integers, has made",
                "quantize statically: quantize_static with calibration data",
            )
        # integers are the network's input, such as a uint8 image
        scale, zero = (grid.spread(t, len(shape) + 1) for t in (grid.scale, grid.zero))
        return net.emit(node, Affine(f32(scale), f32(-zero * scale)), value)
    wanted = grid.op(shape)
    if wanted == there:
        return value
    shift = (grid.low - there.low) - float(grid.zero.reshape(-1)[0])
    scale = wanted.step.floats
    return net.emit(node, Affine(f32(scale / there.step.floats), f32(shift * scale)), value)


def lower_dynamic(node: OnnxNode, net: Network) -> tuple[str, ...]:
    """Its scale is that of each sample, so that its integers are finer than a chip's anyway."""
    for result, number in zip(node.outputs[1:], (1.0, 0.0), strict=False):
        if result:
            net.define_constant(result, np.array(number, np.float32))
    net.notes.append(
        f"DynamicQuantizeLinear '{node.name}' is left out: its scale depends on the sample, so "
        "that these activations have no grid; weights keep theirs"
    )
    return (net.value(node.inputs[0]),)


def _ends(node: OnnxNode) -> tuple[str, str]:
    """Names of data and result."""
    if not (node.has_input(0) and node.has_input(1) and node.outputs):
        refuse("its data or its scale is missing, should be given", "quantize the model again")
    return node.inputs[0], node.outputs[0]


LOWERINGS = {
    "DequantizeLinear": lower_dequantize,
    "DynamicQuantizeLinear": lower_dynamic,
    "QuantizeLinear": lower_quantize,
    "com.microsoft.DequantizeLinear": lower_dequantize,
    "com.microsoft.QuantizeLinear": lower_quantize,
}
