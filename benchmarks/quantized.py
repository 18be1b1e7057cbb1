"""Networks that onnxruntime.quantization has quantized: what compiling them keeps.

    python benchmarks/quantized.py MODELS/ DATA/ WORK/ [NETWORK ...]

Quantizes each network statically (QDQ per tensor and per channel, QOperator; 128 calibration
images, preprocessed) into WORK/, imports it, and prints two Markdown tables: value semantics as
imported against onnxruntime, and accuracies of onnxruntime and of targets. An output number differs
when it is off by more than a hundredth of a step of its grid; onnxruntime's own optimized and plain
kernels differ from each other likewise ("ort").
"""

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

import snncc
from snncc.onnx import import_model
from snncc.reference import comparable
from snncc_ir import Linear, ValueRunner
from snncc_ir.ops import Conv, Dense, Population

CIFAR = snncc.Preprocessing(1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "nhwc")
NETWORKS = {
    "lenet_mnist": ("mnist", snncc.Preprocessing(1 / 255)),
    "mlperf_tiny_resnet8": ("cifar10", snncc.Preprocessing()),
    "resnet20_cifar10": ("cifar10", CIFAR),
    "resnet20_cifar10_bn": ("cifar10", CIFAR),
}
FORMATS = {
    "qdq": (QuantFormat.QDQ, False),
    "qdq-channel": (QuantFormat.QDQ, True),
    "qoperator": (QuantFormat.QOperator, False),
}
TARGETS: list[dict[str, object]] = [
    {"target": "c", "coding": "radix", "steps": 8},
    {"target": "c", "coding": "radix", "steps": 8, "weight_bits": 8},
    {"target": "c", "steps": 32},
    {"target": "ttfs28"},
    {"target": "loihi", "chip": "loihi2"},
]
Images = NDArray[np.float32]


class Reader(CalibrationDataReader):  # type: ignore[misc]
    """Images one by one."""

    def __init__(self, name: str, images: Images) -> None:
        self._feeds: Iterator[dict[str, Images]] = (
            {name: images[i : i + 1]} for i in range(len(images))
        )

    def get_next(self) -> dict[str, Images] | None:
        return next(self._feeds, None)


def images(data: Path, network: str, split: str, count: int, model: Path) -> Images:
    """Preprocessed, (count, *shape of the network's input)."""
    kind, preprocessing = NETWORKS[network]
    given = onnx.load(model).graph.input[0].type.tensor_type.shape.dim
    shape = tuple(dim.dim_value for dim in given[1:])
    raw = np.load(data / f"{kind}_{split}.npz")["x"][:count]
    return preprocessing.apply(raw, shape).astype(np.float32)


def quantize(models: Path, data: Path, work: Path, network: str, how: str) -> Path:
    """The file of a quantized network; made where it is not there yet."""
    path = work / f"{network}_{how}.onnx"
    if path.exists():
        return path
    prepared = work / f"{network}_prepared.onnx"
    quant_pre_process(models / f"{network}.onnx", prepared, skip_symbolic_shape=True)
    name = onnx.load(prepared).graph.input[0].name
    kind, per_channel = FORMATS[how]
    reader = Reader(name, images(data, network, "calib", 128, prepared))
    quantize_static(prepared, path, reader, quant_format=kind, per_channel=per_channel)
    return path


