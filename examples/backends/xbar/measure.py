"""What arrays cost, and what devices lose: tables in Markdown.

    python examples/backends/xbar/measure.py LENET.onnx MNIST_CALIB.npz MNIST_TEST.npz --images 500
    python examples/backends/xbar/measure.py examples/digits/digits.onnx examples/digits/calib.npz \
        examples/digits/test.npz --scale 1/16 --bits 2,3,4,6,8

With `--bits`, networks of so many bits; without, the middle layers get binary weights (alpha the
mean |w| of each channel, in the manner of XNOR-Net; Lu and Sengupta 2020 keep the first and the
last layer, too) and the others 4 bits. Without retraining, that costs accuracy of its own.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

import snncc
from snncc.backends import Preprocessing
from snncc.ir import SnnccError, decode
from snncc_xbar import Crossbar, CrossbarRunner, Device, XbarSettings

SIZES = (64, 128, 256)
DEVICES: dict[str, Callable[[int], Device]] = {
    "ideal": lambda seed: Device(),
    "σ = 5 %": lambda seed: Device(0.05, seed=seed),
    "σ = 10 %": lambda seed: Device(0.1, seed=seed),
    "σ = 20 %": lambda seed: Device(0.2, seed=seed),
    "0.1 % stuck": lambda seed: Device(stuck=0.001, seed=seed),
    "1 % stuck": lambda seed: Device(stuck=0.01, seed=seed),
    "σ = 10 %, 1 % stuck": lambda seed: Device(0.1, 0.01, seed=seed),
}
Figures = tuple[float, float, float, float]


def binarized(model: Path, path: Path) -> Path:
    """All layers but the first and the last as ±mean |w| of each output channel."""
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


class Study:
    """One network on arrays, images and labels."""

    def __init__(self, asked: argparse.Namespace, folder: Path) -> None:
        test = np.load(asked.test)
        self.model, self.calibration = Path(asked.model), Path(asked.calibration)
        self.images, self.labels = test["x"][: asked.images], test["y"][: asked.images]
        self.preprocessing = Preprocessing(float(Fraction(asked.scale)))
        self.steps, self.folder, self.made = asked.steps, folder, 0
        self.chips: int = asked.chips

    def compiled(self, **options: object) -> snncc.Bundle:
        self.made += 1
        return snncc.compile(
            self.model,
            target="xbar",
            calibration=self.calibration,
            preprocessing=self.preprocessing,
            output=self.folder / f"bundle{self.made}",
            settings={"steps": self.steps, **options},
        )

    def laid_out(self, bundle: snncc.Bundle, **layout: object) -> Path:
        """The files of a compiled network on other arrays."""
        self.made += 1
        folder = self.folder / f"layout{self.made}"
        settings = XbarSettings(steps=self.steps, **layout)  # type: ignore[arg-type]
        for name, content in Crossbar().emit(bundle.graph, self.preprocessing, settings).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder

    def row(self, bundle: snncc.Bundle, folder: Path, device: Device) -> Figures:
        """Accuracy in per cent, conversions and microjoules and milliseconds a sample."""
        graph = bundle.graph
        runner = CrossbarRunner(folder, graph, device)
        (node,) = graph.inputs
        done = runner.run({node.name: self.preprocessing.apply(self.images, node.type.shape)})
        ends = {name: total[:, -1] for name, total in done.totals.items()}
        (scores,) = decode(graph, ends, done.steps).values()
        right = scores.reshape(len(scores), -1).argmax(axis=1) == self.labels
        conversions = sum(float(c["conversions"].mean()) for c in done.activity.values())
        cost = runner.estimate(done)
        if cost is None:
            raise AssertionError("the runner counts")
        return 100 * float(right.mean()), conversions, cost.microjoules, cost.milliseconds


def sizes(study: Study, bundle: snncc.Bundle) -> Iterator[str]:
    yield "| array | cells | arrays | cells in use, % | accuracy, % | conversions | µJ | ms |"
    yield "|---|---|---|---|---|---|---|---|"
    for size in SIZES:
        for cells in ("pair", "reference"):
            folder = study.laid_out(bundle, array=size, cells=cells)
            plan = summary(folder)
            accuracy, conversions, energy, time = study.row(bundle, folder, Device())
            yield (
                f"| {size}×{size} | {cells} | {plan['arrays']:.0f} | {plan['utilization']:.0f} "
                f"| {accuracy:.1f} | {conversions:.3g} | {energy:.2f} | {time:.3f} |"
            )


def summary(folder: Path) -> dict[str, float]:
    """The backend's own key figures."""
    path = "xbar/config.json"
    return Crossbar().summary_of({path: (folder / path).read_bytes()})


def devices(study: Study, bundle: snncc.Bundle) -> Iterator[str]:
    ways = {cells: study.laid_out(bundle, cells=cells) for cells in ("pair", "reference")}
    yield f"accuracy in per cent, mean (least) of {study.chips} chips"
    yield ""
    yield f"| device | {' | '.join(ways)} |"
    yield f"|---|{'---|' * len(ways)}"
    for name, make in DEVICES.items():
        chips = dict.fromkeys(make(seed) for seed in range(study.chips))
        found = []
        for folder in ways.values():
            rows = [study.row(bundle, folder, chip)[0] for chip in chips]
            found.append(f"{np.mean(rows):.1f} ({min(rows):.1f})")
        yield f"| {name} | {' | '.join(found)} |"


def bits(study: Study, wanted: list[int]) -> Iterator[str]:
    yield "| bits | arrays | cells in use, % | accuracy, % | σ = 10 % | conversions | µJ |"
    yield "|---|---|---|---|---|---|---|"
    for number in wanted:
        try:
            bundle = study.compiled(weight_bits=number)
        except SnnccError as error:
            yield f"| {number} | refused: {error.diagnostics[0].message} |"
            continue
        plan = summary(bundle.folder)
        accuracy, conversions, energy, _ = study.row(bundle, bundle.folder, Device())
        chips = [Device(0.1, seed=seed) for seed in range(study.chips)]
        varied = [study.row(bundle, bundle.folder, chip)[0] for chip in chips]
        yield (
            f"| {number} | {plan['arrays']:.0f} | {plan['utilization']:.0f} | {accuracy:.1f} "
            f"| {np.mean(varied):.1f} | {conversions:.3g} | {energy:.2f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    for name in ("model", "calibration", "test"):
        parser.add_argument(name)
    parser.add_argument("--scale", default="1/255")
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--bits", default="")
    parser.add_argument("--chips", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        study = Study(asked, Path(name))
        if asked.bits:
            lines = bits(study, [int(number) for number in asked.bits.split(",")])
            for line in lines:
                print(line, flush=True)
            return
        study.model = binarized(study.model, Path(name) / "binary.onnx")
        bundle = study.compiled()
        for line in sizes(study, bundle):
            print(line, flush=True)
        print()
        for line in devices(study, bundle):
            print(line, flush=True)


if __name__ == "__main__":
    main()
