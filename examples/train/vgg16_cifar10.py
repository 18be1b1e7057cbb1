"""VGG-16 on CIFAR-10, by method.

    python -m examples.train.vgg16_cifar10 cifar-10-batches-py/ --method cat --checkpoint vgg-{}.pt
    python -m examples.train.vgg16_cifar10 train.npz --test test.npz --method qcfs --epochs 10

Prints a line for each epoch and, at the end, what the chip makes of the test images. With a
checkpoint a run that was interrupted goes on from its last epoch. Defaults are those for the whole
data set on a GPU: 200 epochs for the network, and for `cat` a fifth of them more after its
BatchNormalization is folded.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from examples.train.networks import Neurons, vgg16
from examples.train.recipes import initialize, measure
from snncc.train import (
    Augmentation,
    CatSchedule,
    Classification,
    Epoch,
    QcfsActivation,
    QuantizedReLU,
    Split,
    SynapticOperations,
    TargetOperations,
    TtfsActivation,
    accuracy,
    adam,
    binarize,
    cifar10,
    fit,
    fold_batchnorm,
    quantize_log_weights,
    refit_exponents,
    sgd,
)

WIDTH = 4.0
"""λ of all activations: BatchNormalization's outputs are hardly ever larger."""
STEPS, TAU, BITS = 24, 4, 5
DIGITS = 4
LEVELS = 2**DIGITS - 1
NEURONS: dict[str, Neurons] = {
    "float": nn.ReLU,
    "cat": lambda: TtfsActivation(STEPS, TAU, offset=0.5, scale=WIDTH, spiking=False),
    "qcfs": lambda: QcfsActivation(LEVELS, WIDTH),
    "quantized": lambda: QuantizedReLU(LEVELS, WIDTH / LEVELS),
    "operations": lambda: QuantizedReLU(LEVELS, WIDTH / LEVELS),
    "binary": lambda: QuantizedReLU(LEVELS, WIDTH / LEVELS),
}
RADIX: dict[str, object] = {"coding": "radix", "steps": DIGITS}
TTFS: dict[str, object] = {"coding": "ttfs", "steps": STEPS, "tau": TAU, "weight_bits": BITS}
LESS = 0.4
"""Operations that `operations` aims at, as a share of those at the start."""


def main() -> None:
    given = _arguments()
    split = cifar10(given.train, given.test)
    net = vgg16(NEURONS[given.method])
    initialize(net, given.seed)
    objective = Classification()
    if given.method == "binary":
        binarize(net)
    operations = None
    if given.method == "operations":
        operations = SynapticOperations(net, split.test.x[:1])
        with torch.no_grad():
            net(split.train.x[:64])
        target = LESS * float(operations.total)
        fitted = TargetOperations(objective, operations, target, weight=0.5)
    train = _Training(given, split)
    train(
        net,
        "network",
        given.epochs,
        sgd_rate=given.rate,
        objective=fitted if operations else objective,
    )
    if operations is not None:
        operations.remove()
    if given.method == "cat":
        _to_spikes(net, train, -(-given.epochs // 5))
    path = given.output / f"vgg16-{given.method}.onnx"
    settings = TTFS if given.method == "cat" else RADIX
    measured = Split(split.train, split.test.first(given.tested))
    found = measure(net.cpu(), measured, path, "c", given.calibration, **settings)
    print(
        f"torch {100 * found.torch:.2f} %, chip {100 * found.chip:.2f} %, "
        f"{(found.operations or 0) / 1e6:.1f} M operations"
    )


def _to_spikes(net: nn.Module, train: "_Training", epochs: int) -> None:
    """CAT: logarithmic weights, and activations that become the chip's one after the other."""
    fold_batchnorm(net)
    quantize_log_weights(net, bits=BITS)
    schedule = CatSchedule(start=0, each=epochs // 16)

    def on_epoch(number: int, module: nn.Module) -> None:
        schedule(number, module)
        if number < epochs // 2:
            refit_exponents(module)

    train(net, "spikes", epochs, adam_rate=1e-4, on_epoch=on_epoch)


class _Training:
    """Calls of `fit` that the methods share."""

    def __init__(self, given: argparse.Namespace, split: Split) -> None:
        self._given, self._split = given, split

    def __call__(
        self,
        net: nn.Module,
        stage: str,
        epochs: int,
        *,
        sgd_rate: float | None = None,
        adam_rate: float = 1e-3,
        objective: Classification | TargetOperations | None = None,
        on_epoch: Callable[[int, nn.Module], None] | None = None,
    ) -> None:
        given = self._given
        optimizer = adam(adam_rate) if sgd_rate is None else sgd(sgd_rate, decay=5e-4)
        checkpoint = given.checkpoint and given.checkpoint.replace("{}", f"{given.method}-{stage}")
        fit(
            net,
            self._split.train,
            epochs=epochs,
            seed=given.seed,
            batch=given.batch,
            objective=objective,
            optimizer=optimizer,
            augment=Augmentation(crop=4, flip=True),
            on_epoch=on_epoch,
            report=lambda epoch: print(_line(stage, epoch, epochs), flush=True),
            checkpoint=checkpoint,
        )
        print(f"{stage}: test accuracy {100 * accuracy(net, self._split.test):.2f} %", flush=True)


def _line(stage: str, epoch: Epoch, epochs: int) -> str:
    losses = ", ".join(f"{name} {value:.4f}" for name, value in epoch.losses.items())
    return (
        f"{stage} {epoch.number + 1}/{epochs}: {losses}, {100 * epoch.accuracy:.2f} % of training "
        f"images, rate {epoch.learning_rate:.4g}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "train", type=Path, help="the folder, or images x (N, 32, 32, 3), y as .npz"
    )
    parser.add_argument("--test", type=Path, help="test images, where training images are an .npz")
    parser.add_argument("--method", choices=NEURONS, default="qcfs")
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=0.05, help="learning rate at the start")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--calibration", type=int, default=256, help="images for the compiler")
    parser.add_argument("--tested", type=int, default=10000, help="test images that the chip gets")
    parser.add_argument("--checkpoint", help="file; {} is where method and stage go")
    parser.add_argument("-o", "--output", type=Path, default=Path("."), help="folder of the .onnx")
    return parser.parse_args()


if __name__ == "__main__":
    main()
