"""Fewer synaptic operations at equal accuracy (Sorbaro et al. 2020), on digits or on MNIST.

    python -m examples.train.synops
    python -m examples.train.synops --train train.npz --test test.npz --start lenet.onnx

A network in floating point becomes one of quantized ReLUs, taught by the first, twice: as it is,
and with a loss on the operations beyond a target. Both are compiled; the simulator counts.
"""

import copy

import torch
from torch import nn

from examples.train.recipes import CALIBRATION, OnChip, arguments, measure, task
from snncc.train import QuantizedReLU, SynapticOperations, TargetOperations, accuracy

CODES: dict[str, dict[str, object]] = {
    "radix": {"coding": "radix"},
    "if": {"coding": "rate", "neuron": "if"},
}
"""Time codes that both networks are compiled for."""


def main() -> None:
    parser = arguments(__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--digits", type=int, default=4, help="binary, of a number of spikes")
    parser.add_argument("--target", type=float, default=0.4, help="operations, a share of before")
    given = parser.parse_args()
    chosen, levels = task(given), 2**given.digits - 1
    print(f"{chosen.name}: float {100 * accuracy(chosen.float_net, chosen.split.test):.2f} %")
    plain = chosen.train(chosen.network(lambda: QuantizedReLU(levels)), given.seed)
    sparse = copy.deepcopy(plain)
    operations = SynapticOperations(sparse, chosen.example)
    before = _operations(sparse, operations, chosen.split.train.x)
    wanted = TargetOperations(chosen.taught(), operations, given.target * before)
    chosen.train(sparse, given.seed, wanted, times=3, rate=3e-3, batch=32)
    after = _operations(sparse, operations, chosen.split.train.x)
    print(f"operations of training samples: {before:.0f}, with the loss {after:.0f}")
    print(
        "| network | code | torch, % | chip, % | operations | times fewer |\n"
        "|---|---|---|---|---|---|"
    )
    for code, settings in CODES.items():
        steps = given.digits if code == "radix" else levels
        found: dict[str, OnChip] = {}
        for name, net in (("plain", plain), ("with the loss", sparse)):
            path = given.output / f"{chosen.name}-{name.split()[-1]}.onnx"
            found[name] = measure(
                net, chosen.split, path, "c", CALIBRATION, steps=steps, **settings
            )
            times = _count(found["plain"]) / _count(found[name])
            print(
                f"| {name} | {code}, T={steps} | {100 * found[name].torch:.2f} "
                f"| {100 * found[name].chip:.2f} | {_count(found[name]):.0f} | {times:.2f} |"
            )


def _count(found: OnChip) -> float:
    return found.operations or 0.0


@torch.no_grad()
def _operations(net: nn.Module, operations: SynapticOperations, x: torch.Tensor) -> float:
    """Of the first training samples, on average."""
    net(x[:CALIBRATION])
    return float(operations.total)


if __name__ == "__main__":
    main()
