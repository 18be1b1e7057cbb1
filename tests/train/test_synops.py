"""Synaptic operations: true fan-outs, what is counted of a network, and the losses' gradients."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from snncc.train import (
    Classification,
    QcfsActivation,
    QuantizedReLU,
    SynapticOperations,
    TargetOperations,
    WeightedL1,
    fan_out,
)


def met(size: int, kernel: int, stride: int, pad: int, dilation: int) -> NDArray[np.int64]:
    """Taps of a kernel that each place on one axis meets, by trying all."""
    count = np.zeros(size, np.int64)
    for target in range((size + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1):
        for tap in range(kernel):
            place = target * stride - pad + tap * dilation
            if 0 <= place < size:
                count[place] += 1
    return count


@pytest.mark.parametrize(
    ("kernel", "stride", "pad", "dilation", "groups"),
    [(3, 1, 1, 1, 1), (3, 2, 1, 1, 2), (5, 3, 0, 1, 1), (3, 1, 2, 2, 4), (2, 2, 0, 1, 1)],
)
def test_fan_outs_of_convolutions(
    kernel: int, stride: int, pad: int, dilation: int, groups: int
) -> None:
    layer = nn.Conv2d(4, 8, kernel, stride, pad, dilation, groups)
    rows, columns = (met(size, kernel, stride, pad, dilation) for size in (9, 7))
    wanted = np.broadcast_to(8 // groups * np.outer(rows, columns), (4, 9, 7))
    assert np.array_equal(fan_out(layer, (4, 9, 7)), wanted)
    line = nn.Conv1d(4, 8, kernel, stride, pad, dilation, groups)
    assert np.array_equal(fan_out(line, (4, 9)), np.broadcast_to(8 // groups * rows, (4, 9)))


def test_fan_outs_of_other_layers() -> None:
    assert fan_out(nn.Linear(5, 7), (5,)).tolist() == [7] * 5
    around = nn.Conv1d(1, 2, 3, padding=1, padding_mode="circular")
    assert fan_out(around, (1, 4)).tolist() == [[6] * 4]
    same = nn.Conv1d(1, 2, 3, padding="same")
    assert fan_out(same, (1, 4)).tolist() == [[4, 6, 6, 4]]
    with pytest.raises(ValueError, match="ReLU is no convolution"):
        fan_out(nn.ReLU(), (4,))


def spikes(count: int, *shape: int) -> Tensor:
    """Whole numbers from 0 to 3."""
    random = torch.Generator().manual_seed(count)
    return torch.randint(4, (count, *shape), generator=random).float()


def chain(*parts: nn.Module, step: float = 1.0) -> nn.Sequential:
    """Neurons that send the very numbers they are given, and what reads them."""
    return nn.Sequential(QuantizedReLU(3, step), *parts)


@pytest.mark.parametrize(
    ("parts", "places"),
    [
        ((), lambda n: n),
        ((nn.AvgPool2d(2),), lambda n: 4 * nn.functional.avg_pool2d(n, 2)),
        (
            (nn.AvgPool2d(3, 2, 1, count_include_pad=False),),
            lambda n: 9 * nn.functional.avg_pool2d(n, 3, 2, 1),
        ),
        ((nn.MaxPool2d(2),), lambda n: nn.functional.max_pool2d(n, 2)),
        ((nn.ZeroPad2d(1),), lambda n: nn.functional.pad(n, [1] * 4)),
    ],
)
@pytest.mark.parametrize("step", [1.0, 0.25])
def test_what_a_convolution_reads_is_counted(
    parts: tuple[nn.Module, ...], places: Callable[[Tensor], Tensor], step: float
) -> None:
    layer = nn.Conv2d(2, 3, 3, padding=1)
    net, n = chain(*parts, layer, step=step), spikes(5, 2, 6, 6)
    operations = SynapticOperations(net, n[:1])
    net(n * step)
    arriving = places(n)
    rows = met(arriving.shape[2], 3, 1, 1, 1)
    wanted = (arriving * torch.from_numpy(3 * np.outer(rows, rows))).sum() / 5
    assert operations.total.item() == pytest.approx(wanted.item(), rel=1e-6)
    assert list(operations.layers) == [str(len(parts) + 1)]


class Functional(nn.Module):
    """Averages and moves as functions, one layer called twice, two neurons' spikes side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = QuantizedReLU(3, 0.5), QuantizedReLU(3, 2.0)
        self.twice, self.read = nn.Linear(4, 6), nn.Linear(3, 7)

    def forward(self, x: Tensor) -> Tensor:
        both = torch.cat([self.a(x[:, :2]), self.b(x[:, 2:])], 1)  # 4 × 6
        averages = both.mean(2)
        pooled = nn.functional.adaptive_avg_pool1d(both, 4).transpose(1, 2)  # windows of 2
        thirds = nn.functional.avg_pool1d(both, 2)  # 4 × 3
        return torch.cat(
            [self.twice(averages), self.twice(pooled).flatten(1), self.read(thirds).flatten(1)], 1
        )


