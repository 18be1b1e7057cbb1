"""tests/corpus/qonnx: networks of Brevitas as QONNX (Quant, BipolarQuant, Trunc) and as QCDQ.

    python3.11 -m venv V && V/bin/pip install torch==2.13.0 brevitas==0.13.4 qonnx==1.0.0 \
        onnx==1.21.0 onnxruntime==1.31.1 onnxscript==0.7.2 onnxoptimizer==0.4.2
    V/bin/python -W ignore -m tests.corpus.make_qonnx

onnxruntime has no QONNX operators: what Brevitas computes stands in NAME.expected.npz, and has been
compared here with what the package qonnx computes from the file.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from brevitas import quant
from brevitas.export import export_onnx_qcdq, export_qonnx
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.cleanup import cleanup_model
from torch import nn

from tests.corpus import brevitas_networks as nets
from tests.corpus.record import Arrays, Entry, Folder


@dataclass(frozen=True)
class Case:
    """A network and how it is exported; `how` is any of qonnx, qcdq, clean, dynamo, batch."""

    name: str
    build: Callable[[], nn.Module]
    how: str
    entry: Entry
    shape: tuple[int, ...] = (3, 16, 16)


def w8a8() -> nn.Module:
    return nets.cnn(quant.Int8WeightPerChannelFloat, 8)


def w4a4() -> nn.Module:
    return nets.cnn(quant.Int4WeightPerTensorFloatDecoupled, 4)


def w1a4() -> nn.Module:
    return nets.cnn(quant.SignedBinaryWeightPerTensorConst, 4)


def w2a4() -> nn.Module:
    return nets.cnn(quant.SignedTernaryWeightPerTensorConst, 4)


def fixed() -> nn.Module:
    return nets.cnn(quant.Int8WeightPerTensorFixedPoint, 4, quant.ShiftedUint8ActPerTensorFloat)


def bipolar() -> nn.Module:
    return nets.cnn(quant.SignedBinaryWeightPerTensorConst, None)


STEP = 0.02  # a tolerance for rounding that falls on the other side once
CASES = (
    Case("mlp_w4a4", nets.mlp, "", Entry("MLP", "4-bit weights, BatchNorm1d"), (48,)),
    Case(
        "mlp_w4a4_batch",
        nets.mlp,
        "batch",
        Entry("MLP", "the same with a dynamic batch"),
        (48,),
    ),
    Case(
        "mlp_w4a4_dynamo",
        nets.mlp,
        "dynamo",
        Entry("MLP", "by torch's newer exporter: opset 18, initializers are graph inputs too"),
        (48,),
    ),
    Case("mlp_w4a4_clean", nets.mlp, "clean", Entry("MLP", "after qonnx.util.cleanup"), (48,)),
    Case("cnn_w4a4", w4a4, "", Entry("VGG", "4-bit weights with decoupled scales")),
    Case(
        "cnn_w8a8_channel",
        w8a8,
        "",
        Entry("VGG", "8-bit weights, a scale a channel, 8-bit activations"),
    ),
    Case("cnn_w1a4", w1a4, "", Entry("VGG", "BipolarQuant weights: one bit")),
    Case("cnn_w1a4_clean", w1a4, "clean", Entry("VGG", "BipolarQuant, after qonnx.util.cleanup")),
    Case("cnn_w2a4", w2a4, "", Entry("VGG", "ternary weights: Quant of 2 bits, narrow")),
    Case(
        "cnn_fixed",
        fixed,
        "",
        Entry("VGG", "scales are powers of 2; the input's zero point is not 0"),
    ),
    Case(
        "cnn_trunc",
        nets.trunc,
        "",
        Entry("VGG", "TruncAvgPool2d: Trunc; Quant of biases, 32 bits"),
    ),
    Case("cnn_trunc_dynamo", nets.trunc, "dynamo", Entry("VGG", "the same, newer exporter")),
    Case("cnn_trunc_clean", nets.trunc, "clean", Entry("VGG", "Trunc, after qonnx.util.cleanup")),
    Case(
        "mobilenet_w6a6",
        nets.mobilenet,
        "",
        Entry("MobileNetV1", "depthwise, 6-bit weights a channel, GlobalAveragePool"),
    ),
    Case(
        "resnet_w4a4",
        nets.ResNet,
        "",
        Entry("ResNet", "both sides of a sum are quantized to one signed grid"),
    ),
    Case(
        "resnet_w4a4_clean",
        nets.ResNet,
        "clean",
        Entry("ResNet", "a residual, after qonnx.util.cleanup"),
    ),
    Case(
        "cnn_channels_last",
        w4a4,
        "clean last",
        Entry("VGG", "after ConvertToChannelsLast: Conv of another domain", refused="SNN003"),
    ),
    Case(
        "cnn_w1a1",
        bipolar,
        "",
        Entry("VGG", "activations are signs: BipolarQuant is no ReLU", refused="SNN004"),
    ),
    Case("qcdq_cnn_w4a4", w4a4, "qcdq", Entry("VGG", "QCDQ: int8 with Clip to 4 bits")),
    Case(
        "qcdq_mobilenet_dynamo",
        nets.mobilenet,
        "qcdq dynamo",
        Entry("MobileNetV1", "QCDQ by torch's newer exporter, opset 18"),
    ),
    Case("qcdq_cnn_w8a8", w8a8, "qcdq batch", Entry("VGG", "QCDQ, scales a channel")),
    Case("qcdq_resnet_w4a4", nets.ResNet, "qcdq", Entry("ResNet", "QCDQ with a residual")),
    Case(
        "qcdq_cnn_trunc", nets.trunc, "qcdq", Entry("VGG", "QCDQ of TruncAvgPool2d, biases int32")
    ),
)


def exported(model: nn.Module, case: Case, path: Path) -> None:
    """Writes QONNX or QCDQ, by torch's tracing exporter or (dynamo) the newer one."""
    write = export_onnx_qcdq if "qcdq" in case.how else export_qonnx
    options: dict[str, object] = {"dynamo": "dynamo" in case.how}
    if not options["dynamo"]:
        options["opset_version"] = 13
    if "batch" in case.how:
        options |= {
            "input_names": ["image"],
            "output_names": ["logits"],
            "dynamic_axes": {"image": {0: "N"}, "logits": {0: "N"}},
        }
    write(model, args=torch.zeros(1, *case.shape), export_path=str(path), **options)


