"""tests/corpus/ortquant: what onnxruntime makes of float models: quantized, float16, fused.

    python3.11 -m venv V && V/bin/pip install torch==2.13.0 onnxruntime==1.31.1 onnx==1.21.0 \
        onnxscript==0.7.2 onnxconverter-common==1.16.0 sympy
    V/bin/python -W ignore -m tests.corpus.make_ortquant

Models come from torch's tracing exporter. Ranges are calibrated on seeded noise.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxconverter_common
import onnxruntime
import torch
from onnxruntime.quantization import (
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
    shape_inference,
)
from onnxruntime.transformers.float16 import convert_float_to_float16

from tests.corpus import float_networks as nets
from tests.corpus.record import Entry, Folder

Feed = Mapping[str, npt.NDArray[np.float32]]
QDQ, OPERATORS = QuantFormat.QDQ, QuantFormat.QOperator
S8, U8, S16, S4 = QuantType.QInt8, QuantType.QUInt8, QuantType.QInt16, QuantType.QInt4
NETWORKS = {
    "lenet": nets.LeNet,
    "resnet": nets.ResNet,
    "squeezenet": nets.SqueezeNet,
    "mobilenet": nets.mobilenet,
    "mlp": nets.mlp,
}
FAMILIES = {
    "lenet": "LeNet",
    "resnet": "ResNet",
    "squeezenet": "SqueezeNet",
    "mobilenet": "MobileNetV1",
    "mlp": "MLP",
}


class Noise:
    """Sixteen batches of seeded noise for an input; a calibration data reader of onnxruntime."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        numbers = np.random.default_rng(3)
        batches = (numbers.standard_normal((8, *shape)).astype(np.float32) for _ in range(16))
        self.feeds: Iterator[Feed] = iter([{name: batch} for batch in batches])

    def get_next(self) -> Feed | None:
        return next(self.feeds, None)


def shape_of(network: str) -> tuple[int, ...]:
    return (48,) if network == "mlp" else (3, 16, 16)


def exported(network: str, path: Path, opset: int = 13) -> None:
    """The float model, as torch's tracing exporter writes it, prepared for quantization."""
    torch.manual_seed(1)
    model = nets.seeded(NETWORKS[network]())
    raw = path.with_suffix(".raw.onnx")
    torch.onnx.export(
        model,
        (torch.zeros(1, *shape_of(network)),),
        raw,
        dynamo=False,
        opset_version=opset,
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
    )
    shape_inference.quant_pre_process(str(raw), str(path))


