"""The float networks of make_ortquant.py, of which onnxruntime makes quantized ones."""

import torch
from torch import Tensor, nn


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class LeNet(nn.Module):
    """Max pool, average pool, two fully connected layers."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.ReLU()
        )
        self.classifier = nn.Sequential(nn.Linear(32, 20), nn.ReLU(), nn.Linear(20, 10))
        self.pool = nn.AvgPool2d(2)

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.pool(self.features(image)).flatten(1))
        return logits


class ResNet(nn.Module):
    """A block of each kind: identity and projected; the mean over all pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.relu = _conv(3, 6), nn.ReLU()
        self.first = nn.Sequential(_conv(6, 6), nn.ReLU(), _conv(6, 6))
        self.second = nn.Sequential(_conv(6, 10, 3, 2), nn.ReLU(), _conv(10, 10))
        self.shortcut = _conv(6, 10, 1, 2)
        self.linear = nn.Linear(10, 10)

    def forward(self, image: Tensor) -> Tensor:
        x = self.relu(self.stem(image))
        x = self.relu(self.first(x) + x)
        x = self.relu(self.second(x) + self.shortcut(x))
        logits: Tensor = self.linear(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))
        return logits


class SqueezeNet(nn.Module):
    """A fire module; the last layer is a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2))
        self.squeeze = nn.Sequential(nn.Conv2d(8, 4, 1), nn.ReLU())
        self.left = nn.Sequential(nn.Conv2d(4, 6, 1), nn.ReLU())
        self.right = nn.Sequential(nn.Conv2d(4, 6, 3, padding=1), nn.ReLU())
        self.head = nn.Sequential(nn.Conv2d(12, 10, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1))

    def forward(self, image: Tensor) -> Tensor:
        x = self.squeeze(self.stem(image))
        logits: Tensor = self.head(torch.cat([self.left(x), self.right(x)], 1)).flatten(1)
        return logits


def mobilenet() -> nn.Module:
    """MobileNetV1: depthwise and pointwise convolutions with ReLU6."""
    layers: list[nn.Module] = [_conv(3, 6, 3, 2), nn.ReLU6()]
    for inputs, outputs, stride in ((6, 8, 1), (8, 12, 2)):
        depthwise = nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False)
        layers += [depthwise, nn.BatchNorm2d(inputs), nn.ReLU6()]
        layers += [_conv(inputs, outputs, 1), nn.ReLU6()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 10))


def mlp() -> nn.Module:
    """Without biases in its first layer: a MatMul, where the rest are Gemms."""
    layers = [nn.Linear(48, 24, bias=False), nn.ReLU(), nn.Linear(24, 16), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(16, 10))


def seeded(network: nn.Module) -> nn.Module:
    """Numbers that are neither 0 nor 1 in every BatchNorm, and weights that keep activations."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            moments = dict(module.named_parameters()) | dict(module.named_buffers())
            for name in ("weight", "running_var"):
                nn.init.uniform_(moments[name], 0.5, 1.5)
            for name in ("bias", "running_mean"):
                nn.init.normal_(moments[name], 0.0, 0.1)
        elif isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
    return network.eval()