def run(path: Path, x: Images, plain: bool = False) -> NDArray[np.float32]:
    """Logits by onnxruntime; plain: as the file says, without its optimizer."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    if plain:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    model, _ = comparable(path)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    result: NDArray[np.float32] = session.run(None, {session.get_inputs()[0].name: x})[0]
    return result


def imported(network: str, how: str, path: Path, x: Images) -> None:
    """A row: the network before any pass against onnxruntime."""
    graph = import_model(path).graph
    (found,) = ValueRunner(graph).run({graph.inputs[0].name: x}).values()
    fast, plain = run(path, x), run(path, x, plain=True)
    values = np.unique(plain)
    step = float(np.diff(values).min()) if len(values) < 300 else 0.0
    least = step / 100 if step else 1e-4 * float(np.abs(plain).max())

    def differ(a: NDArray[np.generic], b: NDArray[np.generic]) -> float:
        return float(np.mean(np.abs(a.astype(np.float64) - b.astype(np.float64)) > least))

    same = np.mean(found.astype(np.float64).argmax(1) == plain.argmax(1))
    largest = np.abs(found.astype(np.float64) - plain).max() / (step or 1.0)
    print(
        f"| {network} | {how} | {100 * same:.2f} | {100 * differ(found, plain):.2f} | "
        f"{largest:.1f}{' steps' if step else ''} | {100 * differ(fast, plain):.2f} |",
        flush=True,
    )


def codes_kept(bundle: snncc.Bundle, path: Path) -> str:
    """How many layers of the bundle have the file's own integer weights."""
    file = [
        np.sort(numpy_helper.to_array(tensor).reshape(-1))
        for tensor in onnx.load(path).graph.initializer
        if tensor.data_type in (onnx.TensorProto.INT8, onnx.TensorProto.UINT8) and tensor.dims
    ]
    layers = [
        chain[-1].weight
        for node in bundle.graph
        if isinstance(node.op, Population)
        for chain in node.op.maps
        if isinstance(chain[-1], Conv | Dense)
    ]
    kept = [
        weight
        for weight in layers
        if isinstance(weight, Linear)
        and any(np.array_equal(np.sort(weight.codes.integers, axis=None), own) for own in file)
    ]
    return f"{len(kept)}/{len(layers)}"


def compiled(models: Path, data: Path, path: Path, network: str, how: str) -> None:
    """Rows: accuracies."""
    kind, preprocessing = NETWORKS[network]
    labels = np.load(data / f"{kind}_test.npz")["y"]
    x = images(data, network, "test", len(labels), models / f"{network}.onnx")
    own = float(np.mean(run(path, x).argmax(1) == labels))
    for options in TARGETS:
        text = " ".join(f"{key}={value}" for key, value in options.items())
        try:
            bundle = snncc.compile(
                path,
                calibration=data / f"{kind}_calib.npz",
                preprocessing=preprocessing,
                **options,  # type: ignore[arg-type]
            )
            last = bundle.verify(path, data / f"{kind}_test.npz").last
        except snncc.SnnccError as error:
            print(f"| {network} | {how} | {text} | {error.diagnostics[0].message} |", flush=True)
            continue
        accuracy = 100 * last.accuracy.value if last.accuracy else float("nan")
        agreement = 100 * last.agreement.value if last.agreement else float("nan")
        print(
            f"| {network} | {how} | {text} | {100 * own:.2f} | {accuracy:.2f} | {agreement:.2f} | "
            f"{last.snr:.1f} | {codes_kept(bundle, path)} |",
            flush=True,
        )


def main() -> None:
    warnings.filterwarnings("ignore")
    models, data, work = map(Path, sys.argv[1:4])
    work.mkdir(parents=True, exist_ok=True)
    networks = sys.argv[4:] or list(NETWORKS)
    print("| network | quantized as | same class | numbers that differ % | at most | ort % |\n"
          "|" + "---|" * 6)  # fmt: skip
    for network in networks:
        for how in FORMATS:
            path = quantize(models, data, work, network, how)
            x = images(data, network, "test", 500, models / f"{network}.onnx")
            imported(network, how, path, x)
    print("\n| network | quantized as | settings | onnxruntime | accuracy | agreement | SNR dB | "
          "layers with the file's codes |\n|" + "---|" * 8)  # fmt: skip
    for network in networks:
        for how in ("float", *FORMATS):
            own = models / f"{network}.onnx"
            path = own if how == "float" else work / f"{network}_{how}.onnx"
            compiled(models, data, path, network, how)


if __name__ == "__main__":
    main()
