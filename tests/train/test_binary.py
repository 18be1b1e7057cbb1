"""Binary weights: sign and scaling factor, their gradient, which layers get them."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from snncc.train import BinaryWeights, binarize


@pytest.mark.parametrize("shape", [(3, 8), (4, 2, 3), (2, 3, 3, 3)])
def test_weights_are_sign_times_mean(shape: tuple[int, ...]) -> None:
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    weight.view(-1)[0] = 0
    found = BinaryWeights()(weight)
    assert found.shape == weight.shape
    for channel, wanted in zip(found, weight, strict=True):
        assert torch.allclose(channel.abs(), wanted.abs().mean())
        assert torch.equal(channel > 0, wanted >= 0)


def test_the_gradient_is_the_formula() -> None:
    random = torch.Generator().manual_seed(2)
    weight = torch.randn(3, 2, 5, generator=random, dtype=torch.float64).requires_grad_()
    g = torch.randn(3, 2, 5, generator=random, dtype=torch.float64)
    (BinaryWeights(window=0.7)(weight) * g).sum().backward()
    rows, grads = weight.detach().reshape(3, 10), g.reshape(3, 10)
    for o in range(3):
        alpha = sum(abs(float(w)) for w in rows[o]) / 10
        signs = [1 if w > 0 else -1 for w in rows[o]]
        along = sum(float(each) * sign for each, sign in zip(grads[o], signs, strict=True))
        for i in range(10):
            within = abs(rows[o, i]) <= 0.7
            wanted = signs[i] / 10 * along + (alpha * grads[o, i] if within else 0)
            assert weight.grad is not None
            assert weight.grad.reshape(3, 10)[o, i] == pytest.approx(float(wanted))


def test_outside_of_the_window_only_the_mean_moves_and_that_exactly() -> None:
    """Where no sign can change, the function is smooth: finite differences."""
    weight = torch.tensor([[1.5, -2.0, 3.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(BinaryWeights(window=1.0), (weight,))


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Sequential(nn.Conv2d(4, 2, 3)),
        nn.Flatten(), nn.Linear(8, 3),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "wanted"),
    [
        (False, False, ["2", "3.0"]),
        (True, False, ["0", "2", "3.0"]),
        (False, True, ["2", "3.0", "5"]),
        (True, True, ["0", "2", "3.0", "5"]),
    ],
)
def test_first_and_last_stay_as_they_are(first: bool, last: bool, wanted: list[str]) -> None:
    net = network()
    before = {name: parameter.clone() for name, parameter in net.named_parameters()}
    assert binarize(net, first, last) == wanted
    for name, part in net.named_modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            assert parametrize.is_parametrized(part, "weight") == (name in wanted)
            magnitudes = part.weight.abs().flatten(1)
            assert bool(magnitudes.std(1).max() < 1e-6) == (name in wanted)
            if name in wanted:
                original = part.parametrizations["weight"].original  # type: ignore[index, union-attr]
                assert torch.equal(original, before[f"{name}.weight"])
    assert net(torch.zeros(1, 1, 8, 8)).shape == (1, 3)
    with pytest.raises(ValueError, match="is parametrized already"):
        binarize(net, first, last)


def test_layers_that_there_are_not() -> None:
    with pytest.raises(ValueError, match="of 2 layers none is left"):
        binarize(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)))
    with pytest.raises(ValueError, match="window is 0"):
        BinaryWeights(0)
