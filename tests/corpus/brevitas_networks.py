"""The quantized networks of make_qonnx.py, with Brevitas's layers."""

from brevitas import nn as qnn
from brevitas import quant
from torch import Tensor, nn


def _neurons(bits: int) -> nn.Module:
    layer: nn.Module = qnn.QuantReLU(bit_width=bits, return_quant_tensor=True)
    return layer


def mlp() -> nn.Module:
    """4-bit weights and activations, an 8-bit input, BatchNorm1d between."""
    layers: list[nn.Module] = [qnn.QuantIdentity(bit_width=8)]
    for inputs, outputs in ((48, 24), (24, 16)):
        layers += [
            qnn.QuantLinear(inputs, outputs, bias=False, weight_bit_width=4),
            nn.BatchNorm1d(outputs),
            qnn.QuantReLU(bit_width=4),
        ]
    return nn.Sequential(*layers, qnn.QuantLinear(16, 10, bias=True, weight_bit_width=4))


def cnn(weight_quant: object, bits: int | None = 4, input_quant: object = None) -> nn.Module:
    """Convolution, BatchNorm, ReLU (None bits: its sign), MaxPool, twice; a linear layer."""
    signs = qnn.QuantIdentity(quant.SignedBinaryActPerTensorConst, return_quant_tensor=True)
    input_quant = quant.Int8ActPerTensorFloat if input_quant is None else input_quant
    layers: list[nn.Module] = [qnn.QuantIdentity(input_quant, return_quant_tensor=True)]
    for inputs, outputs in ((3, 6), (6, 8)):
        layers += [
            qnn.QuantConv2d(inputs, outputs, 3, padding=1, bias=False, weight_quant=weight_quant),
            nn.BatchNorm2d(outputs),
            signs if bits is None else _neurons(bits),
            nn.MaxPool2d(2),
        ]
    head = qnn.QuantLinear(128, 10, bias=True, weight_quant=weight_quant)
    return nn.Sequential(*layers, nn.Flatten(), head)


def trunc() -> nn.Module:
    """TruncAvgPool2d: the mean's low bits are cut; biases of 32 bits on the grid of products."""
    return nn.Sequential(
        qnn.QuantIdentity(bit_width=8, return_quant_tensor=True),
        qnn.QuantConv2d(3, 6, 3, 2, bias=True, weight_bit_width=4, bias_quant=quant.Int32Bias),
        _neurons(4),
        qnn.TruncAvgPool2d(7),
        nn.Flatten(),
        qnn.QuantLinear(6, 10, bias=True, weight_bit_width=4),
    )


def mobilenet() -> nn.Module:
    """Depthwise and pointwise convolutions with 6-bit weights a channel."""
    weights = quant.Int8WeightPerChannelFloat
    layers: list[nn.Module] = [qnn.QuantIdentity(bit_width=8, return_quant_tensor=True)]
    for inputs, outputs, groups, stride in ((3, 6, 1, 2), (6, 6, 6, 1), (6, 10, 1, 1)):
        size = 3 if groups == inputs or inputs == 3 else 1
        layers += [
            qnn.QuantConv2d(
                inputs,
                outputs,
                size,
                stride,
                size // 2,
                groups=groups,
                bias=False,
                weight_quant=weights,
                weight_bit_width=6,
            ),
            nn.BatchNorm2d(outputs),
            _neurons(6),
        ]
    return nn.Sequential(
        *layers,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        qnn.QuantLinear(10, 10, bias=True, weight_quant=weights),
    )


class ResNet(nn.Module):
    """A residual sum, whose two sides share a signed grid, as hardware wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.given = qnn.QuantIdentity(bit_width=8, return_quant_tensor=True)
        self.stem = self.conv(3)
        self.first, self.second, self.third = self.conv(6), self.conv(6), _neurons(4)
        self.stemmed, self.middle = _neurons(4), _neurons(4)
        self.grid = qnn.QuantIdentity(bit_width=6, return_quant_tensor=True)
        self.linear = qnn.QuantLinear(6, 10, bias=True, weight_bit_width=4)

    def conv(self, inputs: int) -> nn.Module:
        layer = qnn.QuantConv2d(inputs, 6, 3, padding=1, bias=False, weight_bit_width=4)
        return nn.Sequential(layer, nn.BatchNorm2d(6))

    def forward(self, image: Tensor) -> Tensor:
        x = self.stemmed(self.stem(self.given(image)))
        y = self.second(self.middle(self.first(x)))
        x = self.third(self.grid(y) + self.grid(x))
        logits: Tensor = self.linear(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))
        return logits
