"""Functions of snncc.train: activations and weights that a network was trained with, as they are.

Ttfs and Qcfs are activations on the levels of a code, Quantized the integers of an input or of
neurons, Log2Weights powers of 2^(1/resolution). Their parameters are taken in place of calibration.
"""

from collections.abc import Mapping

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.domains import TRAINED
from snncc_ir import Floats, Log2, f32, i8, i16
from snncc_ir.ops import Neuron, Quantize, Relu, TtfsRelu

_AGAIN = "export the network again with snncc.train.export"


def lower_ttfs(node: OnnxNode, net: Network) -> str:
    """y = scale · 2^(−k/tau), k the first slot with x ≥ scale · 2^(−(k + offset)/tau), or 0."""
    scale = _scale(node, net)
    steps, tau = node.integer("steps", 0), node.integer("tau", 0)
    offset = node.number("offset", 0.0)
    _bring(node, net, "ttfs", {"steps": steps, "tau": tau, "offset": offset})
    relu = TtfsRelu(ceiling=f32(scale), slots=steps, tau=tau, offset=offset)
    return net.emit(node, Neuron(relu), net.value(node.inputs[0]))


def lower_qcfs(node: OnnxNode, net: Network) -> str:
    """y = scale · clip(floor(x · levels / scale + 1/2) / levels, 0, 1)."""
    scale, levels = _scale(node, net), _levels(node)
    # nothing is moved after the training: no weights by calibration, no biases
    for coding, steps, kept in (
        ("rate", levels, {"calibrate": "off"}),
        ("radix", levels.bit_length(), {"bias": "keep"}),
    ):
        known = net.trained.setdefault(coding, {})
        known |= {"steps": max(steps, _known(known, "steps")), **kept}
    relu = Relu(f32(scale), f32(scale / levels))
    return net.emit(node, Neuron(relu), net.value(node.inputs[0]))


def lower_quantized(node: OnnxNode, net: Network) -> str:
    """y = scale · clip(round(x / scale), 0, levels)."""
    return net.emit(
        node, Quantize(f32(_scale(node, net)), 0, _levels(node)), net.value(node.inputs[0])
    )


def lower_log2_weights(node: OnnxNode, net: Network) -> tuple[str, ...]:
    """w = sign(code) · 2^((exponent − |code| + 1) / resolution), 0 for code 0."""
    codes, exponent = net.floats(node, 0, "code"), net.floats(node, 1, "exponent")
    resolution, bits = node.integer("resolution", 0), node.integer("bits", 0)
    try:
        whole = codes.astype(np.int64), exponent.astype(np.int64)
        if not all(np.array_equal(a, b) for a, b in zip(whole, (codes, exponent), strict=True)):
            raise ValueError("codes and exponents are not whole numbers")
        weights = Log2(i8(whole[0]), i16(whole[1]), resolution)
    except (ValueError, OverflowError) as error:
        refuse(f"its weights cannot be read: {error}", _AGAIN)
    if not weights.bits <= bits <= 8:
        refuse(f"its codes take {weights.bits} bits, should be at most bits={bits}, 2 to 8", _AGAIN)
    known = net.trained.setdefault("ttfs", {})
    _expect_same(known, "resolution", resolution)
    known["weight_bits"] = max(bits, _known(known, "weight_bits"))
    net.define_constant(node.outputs[0], weights.array.astype(np.float32))
    return ()


def _known(known: Mapping[str, int | float | str], name: str) -> int:
    value = known.get(name)
    return value if isinstance(value, int) else 0


def _scale(node: OnnxNode, net: Network) -> Floats:
    """A positive number, ()."""
    scale = net.floats(node, 1, "scale") if node.has_input(1) else np.zeros(())
    if scale.size != 1 or not scale.reshape(-1)[0] > 0:
        refuse(f"its scale is {scale.reshape(-1)[:4].tolist()}, should be one positive number",
               _AGAIN)  # fmt: skip
    return scale.reshape(())


def _levels(node: OnnxNode) -> int:
    levels = node.integer("levels", 0)
    if not 1 <= levels < 1 << 15:
        refuse(f"its levels is {levels}, should be 1 to {(1 << 15) - 1}", _AGAIN)
    return levels


def _bring(
    node: OnnxNode, net: Network, coding: str, settings: Mapping[str, int | float | str]
) -> None:
    """Settings that a network brings along: the same in all of its nodes."""
    known = net.trained.setdefault(coding, {})
    for name, value in settings.items():
        _expect_same(known, name, value)


def _expect_same(known: dict[str, int | float | str], name: str, value: int | float | str) -> None:
    if known.setdefault(name, value) != value:
        refuse(
            f"its {name} is {value}, should be {known[name]} as elsewhere in the network",
            "train all layers for one code",
        )


LOWERINGS = {
    f"{TRAINED}.Log2Weights": lower_log2_weights,
    f"{TRAINED}.Qcfs": lower_qcfs,
    f"{TRAINED}.Quantized": lower_quantized,
    f"{TRAINED}.Ttfs": lower_ttfs,
}
