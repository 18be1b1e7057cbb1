"""Quant, BipolarQuant and Trunc of QONNX and Brevitas: weights and activations on a grid."""

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc_ir import Floats, Shape, f32
from snncc_ir.ops import ROUNDINGS, Affine, Quantize

ROUNDING_MODES = {
    "ROUND": "even", "HALF_EVEN": "even", "ROUND_TO_ZERO": "down", "DOWN": "down", "UP": "up",
    "FLOOR": "floor", "CEIL": "ceil", "HALF_UP": "half-up", "HALF_DOWN": "half-down",
}  # fmt: skip
UNBOUND = (1 << 31) - 1
"""A limit that no number meets."""


def lower_quant(node: OnnxNode, net: Network) -> str | tuple[str, ...]:
    _need(node, 4)
    scale, zero = _scale(node, net, 1), net.floats(node, 2, "zero point")
    bits = _bits(node, net, 3)
    signed, narrow = bool(node.integer("signed", 1)), bool(node.integer("narrow", 0))
    rounding = _rounding(node, "ROUND")
    low, high = _limits(bits, signed, narrow)
    if not net.is_value(node.inputs[0]):
        data = net.floats(node, 0, "data")
        _expect_broadcast(data, scale, zero)
        units = data / scale + zero
        if bits == 1 and signed:
            integers: Floats = np.where(units >= 0, 1.0, -1.0)
        else:
            integers = np.clip(ROUNDINGS[rounding](units), low, high)
        return _define(node, net, (integers - zero) * scale)
    if bits == 1 and signed:
        _refuse_bipolar()
    return net.emit(node, _grid(node, net, scale, zero, (low, high), rounding), _data(node, net))


def lower_bipolar(node: OnnxNode, net: Network) -> str | tuple[str, ...]:
    _need(node, 2)
    if net.is_value(node.inputs[0]):
        _refuse_bipolar()
    data, scale = net.floats(node, 0, "data"), _scale(node, net, 1)
    _expect_broadcast(data, scale)
    return _define(node, net, np.where(data >= 0, 1.0, -1.0) * scale)


def lower_trunc(node: OnnxNode, net: Network) -> str:
    """Rounded to the scale, then to 2^n of it: two grids. The first form keeps integers' scale."""
    _need(node, 5)
    scale, zero = _scale(node, net, 1), net.floats(node, 2, "zero point")
    rounding = _rounding(node, "FLOOR")
    limits = (-UNBOUND, UNBOUND)
    if node.has_input(5):
        result = _scale(node, net, 4)
        dropped = np.rint(np.log2(result / scale))
        signed, narrow = bool(node.integer("signed", 1)), bool(node.integer("narrow", 0))
        limits = _limits(_bits(node, net, 5), signed, narrow)
    else:
        dropped = np.asarray(float(_bits(node, net, 3) - _bits(node, net, 4)))
        result = scale
    if np.any(zero):
        refuse("its zero point is not 0, should be", "truncate symmetric or unsigned integers")
    exact = _grid(node, net, scale, zero, (-UNBOUND, UNBOUND), "even")
    value = net.emit(node, exact, _data(node, net))
    coarse = _grid(node, net, scale * 2.0**dropped, zero, limits, rounding)
    value = net.emit(node, coarse, value)
    factor = _for(net.shape(node.inputs[0]), result / (scale * 2.0**dropped))
    if np.all(factor == 1):
        return value
    return net.emit(node, Affine(f32(factor), f32(0.0)), value)


def _need(node: OnnxNode, count: int) -> None:
    if not all(node.has_input(index) for index in range(count)):
        refuse(
            f"it has {len(node.inputs)} inputs, should have {count} at least: data, scale, zero "
            "point and bit widths",
            "export the model again with brevitas.export.export_qonnx",
        )


def _data(node: OnnxNode, net: Network) -> str:
    return net.value(node.inputs[0])


def _scale(node: OnnxNode, net: Network, index: int) -> Floats:
    scale = net.floats(node, index, "scale")
    if not np.all(scale > 0):
        refuse("its scale is not positive, should be", "look at how the model was quantized")
    return scale


def _expect_broadcast(data: Floats, *others: Floats) -> None:
    try:
        fits = np.broadcast_shapes(data.shape, *(o.shape for o in others)) == data.shape
    except ValueError:
        fits = False
    if not fits:
        shapes = ", ".join(str(list(other.shape)) for other in others)
        refuse(
            f"its scale and zero point have shapes {shapes}, should broadcast to its data's "
            f"{list(data.shape)}",
            "export the model again",
        )


def _bits(node: OnnxNode, net: Network, index: int) -> int:
    bits = net.floats(node, index, "bit width")
    if bits.size != 1 or not 1 <= float(bits.reshape(-1)[0]) <= 32:
        refuse(
            f"its bit width is {bits.reshape(-1)[:4].tolist()}, should be one number, 1 to 32",
            "quantize a tensor to one bit width",
        )
    return int(np.rint(bits.reshape(-1)[0]))


def _limits(bits: int, signed: bool, narrow: bool) -> tuple[int, int]:
    if signed:
        return -(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1
    return 0, (1 << bits) - 1 - narrow


def _rounding(node: OnnxNode, default: str) -> str:
    mode = node.text("rounding_mode", default).upper()
    if mode not in ROUNDING_MODES:
        refuse(
            f"its rounding_mode is {mode}, should be one of {', '.join(ROUNDING_MODES)}",
            "quantize with ROUND",
        )
    return ROUNDING_MODES[mode]


def _grid(
    node: OnnxNode,
    net: Network,
    scale: Floats,
    zero: Floats,
    limits: tuple[int, int],
    rounding: str,
) -> Quantize:
    shift = float(zero.reshape(-1)[0]) if zero.size else 0.5
    if np.any(zero != shift) or shift != np.rint(shift):
        refuse(
            "its zero point is not one integer, should be",
            "quantize activations with one zero point, best with 0 (symmetric or unsigned)",
        )
    if shift and rounding not in ("even", "floor", "ceil"):
        refuse("it has a zero point and rounds towards or from 0", "quantize with ROUND")
    low, high = (limit - int(shift) for limit in limits)
    if not low <= 0 <= high:
        refuse(f"0 is not on its grid of {low} to {high} steps", "use a zero point inside")
    return Quantize(f32(_for(net.shape(node.inputs[0]), scale)), low, high, rounding)


def _for(shape: Shape, scale: Floats) -> Floats:
    """One number, or as many as channels, without the batch axis."""
    if scale.size == 1:
        return scale.reshape(())
    own = scale[0] if scale.ndim == len(shape) + 1 and scale.shape[0] == 1 else scale
    try:
        fits = np.broadcast_shapes(own.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        refuse(
            f"its scale has shape {list(scale.shape)}, should broadcast to "
            f"N×{'×'.join(map(str, shape))}",
            "give one number, or one for each channel",
        )
    return own


def _define(node: OnnxNode, net: Network, array: Floats) -> tuple[str, ...]:
    name = node.outputs[0]
    net.define_constant(name, array.astype(np.float32))
    return ()


def _refuse_bipolar() -> None:
    refuse(
        "it makes activations −1 or 1, should make weights so",
        "activations of 0 or more, such as QuantReLU with bit_width=2, become neurons",
    )


DOMAINS = ("qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")
LOWERINGS = {
    f"{domain}.{name}": function
    for domain in DOMAINS
    for name, function in (
        ("BipolarQuant", lower_bipolar),
        ("IntQuant", lower_quant),
        ("Quant", lower_quant),
        ("Trunc", lower_trunc),
    )
}