STATIC: tuple[tuple[str, str, dict[str, object], str], ...] = (
    (
        "qdq_int8_lenet",
        "lenet",
        {"activation_type": S8, "weight_type": S8, "extra_options": {"ActivationSymmetric": True}},
        "QDQ, int8, one scale a tensor, every zero point 0, so that ReLUs stay",
    ),
    (
        "qdq_uint8_channel_lenet",
        "lenet",
        {"activation_type": U8, "weight_type": S8, "per_channel": True},
        "QDQ, uint8 activations, int8 weights a channel; biases int32 a channel",
    ),
    (
        "qdq_uint8_weights_lenet",
        "lenet",
        {"activation_type": U8, "weight_type": U8},
        "QDQ, uint8 weights with zero points that are not 0",
    ),
    (
        "qdq_int8_resnet",
        "resnet",
        {"activation_type": S8, "weight_type": S8, "per_channel": True},
        "QDQ, residual sums of two grids, ReLU fused into zero points",
    ),
    (
        "qdq_uint8_squeezenet",
        "squeezenet",
        {"activation_type": U8, "weight_type": S8},
        "QDQ around Concat and GlobalAveragePool",
    ),
    (
        "qdq_uint8_mobilenet",
        "mobilenet",
        {"activation_type": U8, "weight_type": S8, "per_channel": True},
        "QDQ, depthwise, ReLU6 as Clip",
    ),
    (
        "qdq_uint8_mlp",
        "mlp",
        {"activation_type": U8, "weight_type": S8, "per_channel": True},
        "QDQ, MatMul without bias and Gemm with transB, scales a channel",
    ),
    (
        "qdq_weight_pairs_lenet",
        "lenet",
        {
            "activation_type": U8,
            "weight_type": S8,
            "extra_options": {
                "AddQDQPairToWeight": True,
                "DedicatedQDQPair": True,
                "QuantizeBias": False,
            },
        },
        "QDQ with QuantizeLinear of float weights, a pair a reader, float biases",
    ),
    (
        "qdq_int16_resnet",
        "resnet",
        {
            "activation_type": S16,
            "weight_type": S8,
            "extra_options": {"UseQDQContribOps": True},
        },
        "QDQ of domain com.microsoft: int16 activations, int8 weights",
    ),
    (
        "qdq_int4_mlp_opset21",
        "mlp",
        {"activation_type": U8, "weight_type": S4},
        "QDQ, int4 weights: packed TensorProto.INT4 at opset 21",
    ),
    (
        "qoperator_uint8_lenet",
        "lenet",
        {"quant_format": OPERATORS, "activation_type": U8, "weight_type": U8},
        "QLinearConv, QGemm and QLinearAveragePool of com.microsoft, MaxPool of uint8",
    ),
    (
        "qoperator_int8_channel_resnet",
        "resnet",
        {
            "quant_format": OPERATORS,
            "activation_type": S8,
            "weight_type": S8,
            "per_channel": True,
        },
        "QLinearConv a channel, com.microsoft QLinearAdd and QLinearGlobalAveragePool",
    ),
    (
        "qoperator_uint8_squeezenet",
        "squeezenet",
        {"quant_format": OPERATORS, "activation_type": U8, "weight_type": S8},
        "com.microsoft QLinearConcat",
    ),
    (
        "qoperator_uint8_mlp",
        "mlp",
        {"quant_format": OPERATORS, "activation_type": U8, "weight_type": S8},
        "QLinearMatMul and QGemm of com.microsoft",
    ),
)


def main() -> None:
    folder = Folder("ortquant")
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        for network in NETWORKS:
            exported(network, here / f"{network}.onnx")
        exported("mlp", here / "mlp21.onnx", 21)
        result = here / "result.onnx"
        for name, network, options, notes in STATIC:
            source = here / ("mlp21.onnx" if "opset21" in name else f"{network}.onnx")
            noise = Noise("image", shape_of(network))
            quantize_static(str(source), str(result), noise, **{"quant_format": QDQ} | options)
            # with all weights int8, onnxruntime's optimizer costs up to four steps on some CPUs
            entry = Entry(FAMILIES[network], notes, tolerance=0.04 if "int8" in name else 0.02)
            folder.add(name, onnx.load(result), entry)
        for network in ("lenet", "mlp"):
            quantize_dynamic(str(here / f"{network}.onnx"), str(result), weight_type=U8)
            folder.add(
                f"dynamic_{network}",
                onnx.load(result),
                Entry(
                    FAMILIES[network],
                    "DynamicQuantizeLinear, which cannot be: its scale depends on the batch",
                    tolerance=0.03,
                ),
            )
        folder.add(
            "float16_resnet",
            onnxconverter_common.convert_float_to_float16(onnx.load(here / "resnet.onnx")),
            Entry("ResNet", "all float16, the input too; onnxconverter_common", tolerance=5e-3),
        )
        folder.add(
            "float16_weights_squeezenet",
            convert_float_to_float16(onnx.load(here / "squeezenet.onnx"), keep_io_types=True),
            Entry(
                "SqueezeNet",
                "float16 inside, float32 inputs: Casts; onnxruntime.transformers",
                tolerance=5e-3,
            ),
        )
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(result)
        onnxruntime.InferenceSession(str(here / "lenet.onnx"), options)
        folder.add(
            "fused_lenet",
            onnx.load(result),
            Entry(
                "LeNet",
                "saved by onnxruntime after optimization: com.microsoft FusedConv, FusedGemm",
                refused="SNN003",
            ),
        )
    folder.finish("torch", "onnxruntime", "onnxconverter-common", "onnx")


if __name__ == "__main__":
    main()
