"""More small networks in PyTorch: sound, autoencoders, several inputs and outputs, odd parts."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.corpus.torch_networks import BasicBlock, LeNet, conv_bn


class AudioNet(nn.Module):
    """1-D convolutions over a waveform, in the manner of M5 (Dai et al. 2016)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv1d(1, 4, 15, stride=4), nn.BatchNorm1d(4)
        self.conv2, self.bn2 = nn.Conv1d(4, 8, 3, padding=1), nn.BatchNorm1d(8)
        self.fc = nn.Linear(8, 6)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool1d(F.relu(self.bn1(self.conv1(x))), 4)
        x = F.max_pool1d(F.relu(self.bn2(self.conv2(x))), 2)
        x = F.avg_pool1d(x, x.shape[-1]).permute(0, 2, 1)
        return F.log_softmax(self.fc(x), dim=2)


class Causal(nn.Module):
    """A block of a temporal convolutional network: padded on the left, dilated, residual."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, 3, dilation=dilation)
        self.left = 2 * dilation

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + F.relu(self.conv(F.pad(x, (self.left, 0)))))


class Last(nn.Module):
    """The last moment, `x[:, :, -1]`."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, -1]


def tcn() -> nn.Module:
    first = [nn.Conv1d(5, 6, 1), nn.ReLU()]
    return nn.Sequential(*first, Causal(6, 1), Causal(6, 2), Causal(6, 4), Last(), nn.Linear(6, 4))


def ds_cnn() -> nn.Module:
    """Keyword spotting on 1×25×10 features (Zhang et al. 2017)."""
    return nn.Sequential(
        nn.Conv2d(1, 6, (10, 4), stride=(2, 2), padding=(5, 1), bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        conv_bn(6, 6, groups=6),
        conv_bn(6, 6, 1),
        conv_bn(6, 6, groups=6),
        conv_bn(6, 6, 1),
        nn.AvgPool2d((13, 5)),
        nn.Flatten(),
        nn.Linear(6, 12),
    )


def mlp(batchnorm: bool = False) -> nn.Module:
    first = [nn.Linear(20, 32), *([nn.BatchNorm1d(32)] if batchnorm else []), nn.ReLU()]
    return nn.Sequential(*first, nn.Dropout(0.3), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 5))


def autoencoder() -> nn.Module:
    """Dense layers from an image of 1×6×4 to another."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((24, 12, 4, 12, 24)):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *layers[:-1], nn.Unflatten(1, (1, 6, 4)))


def convolutional_autoencoder() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 6, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(4, 1, 4, stride=2, padding=1),
    )


class Normalized(nn.Module):
    """Takes uint8 images; their normalization is part of the network."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.body = nn.Sequential(conv_bn(3, 6, stride=2), conv_bn(6, 8, stride=2))
        self.fc = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = (x.float() / 255 - self.mean) / self.std
        out: Tensor = self.fc(F.adaptive_avg_pool2d(self.body(x), 1).flatten(1))
        return out


class TwoHeads(nn.Module):
    """A class and four numbers of a box from one trunk."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(conv_bn(3, 6, stride=2), BasicBlock(6, 6, 1, False))
        self.classes, self.box = nn.Linear(6 * 36, 4), nn.Linear(6 * 36, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.trunk(x).flatten(1)
        return self.classes(x), F.relu(self.box(x))


class Siamese(nn.Module):
    """One encoder for two images; the difference of what it finds is classified."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 25, 8), nn.ReLU()
        )
        self.fc = nn.Linear(8, 2)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        out: Tensor = self.fc(self.encoder(left) - self.encoder(right))
        return out


class Repeated(nn.Module):
    """One convolution, used three times, as in a recurrent network unrolled."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.again = nn.Conv2d(3, 6, 3, 2, 1), nn.Conv2d(6, 6, 3, 1, 1)
        self.fc = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.first(x))
        for _ in range(3):
            x = torch.clamp(self.again(x), min=0)
        out: Tensor = self.fc(x.mean(dim=(-2, -1)))
        return out


class Shuffle(nn.Module):
    """ShuffleNet: grouped convolutions, and channels that are shuffled by a transpose."""

    def __init__(self) -> None:
        super().__init__()
        self.first = conv_bn(3, 8, stride=2)
        self.grouped, self.second = conv_bn(8, 8, 1, groups=2), conv_bn(8, 8, 3, groups=2)
        self.fc = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.grouped(self.first(x))
        n, c, h, w = x.size()
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)
        left, right = self.second(x).chunk(2, dim=1)
        out: Tensor = self.fc(torch.cat((right, left), 1).mean([2, 3]))
        return out


class Inception(nn.Module):
    """Four branches of unlike depth, one behind a padded max pool (Szegedy et al. 2014)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn(3, 6, stride=2)
        self.one, self.three = conv_bn(6, 3, 1), nn.Sequential(conv_bn(6, 2, 1), conv_bn(2, 4))
        self.five = nn.Sequential(conv_bn(6, 2, 1), conv_bn(2, 2, 5))
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), conv_bn(6, 3, 1))
        self.fc = nn.Linear(12 * 9, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)
        out: Tensor = self.fc(torch.flatten(F.avg_pool2d(x, 2), 1))
        return out


def super_resolution() -> nn.Module:
    """ESPCN (Shi et al. 2016): pixels out of channels."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.Conv2d(6, 4, 3, padding=1), nn.PixelShuffle(2)
    )


def darknet(activation: nn.Module) -> nn.Module:
    """Convolution, BatchNorm and LeakyReLU, thrice, as in YOLO; or PReLU."""
    first = [nn.Conv2d(3, 6, 3, 1, 1, bias=False), nn.BatchNorm2d(6), activation, nn.MaxPool2d(2)]
    last = [nn.Conv2d(6, 8, 3, 1, 1), activation, nn.AdaptiveMaxPool2d(1), nn.Flatten()]
    return nn.Sequential(*first, *last, nn.Linear(8, 5))


class Classifier(nn.Module):
    """A LeNet that gives the class itself."""

    def __init__(self) -> None:
        super().__init__()
        self.body = LeNet(nn.AvgPool2d)

    def forward(self, x: Tensor) -> Tensor:
        return torch.argmax(self.body(x), dim=1)


class Dilated(nn.Module):
    """Context from dilated convolutions, an odd stride and uneven zero padding."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, (3, 5), stride=(1, 2), padding=(2, 0), dilation=(2, 1))
        self.pad = nn.ZeroPad2d((1, 0, 0, 1))
        self.second = nn.Conv2d(6, 4, 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.second(self.pad(F.relu(self.first(x)))))
        return x.amax(dim=(2, 3))
