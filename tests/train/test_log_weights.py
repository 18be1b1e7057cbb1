"""Logarithmic weights in the loop: the compiler's grid, straight gradients, BatchNorm folded."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'snncc[train]'")

from torch import nn  # noqa: E402

from snncc.passes.log_grid import Grid  # noqa: E402
from snncc.train import (  # noqa: E402
    LogWeights,
    fold_batchnorm,
    quantize_log_weights,
    refit_exponents,
)
from snncc_ir import Log2, i8, i16  # noqa: E402


@pytest.mark.parametrize("per", ["channel", "layer"])
@pytest.mark.parametrize(("bits", "resolution"), [(4, 2), (5, 4), (2, 1), (8, 2)])
def test_rounding_is_that_of_the_compiler(bits: int, resolution: int, per: str) -> None:
    """Codes equal; values equal in float32 to those of the format; exponents of least error."""
    random = np.random.default_rng(bits)
    weight = (random.normal(size=(6, 40)) * np.exp2(random.integers(-6, 3, (6, 1)))).astype("f4")
    weight[2] = 0
    grid = LogWeights(torch.from_numpy(weight), bits, resolution, per)
    exponent = grid.exponent.numpy()
    assert exponent.shape == ((6, 1) if per == "channel" else (1, 1))
    own = Grid.of_bits(bits, resolution)
    codes = own.codes(weight.astype(np.float64), exponent.astype(np.int64))
    np.testing.assert_array_equal(grid.codes(torch.from_numpy(weight)).numpy(), codes)
    values = grid(torch.from_numpy(weight)).numpy()
    expected = Log2(i8(codes), i16(exponent.astype(np.int64)), resolution).array
    np.testing.assert_array_equal(values, expected.astype(np.float32))

    def error(moved: int) -> float:
        at = exponent.astype(np.int64) + moved
        return float(np.square(own.values(own.codes(weight, at), at) - weight).sum())

    assert error(0) <= min(error(1), error(-1))


def test_gradient_passes_straight() -> None:
    layer = quantize_log_weights(nn.Linear(5, 3), bits=4)
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    layer(x).square().sum().backward()
    stored = layer.get_parameter("parametrizations.weight.original")
    found = layer(x).detach()
    assert stored.grad is not None
    torch.testing.assert_close(stored.grad, 2 * found.T @ x)


def test_exponents_follow_weights_when_they_are_asked_to() -> None:
    layer = quantize_log_weights(nn.Linear(5, 3), bits=4)
    before = layer.get_buffer("parametrizations.weight.0.exponent").clone()
    with torch.no_grad():
        layer.get_parameter("parametrizations.weight.original").mul_(4)
    refit_exponents(layer)
    after = layer.get_buffer("parametrizations.weight.0.exponent")
    assert (after - before).flatten().tolist() == [4, 4, 4]


def test_batchnorm_is_folded_before() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(2, 3, 3, bias=False), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(),
        nn.Linear(12, 4), nn.BatchNorm1d(4),
    )  # fmt: skip
    x = torch.randn(20, 2, 4, 4)
    net(x)
    net.eval()
    expected = net(x)
    fold_batchnorm(net)
    assert isinstance(net[1], nn.Identity)
    assert isinstance(net[5], nn.Identity)
    torch.testing.assert_close(net(x), expected, rtol=1e-4, atol=1e-5)


def test_what_cannot_be_folded_or_rounded_is_refused() -> None:
    quantized = nn.Sequential(quantize_log_weights(nn.Linear(3, 3)), nn.BatchNorm1d(3))
    with pytest.raises(ValueError, match="'0' has quantized weights, should have plain ones"):
        fold_batchnorm(quantized)
    shared = nn.Linear(3, 3)
    with pytest.raises(ValueError, match="one of both is used twice"):
        fold_batchnorm(nn.Sequential(shared, nn.BatchNorm1d(3), shared, nn.BatchNorm1d(3)))
    for wrong, says in (
        ({"bits": 9}, "bits is 9, should be 2 to 8"),
        ({"resolution": 3}, "resolution is 3, should be 1, 2 or 4"),
        ({"per": "row"}, "per is 'row', should be 'channel' or 'layer'"),
    ):
        with pytest.raises(ValueError, match=says):
            LogWeights(torch.ones(2, 2), **wrong)  # type: ignore[arg-type]