def test_functions_and_layers_that_are_called_twice() -> None:
    net, n = Functional(), spikes(3, 4, 6)
    operations = SynapticOperations(net, torch.zeros(1, 4, 6))
    net(n * torch.tensor([0.5, 0.5, 2.0, 2.0])[:, None])
    total = n.sum() / 3
    windows = n[..., [0, 1, 1, 2, 3, 4, 4, 5]].sum() / 3
    found = {name: count.item() for name, count in operations.layers.items()}
    assert found == pytest.approx(
        {"twice": (6 * (total + windows)).item(), "read": (7 * total).item()}
    )
    operations.remove()
    net(torch.zeros(3, 4, 6))
    assert operations.total.item() == pytest.approx(sum(found.values()))


def test_the_gradient_is_fan_out_by_unit_and_copies_do_not_count() -> None:
    net = chain(nn.Flatten(), nn.Linear(8, 5), step=0.5)
    operations = SynapticOperations(net, torch.zeros(1, 2, 2, 2))
    x = (0.5 * spikes(4, 2, 2, 2)).requires_grad_()
    copied = copy.deepcopy(net)
    net(x)
    total = operations.total
    copied(2 * x)
    assert torch.equal(operations.total, total)
    total.backward()
    inside = (x > 0) & (x < 1.5)
    assert x.grad is not None
    assert torch.equal(x.grad, inside * (5 / 0.5 / 4))


def test_losses_are_their_formulas() -> None:
    net = chain(nn.Flatten(), nn.Linear(8, 5))
    operations = SynapticOperations(net, torch.zeros(1, 2, 2, 2))
    x, y = spikes(4, 2, 2, 2).requires_grad_(), torch.tensor([0, 1, 2, 3])
    plain = Classification()(net, x, y).terms["cross entropy"].item()
    count = (x.sum() / 4 * 5).item()
    target = TargetOperations(Classification(), operations, target=40, weight=3)(net, x, y)
    assert target.terms["cross entropy"].item() == plain
    assert target.terms["operations"].item() == pytest.approx(3 * (count / 40 - 1) ** 2)
    target.terms["operations"].backward()
    assert x.grad is not None
    inside = ((x > 0) & (x < 3)).float()
    assert torch.allclose(x.grad, inside * 3 * 2 * (count / 40 - 1) / 40 * 5 / 4)
    l1 = WeightedL1(Classification(), operations, weight=0.01)(net, x, y)
    assert l1.terms["operations"].item() == pytest.approx(0.01 * count)
    with pytest.raises(ValueError, match="target is 0"):
        TargetOperations(Classification(), operations, target=0)


def test_qcfs_has_a_unit_that_is_trained() -> None:
    neurons = QcfsActivation(4, scale=2.0)
    net = nn.Sequential(neurons, nn.Linear(3, 4))
    operations = SynapticOperations(net, torch.zeros(1, 3))
    net(torch.tensor([[0.5, 1.5, 9.0]]))
    assert operations.total.item() == 4 * (1 + 3 + 4)
    neurons.scale.data.fill_(4.0)
    net(torch.tensor([[1.0, 3.0, 9.0]]))
    assert operations.total.item() == 4 * (1 + 3 + 4)


def test_relus_that_are_not_quantized_have_a_unit() -> None:
    net = nn.Sequential(nn.ReLU(), nn.Linear(3, 4))
    operations = SynapticOperations(net, torch.zeros(1, 3), unit=0.125)
    net(torch.tensor([[0.25, -1.0, 0.5]]))
    assert operations.total.item() == 4 * 6
    with pytest.raises(ValueError, match="unit is 0"):
        SynapticOperations(net, torch.zeros(1, 3), unit=0)


class Called(nn.Module):
    def __init__(self, call: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.neurons, self.other, self.read = QuantizedReLU(), QuantizedReLU(), nn.Linear(3, 2)
        self.norm, self.call = nn.BatchNorm1d(3), call
        nn.init.ones_(self.norm.bias)

    def forward(self, x: Tensor) -> Tensor:
        spiking = self.neurons(x)
        return self.read(self.call(self.norm(spiking) if self.call is norm else spiking))


def norm(x: Tensor) -> Tensor:
    return x


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (Called(torch.relu), "calls relu as a function"),
        (Called(norm), "something is added to the spikes that layer 'read' reads"),
        (nn.Sequential(nn.Linear(3, 2)), "reads spikes, should be at least one"),
        (nn.Sequential(nn.Linear(3, 3), QuantizedReLU()), "reads spikes, should be at least one"),
    ],
)
def test_networks_that_cannot_be_counted(net: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SynapticOperations(net, torch.zeros(1, 3))


def test_sums_without_neurons_cannot_be_counted() -> None:
    net = Called(norm)
    net.call = lambda x: x + net.other(x)
    with pytest.raises(ValueError, match="sums of spikes of several activations"):
        SynapticOperations(net, torch.zeros(1, 3))


def test_before_the_first_call_there_is_no_total() -> None:
    with pytest.raises(ValueError, match="has not been called"):
        _ = SynapticOperations(chain(nn.Linear(3, 2)), torch.zeros(1, 3)).total
