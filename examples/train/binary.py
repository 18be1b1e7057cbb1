"""Binary weights (Lu and Sengupta 2020), on digits or on MNIST: all layers but first and last.

    python -m examples.train.binary
    python -m examples.train.binary --train train.npz --test test.npz --start lenet.onnx

The compiler finds the layers by their numbers and keeps one bit for each of their weights.
"""

from examples.train.recipes import CALIBRATION, arguments, measure, task
from snncc.train import QuantizedReLU, accuracy, binarize, calibrate_scales


def main() -> None:
    parser = arguments(__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--digits", type=int, default=4, help="binary, of a number of spikes")
    given = parser.parse_args()
    chosen, levels = task(given), 2**given.digits - 1
    print(f"{chosen.name}: float {100 * accuracy(chosen.float_net, chosen.split.test):.2f} %")
    net = chosen.network(lambda: QuantizedReLU(levels))
    names = binarize(net)
    print(f"binary: layers {', '.join(names)}")
    calibrate_scales(net, chosen.split.train.x)
    chosen.train(net, given.seed)
    path = given.output / f"{chosen.name}-binary.onnx"
    print("| code | torch, % | chip, % | operations |\n|---|---|---|---|")
    codes: tuple[dict[str, object], ...] = (
        {"coding": "radix", "steps": given.digits},
        {"coding": "rate", "neuron": "if", "steps": levels},
        {"coding": "rate", "neuron": "signed-if", "steps": levels},
    )
    for settings in codes:
        found = measure(net, chosen.split, path, "c", CALIBRATION, **settings)
        what = ", ".join(f"{key}={value}" for key, value in settings.items())
        print(
            f"| {what} | {100 * found.torch:.2f} | {100 * found.chip:.2f} "
            f"| {found.operations or 0:.0f} |"
        )


if __name__ == "__main__":
    main()
