"""The counter of synaptic operations with which benchmarks/peers_front.py measures other tools."""

import csv
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import parser

import snncc
from snncc.data import samples_for
from snncc_c.runner import CRunner
from snncc_ir import Integers

pytest.importorskip("torch")

RESIDUAL = """
<ir_version: 8, opset_import: ["": 17]>
residual (float[1,2,6,6] x) => (float[1,4] y)
<int64[1] two = {2}, int64[1] three = {3}, int64[1] start = {0}, int64[1] end = {6},
 int64[8] pads = {0,1,0,0,0,1,0,0}>
{
  s0 = Conv<pads = [1,1,1,1]>(x, w0, b0)
  a = Relu(s0)
  s1 = Conv<pads = [1,1,1,1]>(a, w1, b1)
  s2 = Add(s1, a)
  b = Relu(s2)
  rows = Slice(b, start, end, two, two)
  places = Slice(rows, start, end, three, two)
  wider = Pad(places, pads)
  s3 = Conv<pads = [1,1,1,1], strides = [2,2]>(b, w3, b3)
  s4 = Add(s3, wider)
  c = Relu(s4)
  mean = AveragePool<kernel_shape = [3,3]>(c)
  flat = Flatten(mean)
  y = Gemm<transB = 1>(flat, w5, b5)
}
"""
RESIDUAL_WEIGHTS = {"0": (3, 2, 3, 3), "1": (3, 3, 3, 3), "3": (5, 3, 3, 3), "5": (4, 5)}

POOLED = """
<ir_version: 8, opset_import: ["": 17]>
pooled (float[1,2,8,8] x) => (float[1,3] y)
{
  s0 = Conv<pads = [1,1,1,1], group = 2>(x, w0, b0)
  a = Relu(s0)
  p = MaxPool<kernel_shape = [2,2], strides = [2,2]>(a)
  s1 = Conv<pads = [2,2,2,2], dilations = [2,2]>(p, w1, b1)
  b = Relu(s1)
  flat = Flatten(b)
  y = Gemm<transB = 1>(flat, w2, b2)
}
"""
POOLED_WEIGHTS = {"0": (4, 1, 3, 3), "1": (5, 4, 3, 3), "2": (3, 80)}


def parse(text: str, weights: dict[str, tuple[int, ...]]) -> onnx.ModelProto:
    """The graph with random weights and biases."""
    model = parser.parse_model(text)
    random = np.random.default_rng(7)
    for name, shape in weights.items():
        values = random.normal(0, 0.3, shape), random.normal(0, 0.1, shape[0])
        for kind, array in zip("wb", values, strict=True):
            tensor = onnx.numpy_helper.from_array(array.astype(np.float32), kind + name)
            model.graph.initializer.append(tensor)
    return model


def network(text: str, weights: dict[str, tuple[int, ...]]) -> onnx.ModelProto:
    model = parse(text, weights)
    onnx.checker.check_model(model, full_check=True)
    return model


def met(size: int, targets: int, stride: int = 1, pad: int = 1, dilation: int = 1) -> Integers:
    """Taps of a kernel of three that each of so many places on one axis meets, by trying all."""
    count = np.zeros(size, np.int64)
    for target in range(targets):
        for tap in range(3):
            place = target * stride - pad + tap * dilation
            if 0 <= place < size:
                count[place] += 1
    return count


def test_fan_outs_are_those_of_trying_all_weights() -> None:
    from benchmarks.peers_networks import Network, fan_outs

    analog, layers = fan_outs(Network(network(RESIDUAL, RESIDUAL_WEIGHTS)))
    plain, halved = met(6, 6), met(6, 3, stride=2)
    even = np.array([1, 0, 1, 0, 1, 0])  # what the shortcut takes
    expected = [
        np.broadcast_to(3 * np.outer(plain, plain) + 1, (3, 6, 6)),
        np.broadcast_to(5 * np.outer(halved, halved) + np.outer(even, even), (3, 6, 6)),
        np.full((5, 3, 3), 4),
    ]
    assert np.array_equal(analog.direct, np.broadcast_to(3 * np.outer(plain, plain), (2, 6, 6)))
    assert len(layers) == len(expected)
    for layer, wanted in zip(layers, expected, strict=True):
        assert layer.pool is None
        assert np.array_equal(layer.direct, wanted)


