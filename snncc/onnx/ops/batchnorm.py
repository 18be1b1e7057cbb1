"""BatchNormalization: an affine map per channel, in float64 with the layer's own epsilon."""

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc_ir import f32
from snncc_ir.ops import Affine


def lower_batchnorm(node: OnnxNode, net: Network) -> str:
    if node.integer("training_mode", 0):
        refuse("it is in training mode, should be in inference mode", "call eval() before export")
    gamma, beta, mean, variance = (
        net.floats(node, i, what)
        for i, what in ((1, "scale"), (2, "bias"), (3, "mean"), (4, "variance"))
    )
    channels = net.shape(node.inputs[0])[:1]
    if any(given.shape != channels for given in (gamma, beta, mean, variance)):
        found = ", ".join(str(list(given.shape)) for given in (gamma, beta, mean, variance))
        refuse(
            f"its scale, bias, mean and variance have shapes {found}, should all be "
            f"{list(channels)}, one number a channel",
            "export the model again",
        )
    least = variance + node.number("epsilon", 1e-5)
    if least.min() <= 0:
        refuse(
            f"its variance goes down to {variance.min():g}, should be positive with the epsilon of "
            f"{node.number('epsilon', 1e-5):g}",
            "the checkpoint is damaged or was never trained; export a sound one",
        )
    scale = gamma / np.sqrt(least)
    spread = (-1, *[1] * (len(net.shape(node.inputs[0])) - 1))
    op = Affine(f32(scale.reshape(spread)), f32((beta - mean * scale).reshape(spread)))
    return net.emit(node, op, net.value(node.inputs[0]))


LOWERINGS = {"BatchNormalization": lower_batchnorm}
