"""Networks with weights ±alpha through the command line: one bit a weight, found without an option.

A small network of every kind of binary layer is made here; the shipped example and the LeNet of the
shared networks have their middle layers binarized in the manner of XNOR-Net, alpha = mean |w|. That
costs such a network accuracy; what counts here is that the compiled one does what onnxruntime does.
"""

import json
import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import snncc
from snncc.verify import compare
from tests.e2e.models import dyadic, save
from tests.e2e.test_cli import Cli, cli  # noqa: F401
from tests.e2e.test_determinism import same
from tests.e2e.test_shared_networks import data

SHAPE = (2, 8, 8)
EIGHT_BITS = (
    "hoist-neurons,fold-batchnorm,sink-views,fuse,normalize,quantize-input,"
    "rate-code{steps=32},quantize-weights{bits=8}"
)


def signs(
    seed: int, *shape: int, alpha: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """±alpha."""
    drawn = np.random.default_rng(seed).choice([-alpha, alpha], shape)
    return drawn.astype(np.float32)


def made(folder: Path) -> Path:
    """BatchNormalization, depthwise and pointwise convolutions, an average, dense layers."""
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], "/1/Conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], "/1/Relu"),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], "/2/Conv", pads=[1, 1, 1, 1], group=10),
        helper.make_node("BatchNormalization", ["c2", "g", "b", "m", "v"], ["n2"], "/2/Norm"),
        helper.make_node("Relu", ["n2"], ["r2"], "/2/Relu"),
        helper.make_node("Conv", ["r2", "w3"], ["c3"], "/3/Conv", strides=[2, 2]),
        helper.make_node("Relu", ["c3"], ["r3"], "/3/Relu"),
        helper.make_node("AveragePool", ["r3"], ["a3"], "/3/Pool", kernel_shape=[2, 2],
                         strides=[2, 2]),
        helper.make_node("Flatten", ["a3"], ["f"], "/Flatten"),
        helper.make_node("Gemm", ["f", "w4"], ["c4"], "/4/Gemm", transB=1),
        helper.make_node("Relu", ["c4"], ["r4"], "/4/Relu"),
        helper.make_node("Gemm", ["r4", "w5"], ["y"], "/5/Gemm", transB=1),
    ]  # fmt: skip
    constants = {
        "w1": dyadic(1, 10, 2, 3, 3), "w2": signs(2, 20, 1, 3, 3, alpha=0.25),
        "w3": signs(3, 22, 20, 1, 1, alpha=0.125), "w4": signs(4, 13, 88, alpha=0.0625),
        "w5": dyadic(5, 3, 13),
        "g": signs(6, 20, alpha=0.75), "b": dyadic(7, 20), "m": dyadic(8, 20),
        "v": dyadic(10, 20) ** 2 + np.float32(0.5),
    }  # fmt: skip
    return save(folder / "binary.onnx", nodes, SHAPE, constants)


def binarized(model: Path, path: Path) -> Path:
    """The network with all layers but the first and the last made ±mean |w| of each channel."""
    network = onnx.load(model)
    constants = {tensor.name: tensor for tensor in network.graph.initializer}
    layers = [node for node in network.graph.node if node.op_type in ("Conv", "Gemm")]
    for node in layers[1:-1]:
        tensor = constants[node.input[1]]
        weight = numpy_helper.to_array(tensor)
        alpha = np.abs(weight).mean(axis=tuple(range(1, weight.ndim)), keepdims=True)
        changed = np.where(weight < 0, -alpha, alpha).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(changed, tensor.name))
    onnx.save(network, path)
    return path


def weight_bytes(bundle: Path) -> int:
    (size,) = re.findall(r"#define MODEL_WEIGHT_BYTES (\d+)", (bundle / "c/model.h").read_text())
    return int(size)


