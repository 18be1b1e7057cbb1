"""Energy of a VGG-16 of CIFAR-10's shape on target ttfs28, against the published 486.7 µJ.

python benchmarks/vgg16_energy.py CALIB.npz TEST.npz [--active 0.3] [--images 32]

The published network's weights are not public. This one has its shape (13 convolutions, five max
pools, one dense layer), random weights, and biases that let a given share of each channel's
neurons be active on the data. What a chip does depends on shape, activity and schedule only.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

import snncc

PUBLISHED = {"CIFAR-10": 486.7, "CIFAR-100": 503.6, "Tiny-ImageNet": 1426.0}
LAYERS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
"""Channels of convolutions; 0 is a max pool."""


class _Network:
    """Grows layer by layer, so that biases can follow from what arrives."""

    def __init__(self, images: NDArray[np.float32], active: float) -> None:
        self._random = np.random.default_rng(0)
        self._active = active
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._shape = images.shape[1:]
        self._values, self._name = images, "image"

    def _add(self, op: str, *constants: NDArray[np.float32], **attributes: list[int]) -> None:
        names = []
        for array in constants:
            names.append(f"c{len(self._constants)}")
            self._constants.append(numpy_helper.from_array(array, names[-1]))
        result = f"{op.lower()}{len(self._nodes)}"
        node = helper.make_node(op, [self._name, *names], [result], result)
        node.attribute.extend(helper.make_attribute(k, attributes[k]) for k in attributes)
        self._nodes.append(node)
        self._values = self._run([node], self._constants[len(self._constants) - len(names) :])
        self._name = result

    def _run(
        self, nodes: list[onnx.NodeProto], constants: list[onnx.TensorProto]
    ) -> NDArray[np.float32]:
        model = _model(nodes, constants, self._name, self._values.shape[1:])
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        result: NDArray[np.float32] = session.run(None, {self._name: self._values})[0]
        return result

    def convolution(self, outputs: int) -> None:
        inputs = self._values.shape[1]
        spread = np.sqrt(2 / (9 * inputs))
        weight = self._random.normal(0, spread, (outputs, inputs, 3, 3)).astype(np.float32)
        kept = self._values, self._name, len(self._nodes), len(self._constants)
        window = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
        self._add("Conv", weight, **window)
        drive = np.moveaxis(self._values, 1, 0).reshape(outputs, -1)
        bias = -np.quantile(drive, 1 - self._active, axis=1).astype(np.float32)
        self._values, self._name = kept[:2]
        del self._nodes[kept[2] :], self._constants[kept[3] :]
        self._add("Conv", weight, bias, **window)
        self._add("Relu")

    def finished(self) -> bytes:
        for channels in LAYERS:
            if channels:
                self.convolution(channels)
            else:
                self._add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        self._add("Flatten")
        size = self._values.shape[1]
        weight = self._random.normal(0, size**-0.5, (size, 10)).astype(np.float32)
        self._add("MatMul", weight)
        return _model(self._nodes, self._constants, "image", self._shape)


def _model(
    nodes: list[onnx.NodeProto],
    constants: list[onnx.TensorProto],
    given: str,
    shape: tuple[int, ...],
) -> bytes:
    inputs = [helper.make_tensor_value_info(given, TensorProto.FLOAT, ["N", *shape])]
    # all that is said of the result is its number of axes
    rank = 2 if nodes[-1].op_type in ("MatMul", "Flatten") else 4
    axes = [f"d{axis}" for axis in range(rank)]
    outputs = [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, axes)]
    graph = helper.make_graph(nodes, "vgg16", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("calibration", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--active", type=float, default=0.3, help="share of neurons that spike")
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--size", type=int, default=32, help="64: Tiny-ImageNet's shape")
    options = parser.parse_args()
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    repeat = options.size // 32
    with np.load(options.calibration) as loaded:
        images = loaded["x"][:32].repeat(repeat, axis=1).repeat(repeat, axis=2)
    with np.load(options.test) as loaded:
        test = loaded["x"][: options.images].repeat(repeat, axis=1).repeat(repeat, axis=2)
    preprocessing = snncc.Preprocessing(1 / 255, mean, std, "nhwc")
    network = _Network(preprocessing.apply(images, (3, options.size, options.size)), options.active)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vgg16.onnx"
        path.write_bytes(network.finished())
        bundle = snncc.compile(
            path,
            target="ttfs28",
            calibration=snncc.Dataset({"x": images}),
            preprocessing=preprocessing,
            rounding="nearest",
            error="weight",
            bias="keep",
        )
        result = bundle.run(snncc.Dataset({"x": test}))
    found = bundle.runner.estimate(result.execution)
    assert found is not None
    operations = sum(float(n.mean()) for n in result.execution.synaptic_operations.values())
    bits = sum(
        float(np.mean(counts["external_bits_read"] + counts["external_bits_written"]))
        for counts in result.execution.activity.values()
    )
    print(f"{result.spikes_per_sample:.0f} spikes, {operations / 1e6:.1f} M synaptic operations, "
          f"{bits / 1e6:.1f} Mbit of external traffic a sample")  # fmt: skip
    for name, energy in found.parts.items():
        print(f"{name:>20} {energy:8.1f} µJ")
    published = PUBLISHED["CIFAR-10" if options.size == 32 else "Tiny-ImageNet"]
    print(f"{'in all':>20} {found.microjoules:8.1f} µJ, published {published}, "
          f"ratio {found.microjoules / published:.3f}; {found.milliseconds:.2f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
