"""Networks of which a part cannot become spikes, or not unasked.

What snncc has to say to each is in `make_torch.py`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.corpus.torch_networks import Upsample, conv_bn


class Recurrent(nn.Module):
    """An LSTM or GRU over time, and a classifier of its last state."""

    def __init__(self, cell: type[nn.Module]) -> None:
        super().__init__()
        self.cell = cell(5, 6, batch_first=True)
        self.fc = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.cell(x)
        out: Tensor = self.fc(F.relu(states[:, -1]))
        return out


class Attention(nn.Module):
    """One head over a sequence, written out: queries times keys, softmax, times values."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(6, 8), nn.Linear(8, 3)
        self.q, self.k, self.v = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.first(x))
        weights = torch.softmax(self.q(x) @ self.k(x).transpose(1, 2) / 8**0.5, dim=-1)
        out: Tensor = self.last((weights @ self.v(x)).mean(1))
        return out


class SqueezeExcite(nn.Module):
    """A gate for each channel (Hu et al. 2017), which multiplies two values."""

    def __init__(self, gate: nn.Module) -> None:
        super().__init__()
        self.conv = conv_bn(3, 8, stride=2)
        self.fc1, self.fc2 = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)
        self.gate = gate
        self.fc = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        x = x * self.gate(self.fc2(F.relu(self.fc1(F.adaptive_avg_pool2d(x, 1)))))
        out: Tensor = self.fc(x.mean([2, 3]))
        return out


class Maxout(nn.Module):
    """The larger of two linear maps (Goodfellow et al. 2013), behind a ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.a, self.b = nn.Linear(8, 12), nn.Linear(12, 6), nn.Linear(12, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.first(x))
        return torch.maximum(self.a(x), self.b(x))


class Embedded(nn.Module):
    """Takes words by number."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.fc = nn.Embedding(30, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc(F.relu(self.table(x).mean(1)))
        return out


def normalized(norm: nn.Module) -> nn.Module:
    """Convolution, the given normalization, ReLU, classifier."""
    head = [nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)]
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), norm, *head)


def layer_normalized() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 12), nn.LayerNorm(12), nn.ReLU(), nn.Linear(12, 3))


def gelu_mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(8, 12), nn.GELU(), nn.Linear(12, 3), nn.ReLU())


def silu_cnn() -> nn.Module:
    body = [conv_bn(3, 6, stride=2, activation=nn.SiLU), conv_bn(6, 6, stride=2)]
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(6 * 9, 5))


def video() -> nn.Module:
    """3-D convolutions."""
    head = [nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, 3)]
    return nn.Sequential(nn.Conv3d(1, 4, 3, padding=1), *head)


def bilinear() -> nn.Module:
    return nn.Sequential(conv_bn(3, 4, stride=2), Upsample("bilinear"), nn.Conv2d(4, 2, 1))


def linear_network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.Flatten(), nn.Linear(4 * 36, 5))


def reflecting() -> nn.Module:
    """Padding as in style transfer."""
    first = [nn.Conv2d(3, 4, 3), nn.ReLU(), nn.ReflectionPad2d(1)]
    return nn.Sequential(*first, nn.Conv2d(4, 4, 3), nn.ReLU())


def fully_convolutional() -> nn.Module:
    return nn.Sequential(conv_bn(3, 4), nn.MaxPool2d(2), nn.Conv2d(4, 2, 1))
