"""The pretrained networks beside the project: every spike of what runs is the oracle's.

20 images of each: compiled C with every neuron kind of the rate code, and with 5 binary digits; the
image of ttfs28 in its emulator, and compiled C in the same coding; core maps of loihi in theirs.
Skipped where the networks are not.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import snncc
from snncc.activity import simulator
from snncc.verify import compare
from snncc_loihi.binary import read_map
from snncc_loihi.checker import subject_of, violations
from snncc_loihi.chip import parse_chip
from tests.conftest import SHARED

IMAGES = 20
CALIBRATION = 64
MODELS = {
    "resnet20_cifar10": ("cifar10", snncc.Preprocessing(
        1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "nhwc")),
    "resnet20_cifar10_bn": ("cifar10", snncc.Preprocessing(
        1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "nhwc")),
    "lenet_mnist": ("mnist", snncc.Preprocessing(1 / 255)),
    "lenet_mnist_bn": ("mnist", snncc.Preprocessing(1 / 255)),
    "mlperf_tiny_resnet8": ("cifar10", snncc.Preprocessing()),
    "mlperf_tiny_ad01": ("", snncc.Preprocessing()),
}  # fmt: skip


def data(name: str, which: str, count: int) -> snncc.Dataset:
    """Real images, or seeded noise for the network whose data is not at hand."""
    if not name:
        noise = np.random.default_rng(len(which)).standard_normal((count, 640))
        return snncc.Dataset({"x": noise.astype(np.float32)})
    with np.load(SHARED / "data" / f"{name}_{which}.npz") as loaded:
        return snncc.Dataset({"x": loaded["x"][:count]}, loaded["y"][:count])


def cases() -> Iterator[tuple[str, str, int]]:
    for model in MODELS:
        yield model, "signed-if", 8
        if model.endswith("_bn"):
            continue  # once its BatchNormalizations are folded, it is the network without them
        yield model, "if", 32
        yield model, "graded", 4
        yield model, "signed-graded", 4
        yield model, "radix", 5


@pytest.mark.parametrize(("model", "neuron", "steps"), list(cases()))
def test_spike_for_spike(
    model: str, neuron: str, steps: int, shared_models: Path, shared_data: Path, tmp_path: Path
) -> None:
    name, preprocessing = MODELS[model]
    options = {"coding": "radix"} if neuron == "radix" else {"neuron": neuron}
    bundle = snncc.compile(
        shared_models / f"{model}.onnx",
        calibration=data(name, "calib", CALIBRATION),
        preprocessing=preprocessing,
        output=tmp_path / "bundle",
        steps=steps,
        **options,  # type: ignore[arg-type]
    )
    raw = data(name, "test", IMAGES).arrays["x"]
    (node,) = bundle.graph.inputs
    samples = {node.name: preprocessing.apply(raw, node.type.shape)}
    exactness = compare(bundle.graph, bundle.runner, samples, IMAGES)
    assert exactness.holds, exactness.difference
    assert exactness.samples == IMAGES
    assert exactness.spikes > 1000


@pytest.mark.parametrize("model", sorted(MODELS.keys() - {"resnet20_cifar10_bn"}))
def test_time_to_first_spike(
    model: str, shared_models: Path, shared_data: Path, tmp_path: Path
) -> None:
    """Image, compiled C and oracle: one network, one meaning."""
    name, preprocessing = MODELS[model]
    image, in_c = (
        snncc.compile(
            shared_models / f"{model}.onnx",
            target=target,
            coding="ttfs",
            calibration=data(name, "calib", CALIBRATION),
            preprocessing=preprocessing,
            output=tmp_path / target,
        )
        for target in ("ttfs28", "c")
    )
    assert image.graph == in_c.graph
    raw = data(name, "test", IMAGES).arrays["x"]
    (node,) = image.graph.inputs
    samples = {node.name: preprocessing.apply(raw, node.type.shape)}
    for bundle in (image, in_c):
        exactness = compare(bundle.graph, bundle.runner, samples, IMAGES)
        assert exactness.holds, exactness.difference
        assert exactness.spikes > 1000


@pytest.mark.parametrize(
    ("model", "chip", "steps"),
    [
        ("lenet_mnist", "loihi2", 8),
        ("lenet_mnist", "loihi1", 16),
        ("mlperf_tiny_ad01", "loihi1", 16),
        ("mlperf_tiny_resnet8", "loihi2", 4),
    ],
)
def test_core_maps(
    model: str, chip: str, steps: int, shared_models: Path, shared_data: Path, tmp_path: Path
) -> None:
    """Core map, compiled C and oracle: one network, one meaning; and no limit is broken."""
    name, preprocessing = MODELS[model]
    bundle = snncc.compile(
        shared_models / f"{model}.onnx",
        target="loihi",
        calibration=data(name, "calib", CALIBRATION),
        preprocessing=preprocessing,
        output=tmp_path / "bundle",
        steps=steps,
        chip=chip,
        calibrate="off",
    )
    raw = data(name, "test", IMAGES).arrays["x"]
    (node,) = bundle.graph.inputs
    samples = {node.name: preprocessing.apply(raw, node.type.shape)}
    in_c = simulator(bundle.graph, preprocessing, tmp_path / "c")
    for runner in (bundle.runner, in_c):
        exactness = compare(bundle.graph, runner, samples, IMAGES)
        assert exactness.holds, exactness.difference
        assert exactness.spikes > 1000
    path = bundle.folder / "loihi" / "map.bin"
    chip_file = (bundle.folder / "loihi" / "chip.json").read_bytes()
    found = subject_of(
        read_map(path.read_bytes(), str(path)), parse_chip(chip_file, chip), bundle.graph
    )
    assert violations(found) == {}