def by_qonnx(path: Path, x: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    """What the package qonnx computes from a file, sample by sample."""
    model = cleanup_model(ModelWrapper(str(path)), override_inpsize=1).transform(InferShapes())
    given = model.graph.input[0].name
    found = [execute_onnx(model, {given: sample[None]}) for sample in x]
    return [np.concatenate([next(iter(one.values())) for one in found])]


def write(exporter: str, cases: Sequence[Case]) -> None:
    """Trains each network for a moment, exports it, and notes what Brevitas computes."""
    folder = Folder(exporter)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "model.onnx"
        for case in cases:
            torch.manual_seed(1)
            model, numbers = case.build(), np.random.default_rng(3)
            for layer in model.modules():
                if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
                    nn.init.uniform_(layer.weight, 0.5, 1.5)
                    nn.init.normal_(layer.bias, 0.0, 0.2)
            model.train()
            for _ in range(20):  # ranges of activations, moments of BatchNorm
                model(torch.tensor(numbers.standard_normal((16, *case.shape), np.float32)))
            model.eval()
            x = (np.round(16 * numbers.standard_normal((3, *case.shape))) / 16).astype(np.float32)
            expected = model(torch.tensor(x)).detach().numpy()
            exported(model, case, path)
            if "clean" in case.how:
                wrapped = cleanup_model(ModelWrapper(str(path)))
                if "last" in case.how:
                    wrapped = wrapped.transform(ConvertToChannelsLastAndClean())
                wrapped.save(str(path))
            made = onnx.load(path)
            arrays: Arrays | None = None
            if "qcdq" not in case.how and case.entry.refused is None:
                (found,) = by_qonnx(path, x)
                np.testing.assert_allclose(found, expected, atol=STEP * np.ptp(expected))
                print(np.abs(found - expected).max() / np.ptp(expected))
                arrays = {made.graph.input[0].name: x, made.graph.output[0].name: expected}
            folder.add(case.name, made, replace(case.entry, tolerance=STEP), arrays)
    folder.finish("torch", "brevitas", "qonnx", "onnx")


if __name__ == "__main__":
    write("qonnx", CASES)
