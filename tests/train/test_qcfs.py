"""QCFS: its values, and its gradients against the equations of the paper written out."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'snncc[train]'")

from snncc.train import QcfsActivation, QuantizedInput  # noqa: E402
from snncc_ir import f32  # noqa: E402
from snncc_ir.ops import IntegrateFire, RadixFire  # noqa: E402


def test_values_are_the_closed_form_of_neurons_that_start_half_way() -> None:
    """L steps of the rate code, log2(L + 1) digits of the radix code; in units of λ."""
    scale = 2.0
    x = torch.from_numpy(np.random.default_rng(0).normal(0, 3, (50, 7)).astype(np.float32))
    given = x.double().numpy() / scale
    for levels, model in (
        (7, RadixFire(3, f32(1.0), f32(0.5))),
        (7, IntegrateFire(7, f32(1.0), f32(0.5))),
        (6, IntegrateFire(6, f32(1.0), f32(0.5))),
    ):
        found = QcfsActivation(levels, scale)(x).detach().numpy()
        assert found.shape == x.shape
        np.testing.assert_allclose(found, scale * model.evaluate(given), rtol=1e-6)


def test_gradients_are_those_of_the_paper() -> None:
    levels, scale = 4, 2.0
    shift = scale / (2 * levels)
    activation = QcfsActivation(levels, scale)
    numbers = [-1.0, -0.3, -0.2, 0.1, 0.6, 1.3, 1.7, 1.8, 3.0]
    for number in numbers:
        x = torch.tensor(number, requires_grad=True)
        activation.zero_grad()
        result = activation(x)
        result.backward(torch.tensor(5.0))
        within = -shift < number < scale - shift
        of_scale = (result.item() - number) / scale if within else float(number >= scale - shift)
        assert x.grad is not None
        assert activation.scale.grad is not None
        assert float(x.grad) == 5.0 * within
        assert float(activation.scale.grad) == pytest.approx(5 * of_scale, abs=1e-5)


def test_input_is_rounded_to_the_integers_that_are_sent() -> None:
    layer = QuantizedInput(1 / 4, 6)
    x = torch.tensor([-1.0, 0.1, 0.124, 0.126, 0.9, 1.5, 2.0], requires_grad=True)
    result = layer(x)
    assert result.tolist() == [0, 0, 0, 0.25, 1, 1.5, 1.5]
    result.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0, 1, 1, 1, 1, 1, 0]


@pytest.mark.parametrize(
    "make", [QcfsActivation, lambda levels, scale=1.0: QuantizedInput(scale, levels)]
)
def test_wrong_numbers_are_refused(make: type[QcfsActivation]) -> None:
    with pytest.raises(ValueError, match="levels is 0, should be 1 to 32767"):
        make(0)
    with pytest.raises(ValueError, match=r"scale is -1\.0, should be positive"):
        make(3, scale=-1.0)
