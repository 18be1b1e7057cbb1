"""CAT (Lew, Lee and Park 2022) for the ttfs code, on digits or on MNIST.

    python -m examples.train.cat
    python -m examples.train.cat --train train.npz --test test.npz --start lenet.onnx

Starts from a float network, folds its BatchNormalization, rounds weights to logarithmic ones in the
loop, and lets activations become those of the chip one after the other. The float network teaches.
Prints what it leads to on the ttfs28 emulator and in C, beside the same code without training.
"""

from torch import nn

from examples.train.compare import HEAD, compared
from examples.train.recipes import arguments, measure, task
from snncc.train import (
    Augmentation,
    CatSchedule,
    TtfsActivation,
    accuracy,
    adam,
    fit,
    fold_batchnorm,
    quantize_log_weights,
    refit_exponents,
)

EPOCHS = {"digits": 80, "mnist": 100}
CROP = {"digits": 1, "mnist": 2}
"""Pixels by which images are moved at random, at most."""


def main() -> None:
    parser = arguments(__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--steps", type=int, default=12, help="time slots of a layer")
    parser.add_argument("--tau", type=int, default=2, help="slots an octave")
    parser.add_argument("--offset", type=float, default=0.0, help="0: the published rule")
    parser.add_argument("--weight-bits", type=int, default=4)
    given = parser.parse_args()
    chosen = task(given)
    epochs = given.epochs or EPOCHS[chosen.name]
    print(f"{chosen.name}: float {100 * accuracy(chosen.float_net, chosen.split.test):.2f} %")
    code = {"steps": given.steps, "tau": given.tau}
    for offset in (0.0, 0.5):
        found = measure(
            chosen.float_net, chosen.split, given.output / f"{chosen.name}-float.onnx", "ttfs28",
            weight_bits=given.weight_bits, offset=offset, **code,
        )  # fmt: skip
        print(f"without training, r={offset:g}: {100 * found.chip:.2f} %")

    net = chosen.network(lambda: TtfsActivation(**code, offset=given.offset, spiking=False))
    fold_batchnorm(net)
    quantize_log_weights(net, bits=given.weight_bits)
    schedule = CatSchedule(start=epochs // 10, each=epochs // 20)

    def on_epoch(number: int, module: nn.Module) -> None:
        schedule(number, module)
        if number < epochs // 2:
            refit_exponents(module)

    fit(
        net,
        chosen.split.train,
        epochs=epochs,
        seed=given.seed,
        objective=chosen.taught(),
        optimizer=adam(3e-3),
        augment=Augmentation(crop=CROP[chosen.name]),
        on_epoch=on_epoch,
        device="cpu",
    )
    path = given.output / f"{chosen.name}-cat.onnx"
    print(f"| target | {HEAD} |\n|---|---|---|---|---|---|")
    for target in ("ttfs28", "c"):
        found_on = compared(net, TtfsActivation, chosen.split, path, target, coding="ttfs")
        print(f"| {target} | {found_on.row} |")


if __name__ == "__main__":
    main()