def test_every_kind_of_layer(cli: Cli, tmp_path: Path) -> None:  # noqa: F811
    model, file = made(tmp_path), tmp_path / "data.npz"
    np.savez(file, x=dyadic(9, 40, *SHAPE), y=np.zeros(40, np.int64))
    out = tmp_path / "bundle"
    compiled = cli(model, "--calib", file, "--neuron", "signed-if", "--json", "-o", out)
    text = (out / "network.sir").read_text(encoding="utf-8")
    assert re.findall(r"(\w+)\{weight=(\w+)", text) == [
        ("conv", "linear"), ("conv", "binary"), ("conv", "binary"), ("dense", "binary"),
        ("dense", "i16"),
    ]  # fmt: skip
    summary = json.loads(compiled.out)["summary"]
    bits, numbers = 180 + 440 + 13 * 88, 180 + 39
    assert summary["weights"] == bits + numbers
    assert summary["weight_bits"] == bits + 16 * numbers
    shown = cli("verify", out, "--model", model, "--data", file, "--exact", "20", "--json")
    figures = json.loads(shown.out)
    assert figures["holds"]
    assert figures["exact"]["samples"] == 20
    assert figures["at_steps"][-1]["snr"] > 15


def test_the_example_with_a_binary_layer(
    cli: Cli,  # noqa: F811
    digits: Path,
    tmp_path: Path,
) -> None:
    model = binarized(digits / "digits.onnx", tmp_path / "digits.onnx")
    assert "population: binary conv" in cli("inspect", model).out
    files = (model, "--calib", digits / "calib.npz", "--scale", "1/16", "-o")
    cli(*files, tmp_path / "eight", "--passes", EIGHT_BITS)
    cli(*files, tmp_path / "one", "--passes", EIGHT_BITS.replace("fuse,", "fuse,binary-weights,"))
    # 24 filters of 12×3×3, in vectors of 16: a bit in place of a byte each, without the 8 filters
    # that fill up the second vector; a byte more, and 24 factors of 2 bytes
    one_bit = -(-(24 * 108 // 8 + 1) // 8) * 8 + 24 * 2
    assert weight_bytes(tmp_path / "eight") - weight_bytes(tmp_path / "one") == 32 * 108 - one_bit
    verified = cli("verify", tmp_path / "one", "--model", model, "--data", digits / "test.npz",
                   "--exact", "7", "--json")  # fmt: skip
    figures = json.loads(verified.out)
    assert figures["holds"]
    assert figures["at_steps"][-1]["agreement"]["value"] > 0.95


@pytest.mark.parametrize("target", ["ttfs28", "c"])
def test_one_spike_a_neuron(
    cli: Cli,  # noqa: F811
    target: str,
    digits: Path,
    tmp_path: Path,
) -> None:
    """All weights are powers there, so that signs alone are not kept."""
    model = binarized(digits / "digits.onnx", tmp_path / "digits.onnx")
    out = tmp_path / "bundle"
    cli(model, "--target", target, "--set", "coding=ttfs", "--calib", digits / "calib.npz",
        "--scale", "1/16", "-o", out)  # fmt: skip
    assert "binary{" not in (out / "network.sir").read_text(encoding="utf-8")
    verified = cli("verify", out, "--model", model, "--data", digits / "test.npz", "--limit", "100",
                   "--exact", "5", "--json")  # fmt: skip
    figures = json.loads(verified.out)
    assert figures["holds"]
    assert figures["at_steps"][-1]["agreement"]["value"] > 0.9


def test_the_same_bytes(tmp_path: Path, digits: Path) -> None:
    model = binarized(digits / "digits.onnx", tmp_path / "digits.onnx")
    same(tmp_path, [str(model), "--calib", str(digits / "calib.npz"), "--scale", "1/16"])


def test_a_binary_lenet(shared_models: Path, shared_data: Path, tmp_path: Path) -> None:
    """115 200 weights of 5 × 5 × 16 × 32 and 800 × 128 take 14 400 bytes; the others, in vectors
    of 16 outputs, less than 8000."""
    model = binarized(shared_models / "lenet_mnist.onnx", tmp_path / "lenet.onnx")
    bundle = snncc.compile(
        model,
        calibration=data("mnist", "calib", 64),
        preprocessing=snncc.Preprocessing(1 / 255),
        output=tmp_path / "bundle",
    )
    assert weight_bytes(bundle.folder) < 14400 + 8000
    raw = data("mnist", "test", 20).arrays["x"]
    (node,) = bundle.graph.inputs
    samples = {node.name: bundle.preprocessing.apply(raw, node.type.shape)}
    exactness = compare(bundle.graph, bundle.runner, samples, 20)
    assert exactness.holds, exactness.difference
    assert exactness.spikes > 1000
