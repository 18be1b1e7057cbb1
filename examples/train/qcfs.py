"""QCFS (Bu et al. 2022) for the rate and radix codes, on digits or on MNIST.

    python -m examples.train.qcfs
    python -m examples.train.qcfs --train train.npz --test test.npz --start lenet.onnx

Activations of L levels, 2^digits − 1, are what the radix code sends in so many digits, exactly, and
what the rate code sends in L steps if currents are even. BatchNormalization stays: the compiler
folds it.
"""

from examples.train.compare import HEAD, compared
from examples.train.recipes import arguments, task
from snncc.train import QcfsActivation, accuracy


def main() -> None:
    parser = arguments(__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--digits", type=int, default=3, help="binary, of a number of spikes")
    given = parser.parse_args()
    chosen, levels = task(given), 2**given.digits - 1
    print(f"{chosen.name}: float {100 * accuracy(chosen.float_net, chosen.split.test):.2f} %")
    net = chosen.network(lambda: QcfsActivation(levels))
    chosen.train(net, given.seed)
    path = given.output / f"{chosen.name}-qcfs.onnx"
    print(f"| settings | {HEAD} |\n|---|---|---|---|---|---|")
    settings: tuple[dict[str, object], ...] = (
        {"coding": "radix"},
        {"coding": "rate", "neuron": "if"},
        {"coding": "rate", "neuron": "if", "calibrate": "layers"},
        {"coding": "rate", "neuron": "signed-if"},
        {"coding": "rate", "neuron": "signed-if", "calibrate": "layers"},
    )
    for each in settings:
        found = compared(net, QcfsActivation, chosen.split, path, **each)  # type: ignore[arg-type]
        print(f"| {' '.join(f'{k}={v}' for k, v in each.items())} | {found.row} |", flush=True)


if __name__ == "__main__":
    main()
