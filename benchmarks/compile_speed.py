"""How long the compile command takes, and how much memory, on networks of several sizes.

    python benchmarks/compile_speed.py MODELS/ DATA/ [--only TEXT]

Default settings, wall time and peak memory of the whole command. MODELS has resnet20_cifar10.onnx,
DATA cifar10_calib.npz with 1024 uint8 images `x`; the shapes of VGG-16 (CIFAR-10) and ResNet-50
(224 x 224, 16 images) are made here, with seeded random weights. `--timings` of the command has its
stages.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CIFAR = "--scale 1/255 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --layout nhwc".split()
VGG = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
"""Channels of VGG-16's convolutions; 0 is a max pool."""
STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))
"""Of ResNet-50: channels, blocks, stride."""


RUN = "from snncc.cli import main; main()"


@dataclass
class Network:
    """Nodes and seeded weights, He-scaled, collected one after the other."""

    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def op(self, kind: str, *inputs: str, **attributes: int | list[int]) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))  # type: ignore[arg-type]
        return name

    def weight(self, *shape: int) -> str:
        name = f"w{len(self.weights)}"
        scale = np.sqrt(2 / np.prod(shape[1:]))
        values = (scale * self.random.standard_normal(shape)).astype(np.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def conv(self, x: str, outputs: int, inputs: int, kernel: int, stride: int = 1) -> str:
        weight, pad = self.weight(outputs, inputs, kernel, kernel), kernel // 2
        return self.op("Conv", x, weight, strides=[stride] * 2, pads=[pad] * 4)

    def classifier(self, x: str, size: int, classes: int) -> str:
        return self.op("Gemm", self.op("Flatten", x), self.weight(classes, size), transB=1)

    def save(self, path: Path, shape: list[int], result: str, classes: int) -> Path:
        given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *shape])
        output = helper.make_tensor_value_info(result, TensorProto.FLOAT, ["N", classes])
        graph = helper.make_graph(self.nodes, path.stem, [given], [output], self.weights)
        opset = [helper.make_opsetid("", 17)]
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
        return path


def vgg16(folder: Path) -> Path:
    """The shape of VGG-16 for images of 32 x 32."""
    net, x, before = Network(), "x", 3
    for channels in VGG:
        if channels == 0:
            x = net.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
            continue
        x = net.op("Relu", net.conv(x, channels, before, 3))
        before = channels
    return net.save(folder / "vgg16.onnx", [3, 32, 32], net.classifier(x, 512, 10), 10)


def resnet50(folder: Path) -> Path:
    """The shape of ResNet-50 for images of 224 x 224, BatchNormalization folded."""
    net = Network()
    x = net.op("Relu", net.conv("x", 64, 3, 7, 2))
    x = net.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    before = 64
    for channels, blocks, first in STAGES:
        for block in range(blocks):
            stride, wide = (first if block == 0 else 1), 4 * channels
            y = net.op("Relu", net.conv(x, channels, before, 1))
            y = net.op("Relu", net.conv(y, channels, channels, 3, stride))
            y = net.conv(y, wide, channels, 1)
            if block == 0:
                x = net.conv(x, wide, before, 1, stride)
            x, before = net.op("Relu", net.op("Add", y, x)), wide
    x = net.op("GlobalAveragePool", x)
    return net.save(folder / "resnet50.onnx", [3, 224, 224], net.classifier(x, before, 1000), 1000)


def cases(models: Path, data: Path, folder: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """What is compiled: name, model, options."""
    calibrated = ["--calib", str(data / "cifar10_calib.npz"), *CIFAR]
    for target in ("c", "ttfs28", "loihi"):
        yield f"ResNet-20 {target}", models / "resnet20_cifar10.onnx", [
            *calibrated, "--target", target,
        ]  # fmt: skip
    yield "VGG-16 c", vgg16(folder), calibrated
    images = np.random.default_rng(0).integers(0, 256, (16, 3, 224, 224), dtype=np.uint8)
    np.savez(folder / "images.npz", x=images)
    options = ["--calib", str(folder / "images.npz"), "--scale", "1/255"]
    yield "ResNet-50 c", resnet50(folder), options


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("models", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default="", help="cases whose name has this")
    arguments = parser.parse_args()
    print("| network, target | s | processor s | peak MB |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, model, options in cases(arguments.models, arguments.data, Path(folder)):
            if arguments.only not in name:
                continue
            command = [sys.executable, "-c", RUN, str(model), *options, "-q"]
            begun = perf_counter()
            process = subprocess.Popen([*command, "-o", f"{folder}/bundle", "--force"])
            _, status, used = os.wait4(process.pid, 0)
            seconds = perf_counter() - begun
            failed = "" if status == 0 else " (failed)"
            print(
                f"| {name}{failed} | {seconds:.1f} | {used.ru_utime + used.ru_stime:.1f} | "
                f"{used.ru_maxrss / 1024:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
