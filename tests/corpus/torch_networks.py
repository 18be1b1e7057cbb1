"""Small networks of known families, written as people write them in PyTorch.

Channels are narrow and images small, layers and their order are those of the originals; weights
are random (`make_torch.py` seeds them). `torch_parts.py` has more of them, `torch_refused.py`
what a chip cannot run.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Activation = Callable[[], nn.Module]


def conv_bn(
    inputs: int,
    outputs: int,
    kernel: int = 3,
    stride: int = 1,
    groups: int = 1,
    activation: Activation = nn.ReLU,
) -> nn.Sequential:
    """Convolution without bias, BatchNorm, activation."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        activation(),
    )


class LeNet(nn.Module):
    """LeCun et al. 1998, on 1×16×16, with ReLU; `x.view(x.size(0), -1)` or Flatten."""

    def __init__(self, pool: type[nn.Module] = nn.MaxPool2d, view: bool = True) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 5, padding=2)
        self.conv2 = nn.Conv2d(4, 8, 5)
        self.pool = pool(2)
        self.fc1 = nn.Linear(8 * 2 * 2, 24)
        self.fc2 = nn.Linear(24, 10)
        self.view = view

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.view(x.size(0), -1) if self.view else torch.flatten(x, 1)
        out: Tensor = self.fc2(F.relu(self.fc1(x)))
        return out


def vgg(batchnorm: bool = True) -> nn.Module:
    """Simonyan and Zisserman 2014, in the manner of torchvision: pools, Dropout, a classifier."""
    layers: list[nn.Module] = []
    channels = 3
    for width in (6, 6, 0, 8, 8, 0):
        if width == 0:
            layers.append(nn.MaxPool2d(2, 2))
            continue
        layers.append(nn.Conv2d(channels, width, 3, padding=1))
        layers += [nn.BatchNorm2d(width)] if batchnorm else []
        layers.append(nn.ReLU(inplace=True))
        channels = width
    head = [nn.Linear(8 * 2 * 2, 16), nn.ReLU(True), nn.Dropout(), nn.Linear(16, 10)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), *head)


class PaddedShortcut(nn.Module):
    """Option A of He et al. 2015: every second pixel, and channels of 0 on both sides."""

    def __init__(self, more: int) -> None:
        super().__init__()
        self.more = more

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut: identity, padded, or 1×1."""

    def __init__(self, inputs: int, outputs: int, stride: int, padded: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 and padded:
            self.shortcut = PaddedShortcut(outputs - inputs)
        elif stride > 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += self.shortcut(x)
        result: Tensor = self.relu(out)
        return result


class ResNet(nn.Module):
    """ResNet of two stages for small images."""

    def __init__(self, padded: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.layer1 = nn.Sequential(BasicBlock(4, 4, 1, padded))
        self.layer2 = nn.Sequential(BasicBlock(4, 8, 2, padded), BasicBlock(8, 8, 1, padded))
        self.linear = nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        out = self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x)))))
        out = F.avg_pool2d(out, out.size()[3])
        logits: Tensor = self.linear(out.view(out.size(0), -1))
        return logits


class Mean(nn.Module):
    """`x.mean([2, 3])`, as torchvision's MobileNets have it."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean([2, 3])


def mobilenet_v1() -> nn.Module:
    """Howard et al. 2017: depthwise and pointwise convolutions, with ReLU6."""
    layers: list[nn.Module] = [conv_bn(3, 4, stride=2, activation=nn.ReLU6)]
    for inputs, outputs, stride in ((4, 8, 1), (8, 12, 2), (12, 12, 1)):
        layers.append(conv_bn(inputs, inputs, 3, stride, inputs, nn.ReLU6))
        layers.append(conv_bn(inputs, outputs, 1, activation=nn.ReLU6))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 10))


class InvertedResidual(nn.Module):
    """Sandler et al. 2018: wide inside, no activation at its narrow end."""

    def __init__(self, inputs: int, outputs: int, stride: int, activation: Activation) -> None:
        super().__init__()
        wide = 3 * inputs
        self.use_res_connect = stride == 1 and inputs == outputs
        self.conv = nn.Sequential(
            conv_bn(inputs, wide, 1, activation=activation),
            conv_bn(wide, wide, 3, stride, wide, activation),
            nn.Conv2d(wide, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return x + out if self.use_res_connect else out


def clamp_relu6() -> nn.Module:
    return nn.Hardtanh(0.0, 6.0)


def mobilenet_v2(activation: Activation = nn.ReLU6) -> nn.Module:
    return nn.Sequential(
        conv_bn(3, 4, stride=2, activation=activation),
        InvertedResidual(4, 4, 1, activation),
        InvertedResidual(4, 6, 2, activation),
        InvertedResidual(6, 6, 1, activation),
        conv_bn(6, 16, 1, activation=activation),
        Mean(),
        nn.Dropout(0.2),
        nn.Linear(16, 10),
    )


class Fire(nn.Module):
    """Squeeze, then expand twice and concatenate (Iandola et al. 2016)."""

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], 1)


def squeezenet() -> nn.Module:
    """Ends in a convolution with ReLU and a global average, as SqueezeNet 1.1 does."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(6, 3, 4),
        Fire(8, 4, 6),
        nn.Dropout(0.5),
        nn.Conv2d(12, 10, 1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d((1, 1)),
        nn.Flatten(),
    )


class DenseLayer(nn.Module):
    """BatchNorm and ReLU before the convolution; its input is kept beside its output."""

    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.conv = nn.Conv2d(inputs, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv(F.relu(self.norm(x)))], 1)


def densenet() -> nn.Module:
    """Huang et al. 2016: two dense blocks and a transition with average pooling."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, bias=False),
        DenseLayer(6, 3),
        DenseLayer(9, 3),
        nn.BatchNorm2d(12),
        nn.ReLU(),
        nn.Conv2d(12, 6, 1, bias=False),
        nn.AvgPool2d(2, 2),
        DenseLayer(6, 3),
        nn.BatchNorm2d(9),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(9, 10),
    )


class Upsample(nn.Module):
    """`F.interpolate` by 2."""

    def __init__(self, mode: str = "nearest") -> None:
        super().__init__()
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode=self.mode)


class UNet(nn.Module):
    """Ronneberger et al. 2015: down, up (by `up`), and skips that are concatenated."""

    def __init__(self, up: Callable[[int, int], nn.Module], classes: int = 3) -> None:
        super().__init__()
        self.down1, self.down2 = conv_bn(3, 4), conv_bn(4, 8)
        self.bottom = conv_bn(8, 8)
        self.up2, self.merge2 = up(8, 8), conv_bn(16, 4)
        self.up1, self.merge1 = up(4, 4), conv_bn(8, 4)
        self.head = nn.Conv2d(4, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = self.down1(x)
        second = self.down2(F.max_pool2d(first, 2))
        x = self.bottom(F.max_pool2d(second, 2))
        x = self.merge2(torch.cat([self.up2(x), second], dim=1))
        x = self.merge1(torch.cat([self.up1(x), first], dim=1))
        out: Tensor = self.head(x)
        return out


def nearest(inputs: int, outputs: int) -> nn.Module:
    return Upsample()


def transposed(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 2, stride=2), nn.ReLU())
