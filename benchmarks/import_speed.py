"""Import of large networks: time beside onnxruntime's session creation, and peak memory.

python benchmarks/import_speed.py [--json FILE] [--repeat 5]

VGG-16, MobileNetV1 and ResNet-50 for 224×224 images (and VGG-16 of CIFAR-10's shape), random
weights, written by torch's exporters. Each file is opened in turns by onnxruntime and by snncc, in
one process, so that both see the same machine; peak memory is of one import in a process of its
own, above what the process has when all libraries are loaded.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import onnxruntime
import torch
from torch import nn

from snncc.onnx import import_model

VGG = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
MOBILE = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2),
          (1024, 1))  # fmt: skip
STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))


def convolution(
    inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1
) -> nn.Module:
    conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


def vgg16(image: int) -> nn.Module:
    layers: list[nn.Module] = []
    channels = 3
    for outputs in VGG:
        if outputs:
            layers += [convolution(channels, outputs, 3), nn.ReLU()]
            channels = outputs
        else:
            layers.append(nn.MaxPool2d(2))
    features = 512 * (image // 32) ** 2
    hidden = (features, 4096, 4096) if image > 32 else (features, 512)
    layers.append(nn.Flatten())
    for inputs, outputs in pairwise(hidden):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(hidden[-1], 1000 if image > 32 else 10))


def mobilenet() -> nn.Module:
    layers: list[nn.Module] = [convolution(3, 32, 3, 2), nn.ReLU6()]
    channels = 32
    for outputs, stride in MOBILE:
        layers += [convolution(channels, channels, 3, stride, channels), nn.ReLU6()]
        layers += [convolution(channels, outputs, 1), nn.ReLU6()]
        channels = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


class Bottleneck(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            convolution(inputs, width, 1), nn.ReLU(),
            convolution(width, width, 3, stride), nn.ReLU(),
            convolution(width, 4 * width, 1),
        )  # fmt: skip
        self.short = (
            convolution(inputs, 4 * width, 1, stride)
            if inputs != 4 * width or stride != 1
            else nn.Identity()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.body(x) + self.short(x))


def resnet50() -> nn.Module:
    layers: list[nn.Module] = [convolution(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for width, count, stride in STAGES:
        for block in range(count):
            layers.append(Bottleneck(channels, width, stride if block == 0 else 1))
            channels = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


NETWORKS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "VGG-16, 32×32": (lambda: vgg16(32), 32),
    "VGG-16": (lambda: vgg16(224), 224),
    "MobileNetV1": (mobilenet, 224),
    "ResNet-50": (resnet50, 224),
}

MEMORY = """
import sys
from pathlib import Path
import onnx, onnxscript.optimizer, onnx_ir, onnxruntime, onnx.reference
from snncc.onnx import import_model
def field(name):
    status = Path("/proc/self/status").read_text().split(name + ":")[1]
    return int(status.split()[0])
import_model(Path(sys.argv[1]))  # all that is loaded at first use
Path("/proc/self/clear_refs").write_text("5")
before = field("VmRSS")
imported = import_model(Path(sys.argv[2]))
print((field("VmHWM") - before) * 1024)
"""


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def measure(path: Path, small: Path, repeat: int) -> dict[str, float]:
    ours, theirs = [], []
    for _ in range(repeat):
        theirs.append(
            seconds(
                lambda: onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            )
        )
        ours.append(seconds(lambda: import_model(path)))
    size = path.stat().st_size
    command = [sys.executable, "-c", MEMORY, str(small), str(path)]
    peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {
        "megabytes": size / 1e6,
        "session": statistics.median(theirs),
        "import": statistics.median(ours),
        "times": statistics.median(ours) / statistics.median(theirs),
        "memory": peak / size,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (make, image) in NETWORKS.items():
            path = Path(folder) / f"{len(rows)}.onnx"
            torch.manual_seed(0)
            model = make().eval()
            torch.onnx.export(model, (torch.zeros(1, 3, image, image),), path, dynamo=False)
            del model
            small = Path(folder) / "0.onnx"
            rows[name] = measure(path, small, options.repeat)
            shown = "  ".join(f"{key} {value:.3f}" for key, value in rows[name].items())
            print(f"{name:15} {shown}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
