"""What the recipes share: data and network by name, and how the chip does."""

import argparse
import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

import snncc
from examples.train.networks import Neurons, digits_cnn, lenet
from snncc.train import (
    Augmentation,
    Distillation,
    Images,
    QuantizedInput,
    Split,
    accuracy,
    adam,
    calibrate_scales,
    digits,
    export,
    fit,
    load_initializers,
    read_images,
)
from snncc.train.objectives import Objective

CALIBRATION = 256
"""Training samples that the compiler gets."""


@dataclass(frozen=True)
class Task:
    """A network that is trained in floating point, its data, and how it is trained on."""

    name: str
    split: Split
    float_net: nn.Module
    epochs: int
    augment: Augmentation

    @property
    def example(self) -> torch.Tensor:
        return self.split.test.x[:1]

    def network(self, neurons: Neurons) -> nn.Sequential:
        """The network with other neurons, weights and BatchNormalization of the float one, and
        scales from training samples."""
        made = _network(self.name, neurons)
        made.load_state_dict(self.float_net.state_dict(), strict=False)
        calibrate_scales(made, self.split.train.first(CALIBRATION).x, percentile=99.9)
        return made

    def train(
        self,
        module: nn.Module,
        seed: int,
        objective: Objective | None = None,
        times: int = 1,
        rate: float = 1e-3,
        batch: int = 64,
    ) -> nn.Module:
        """Fine-tuning, taught by the float network unless there is another objective.

        times: by how much longer than `epochs`.
        """
        fit(
            module,
            self.split.train,
            epochs=times * self.epochs,
            seed=seed,
            batch=batch,
            objective=objective or self.taught(),
            optimizer=adam(rate),
            augment=self.augment,
            device="cpu",
        )
        return module

    def taught(self) -> Distillation:
        return Distillation(copy.deepcopy(self.float_net))


@dataclass(frozen=True)
class OnChip:
    """Accuracies as shares; operations and spikes are means of a sample, by the simulator."""

    torch: float
    chip: float
    operations: float | None
    spikes: float


def arguments(description: str) -> argparse.ArgumentParser:
    """The options of all recipes on digits and MNIST."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--train", type=Path, help="images x (0..255) and classes y; without it: digits"
    )
    parser.add_argument("--test", type=Path, help="the same of images that nobody trains on")
    parser.add_argument("--start", type=Path, help="LeNet with pretrained weights, .onnx")
    parser.add_argument("--epochs", type=int, help="of fine-tuning")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("."), help="folder for .onnx files"
    )
    return parser


def task(given: argparse.Namespace) -> Task:
    """Digits, trained here; or MNIST of the user's files, from pretrained weights if given."""
    torch.set_num_threads(1)  # networks as small as these gain nothing by more
    if given.train is None:
        net = _network("digits", nn.ReLU)
        split = digits()
        initialize(net, given.seed)
        fit(net, split.train, epochs=40, seed=given.seed, optimizer=adam(2e-3), device="cpu")
        return Task("digits", split, net, given.epochs or 40, Augmentation())
    pre = snncc.Preprocessing(1 / 255)
    split = Split(read_images(given.train, pre), read_images(given.test, pre))
    net = _network("mnist", nn.ReLU)
    augment = Augmentation(crop=2)
    if given.start is not None:
        load_initializers(net, given.start)
    else:
        initialize(net, given.seed)
        fit(net, split.train, epochs=100, seed=given.seed, augment=augment, device="cpu")
    return Task("mnist", split, net.eval(), given.epochs or 40, augment)


def measure(
    module: nn.Module,
    split: Split,
    path: Path,
    target: str = "c",
    calibration: int = CALIBRATION,
    **settings: object,
) -> OnChip:
    """Exports, compiles on so many training samples with these settings, and runs the test samples.

    Training and test samples are those of `split`.
    """
    export(module, path, split.test.x[:1])
    samples = _dataset(split.train.first(calibration))
    bundle = snncc.compile(path, target=target, calibration=samples, settings=settings)
    found = bundle.verify(path, _dataset(split.test))
    on_chip = found.last.accuracy
    return OnChip(
        accuracy(module, split.test),
        0.0 if on_chip is None else on_chip.value,
        found.synaptic_operations,
        found.spikes,
    )


def _network(name: str, neurons: Neurons) -> nn.Sequential:
    if name == "digits":
        return nn.Sequential(QuantizedInput(1 / 16, 16), *digits_cnn(neurons))
    return nn.Sequential(QuantizedInput(1 / 255, 255), *lenet(neurons))


def initialize(module: nn.Module, seed: int) -> None:
    """Weights by seed, whatever has been drawn before."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for part in module.modules():
            match part:
                case nn.Conv2d() | nn.Linear() | nn.BatchNorm2d():
                    part.reset_parameters()


def _dataset(images: Images) -> snncc.Dataset:
    return snncc.Dataset({"x": images.x.numpy()}, images.y.numpy())
