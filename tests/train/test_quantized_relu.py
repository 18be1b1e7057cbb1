"""Quantized ReLU: its values, its surrogate gradient, its form in ONNX."""

import pytest
import torch

from snncc.train import QuantizedReLU, calibrate_scales


def test_values_are_whole_spikes_half_to_even() -> None:
    x = torch.tensor([-1.0, 0.2, 0.25, 0.3, 0.75, 1.2, 1.6, 9.0])
    wanted = torch.tensor([0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.5, 1.5])
    assert torch.equal(QuantizedReLU(3, 0.5)(x), wanted)
    whole = torch.tensor([[0.5, 1.5, 254.6, 400.0]])
    assert torch.equal(QuantizedReLU()(whole), torch.tensor([[0.0, 2.0, 255.0, 255.0]]))
    assert QuantizedReLU()(whole.half()).dtype == torch.float16


def test_the_gradient_is_that_of_the_clipped_relu() -> None:
    x = torch.linspace(-1, 2.5, 29, dtype=torch.float64) + 0.01
    x.requires_grad_()
    weights = torch.linspace(1, 2, 29, dtype=torch.float64)
    (QuantizedReLU(3, 0.5)(x) * weights).sum().backward()
    delta = 1e-4

    def clipped(at: torch.Tensor) -> torch.Tensor:
        return at.detach().clamp(0, 1.5)

    wanted = (clipped(x + delta) - clipped(x - delta)) / (2 * delta) * weights
    assert x.grad is not None
    assert torch.allclose(x.grad, wanted)


@pytest.mark.parametrize(
    ("levels", "step", "message"),
    [
        (0, 1.0, "levels is 0"),
        (256, 1.0, "levels is 256, should be 1 to 255"),
        (3, 0.0, "step is 0"),
    ],
)
def test_levels_and_steps_that_there_are_not(levels: int, step: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QuantizedReLU(levels, step)


def test_the_step_is_kept_with_the_weights() -> None:
    other = QuantizedReLU(3, 0.5)
    other.load_state_dict(QuantizedReLU(3, 0.125).state_dict())
    assert other.step == 0.125
    assert repr(other) == "QuantizedReLU(levels=3, step=0.125)"


def test_calibration_finds_the_step() -> None:
    neurons = [QuantizedReLU(4), QuantizedReLU(8, 3.0)]
    net = torch.nn.Sequential(*neurons)
    calibrate_scales(net, torch.tensor([[-5.0, 0.5, 2.0]]), percentile=100)
    assert [part.step.item() for part in neurons] == [0.5, 0.25]
