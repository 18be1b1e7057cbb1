"""The shipped example, quantized by onnxruntime in three ways, through the command line."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnxruntime.quantization import QuantFormat, quantize_static

from benchmarks.quantized import Reader
from snncc_ir import Linear, parse_graph, unpack
from snncc_ir.ops import Conv, Dense, Population
from tests.e2e.test_cli import Cli, cli  # noqa: F401


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "per_channel"), [
    (QuantFormat.QDQ, False), (QuantFormat.QDQ, True), (QuantFormat.QOperator, False),
])  # fmt: skip
def test_integers_stay_what_they_are(
    kind: QuantFormat,
    per_channel: bool,
    cli: Cli,  # noqa: F811
    digits: Path,
    tmp_path: Path,
) -> None:
    model, path = digits / "digits.onnx", tmp_path / "quantized.onnx"
    given = onnx.load(model).graph.input[0]
    shape = [dim.dim_value for dim in given.type.tensor_type.shape.dim[1:]]
    images = np.load(digits / "calib.npz")["x"][:60].reshape(-1, *shape).astype(np.float32) / 16
    quantize_static(
        model, path, Reader(given.name, images), quant_format=kind, per_channel=per_channel
    )
    shown = cli("inspect", path).out
    assert "8-bit conv" in shown
    assert "8-bit dense" in shown
    out = tmp_path / "bundle"
    cli(path, "--calib", digits / "calib.npz", "--scale", "1/16", "--set", "coding=radix",
        "--steps", "8", "-o", out)  # fmt: skip
    verified = cli("verify", out, "--model", path, "--data", digits / "test.npz", "--exact", "7",
                   "--json")  # fmt: skip
    figures = json.loads(verified.out)
    assert figures["holds"]
    assert figures["at_steps"][-1]["agreement"]["value"] > 0.97

    text = (out / "network.sir").read_text(encoding="utf-8")
    graph = parse_graph(text, unpack((out / "network.safetensors").read_bytes(), "file"))
    found = [
        np.sort(chain[-1].weight.codes.integers, axis=None)
        for node in graph
        if isinstance(node.op, Population)
        for chain in node.op.maps
        if isinstance(chain[-1], Conv | Dense) and isinstance(chain[-1].weight, Linear)
    ]
    own = [
        np.sort(numpy_helper.to_array(tensor).astype(np.int64), axis=None)
        for tensor in onnx.load(path).graph.initializer
        if tensor.data_type in (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)
        and len(tensor.dims) > 1
    ]
    assert len(own) == 3
    # outputs have one unit, so that a readout cannot follow a step for each
    kept = [any(np.array_equal(codes, other) for other in found) for codes in own]
    assert sum(kept) == 3 - per_channel
