"""Quantized ReLU, binary weights, counted operations: on the chip what they are in torch."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

import snncc
from snncc.train import (
    QuantizedInput,
    QuantizedReLU,
    SynapticOperations,
    binarize,
    calibrate_scales,
    export,
)  # fmt: skip
from snncc_ir import Binary
from snncc_ir.ops import Conv, Dense, Population


def network(levels: int) -> nn.Sequential:
    """All that changes a fan-out: stride, groups, borders, a max pool, an average pool."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        net = nn.Sequential(
            QuantizedInput(1 / 15, 15),
            nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6), QuantizedReLU(levels),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, stride=1, padding=2, groups=2, dilation=2), QuantizedReLU(levels),
            nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(32, 12), QuantizedReLU(levels),
            nn.Linear(12, 5),
        )  # fmt: skip
    net(images())  # BatchNormalization's moments
    calibrate_scales(net.eval(), images(), percentile=99)
    return net


def images(count: int = 24) -> torch.Tensor:
    random = torch.Generator().manual_seed(6)
    return torch.randint(16, (count, 2, 8, 8), generator=random) / 15


def compiled(net: nn.Module, folder: Path, **settings: object) -> snncc.Bundle:
    export(net, folder / "net.onnx", images(1))
    calibration = images().numpy()
    return snncc.compile(folder / "net.onnx", calibration=calibration, settings=settings)


def test_the_file_is_of_standard_operators(tmp_path: Path) -> None:
    export(network(3), tmp_path / "net.onnx", images(1))
    model = onnx.load(tmp_path / "net.onnx")
    kinds = [(node.domain, node.op_type) for node in model.graph.node]
    for kind in ("Clip", "QuantizeLinear", "DequantizeLinear"):
        assert kinds.count(("", kind)) == 3


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("digits", [1, 4])
def test_the_radix_code_computes_what_torch_does(tmp_path: Path, digits: int, binary: bool) -> None:
    net = network(2**digits - 1)
    if binary:
        assert binarize(net) == ["5", "9"]
    bundle = compiled(net, tmp_path, coding="radix", steps=digits)
    found = bundle.run(images().numpy())
    with torch.no_grad():
        wanted = net(images()).numpy()
    (outputs,) = found.outputs().values()
    assert np.abs(outputs - wanted).max() < 1e-3 * np.abs(wanted).max()
    maps = [m[-1] for node in bundle.graph if isinstance(node.op, Population) for m in node.op.maps]
    kept = [isinstance(m.weight, Binary) for m in maps if isinstance(m, Conv | Dense)]
    assert kept == [False, binary, binary, False]


def test_operations_are_those_that_the_simulator_counts(tmp_path: Path) -> None:
    """With one digit a neuron sends at most one spike, so that nothing but counting is left."""
    net = network(1)
    operations = SynapticOperations(net, images(1))
    net(images())
    bundle = compiled(net, tmp_path, coding="radix", steps=1)
    counted = bundle.run(images().numpy()).execution.synaptic_operations
    first, *others = counted.values()
    assert len(operations.layers) == len(others) == 3
    for layer, simulated in zip(operations.layers.values(), others, strict=True):
        assert layer.item() == pytest.approx(simulated.mean(), rel=1e-6)
        assert layer.item() > 0
    assert first.mean() > 0