def test_max_pools_add_no_weight_but_let_spikes_through() -> None:
    import torch

    from benchmarks.peers_networks import Network, fan_outs

    analog, (before, after) = fan_outs(Network(network(POOLED, POOLED_WEIGHTS)))
    edge, wide = met(8, 8), met(4, 4, pad=2, dilation=2)
    assert np.array_equal(analog.direct, np.broadcast_to(2 * np.outer(edge, edge), (2, 8, 8)))
    assert not before.direct.any()
    assert np.array_equal(after.direct, np.full((5, 4, 4), 3))
    spikes = torch.zeros(1, 4, 8, 8)
    spikes[0, 2, 2:4, 0] = torch.tensor([1.0, 3.0])  # one window: three spikes come through
    assert float(before.operations(spikes)) == 3 * 5 * wide[1] * wide[0]
    pooled_first = torch.zeros(1, 4, 4, 4)
    pooled_first[0, 2, 1, 0] = 3
    assert float(before.operations(pooled_first)) == 3 * 5 * wide[1] * wide[0]


def test_it_counts_what_the_c_simulator_counts(tmp_path: Path) -> None:
    import torch

    from benchmarks.peers_networks import Network, fan_outs

    model = network(RESIDUAL, RESIDUAL_WEIGHTS)
    onnx.save(model, tmp_path / "m.onnx")
    x = np.random.default_rng(1).uniform(0.2, 1, (20, 2, 6, 6)).astype(np.float32)
    np.savez(tmp_path / "c.npz", x=x)
    bundle = snncc.compile(
        tmp_path / "m.onnx", calibration=tmp_path / "c.npz", steps=12, output=tmp_path / "bundle"
    )  # fmt: skip
    samples = samples_for(bundle.graph, snncc.Dataset({"x": x}), bundle.preprocessing)
    ran = CRunner(bundle.folder, bundle.graph, processes=1).run(samples, record=True)
    analog, layers = fan_outs(Network(model))
    total = analog.operations(torch.ones(len(x), 2, 6, 6))
    assert len(ran.spikes) == len(layers)
    for layer, spikes in zip(layers, ran.spikes.values(), strict=True):
        assert spikes.any()
        total += layer.operations(torch.from_numpy(np.abs(spikes).sum(1)))
    assert np.array_equal(total, sum(ran.synaptic_operations.values()))


@pytest.mark.parametrize(
    ("text", "weights", "shape"),
    [(RESIDUAL, RESIDUAL_WEIGHTS, (2, 6, 6)), (POOLED, POOLED_WEIGHTS, (2, 8, 8))],
)
def test_the_torch_network_computes_what_the_graph_does(
    text: str, weights: dict[str, tuple[int, ...]], shape: tuple[int, ...]
) -> None:
    import torch

    from benchmarks.peers_front import check
    from benchmarks.peers_networks import Network

    model = network(text, weights)
    images = torch.rand(2, *shape, generator=torch.Generator().manual_seed(3))
    check(model, Network(model), images)
    net = Network(model)
    next(net.parameters()).data.mul_(1.5)
    with pytest.raises(SystemExit, match="does not compute"):
        check(model, net, images)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Relu(s0)", "Sigmoid(s0)", "Sigmoid"),
        ("kernel_shape = [3,3]>", "kernel_shape = [3,3], ceil_mode = 1>", "AveragePool"),
        ("end, three, two", "end, two, two", "no choice of channels"),
    ],
)
def test_what_cannot_be_measured_is_said(old: str, new: str, message: str) -> None:
    from benchmarks.peers_networks import Network

    text = RESIDUAL.replace(old, new).replace("x) => (float[1,4] y)", "x) => (float[] y)")
    with pytest.raises(SystemExit, match=message):
        Network(parse(text, RESIDUAL_WEIGHTS))


def test_rows_are_replaced_by_tool_network_and_options(tmp_path: Path) -> None:
    from benchmarks.peers_front import Row, write

    def row(options: str, steps: int, accuracy: float) -> Row:
        return Row("sinabs", "net", options, steps, accuracy, 1.0, 2.0, 3.0, 4.0)

    path = tmp_path / "front.csv"
    write(path, [row("multi", 4, 0.5), row("multi", 8, 0.6)])
    write(path, [row("single", 4, 0.1)])
    write(path, [row("multi", 4, 0.7)])
    with path.open(newline="") as file:
        found = [(r["options"], r["steps"], r["accuracy"]) for r in csv.DictReader(file)]
    assert found == [("single", "4", "0.1"), ("multi", "4", "0.7")]
