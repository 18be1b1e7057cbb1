"""The networks of the recipes. `neurons` makes each activation, so that every method fits in."""

from collections.abc import Callable

from torch import nn

Neurons = Callable[[], nn.Module]
"""Such as `nn.ReLU`, or `lambda: QuantizedReLU(15)`."""

VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
"""Channels of the convolutions; 0 is a pool (Simonyan and Zisserman 2015)."""


def digits_cnn(neurons: Neurons) -> nn.Sequential:
    """The network of examples/digits: (N, 1, 8, 8) → (N, 10)."""
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1, bias=False),
        nn.BatchNorm2d(12),
        neurons(),
        nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1, bias=False),
        nn.BatchNorm2d(24),
        neurons(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(96, 10),
    )


def lenet(neurons: Neurons) -> nn.Sequential:
    """(N, 1, 28, 28) → (N, 10); without BatchNormalization, which pretrained files have folded."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2),
        neurons(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5),
        neurons(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(800, 128),
        neurons(),
        nn.Linear(128, 10),
    )


def vgg16(neurons: Neurons, classes: int = 10) -> nn.Sequential:
    """(N, 3, 32, 32) → (N, classes): thirteen convolutions with BatchNorm, average pools, one dense
    layer, as networks that become spikes mostly have it."""
    parts: list[nn.Module] = []
    channels = 3
    for width in VGG16:
        if not width:
            parts.append(nn.AvgPool2d(2))
            continue
        parts += [
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            neurons(),
        ]
        channels = width
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(channels, classes))
