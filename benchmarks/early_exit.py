"""The table of docs/early-exit.md.

    python benchmarks/early_exit.py MODELS/ DATA/ [NETWORK …]

MODELS and DATA are as for accuracy.py. Compiles for 32 steps, chooses a margin on the calibration
data for each loss, and runs the test images with it. Prints Markdown rows.
"""

import argparse
from pathlib import Path

import numpy as np

import snncc
from snncc.early_exit import choose_margin
from snncc_backends import Execution
from snncc_ir import Array

CIFAR = snncc.Preprocessing(1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "nhwc")
NETWORKS = {
    "resnet20_cifar10": ("cifar10", CIFAR),
    "lenet_mnist": ("mnist", snncc.Preprocessing(1 / 255)),
    "mlperf_tiny_resnet8": ("cifar10", snncc.Preprocessing()),
}
POINTS = (10.0, 5.0, 2.0, 1.0, 0.5, 0.3)
STEPS = 32


def row(result: snncc.Result, last: Array, labels: Array) -> str:
    """Mean steps, 95 % of samples, accuracy, same as after all steps, spikes, operations."""
    predictions, execution = result.predictions(), result.execution
    used = execution.steps_used
    late = STEPS if used is None else int(np.percentile(used, 95, method="inverted_cdf"))
    return (
        f"{result.mean_steps:.2f} | {late} | {100 * np.mean(predictions == labels):.2f} | "
        f"{100 * np.mean(predictions == last):.2f} | {result.spikes_per_sample:.0f} | "
        f"{operations(execution):.0f}"
    )


def operations(execution: Execution) -> float:
    return sum(float(np.mean(count)) for count in execution.synaptic_operations.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("models", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS))
    arguments = parser.parse_args()
    print("| network | neuron | loss asked | margin | mean steps | 95 % within | accuracy | same | "
          "spikes | synaptic operations |")  # fmt: skip
    print("|---" * 10 + "|")
    for name in arguments.networks:
        data, preprocessing = NETWORKS[name]
        calibration = arguments.data / f"{data}_calib.npz"
        for neuron in ("if", "signed-if"):
            bundle = snncc.compile(
                arguments.models / f"{name}.onnx",
                calibration=calibration,
                preprocessing=preprocessing,
                steps=STEPS,
                neuron=neuron,
            )
            test = bundle.dataset(arguments.data / f"{data}_test.npz")
            assert test.labels is not None
            full, seen = bundle.run(test), bundle.run(calibration)
            last = full.predictions()
            for points in POINTS:
                choice = choose_margin(bundle.graph, seen.execution, points)
                found = bundle.run(test, early_exit=choice)
                asked = f"{points:g}{' *' if choice.note else ''}"
                figures = row(found, last, test.labels)
                print(f"| {name} | {neuron} | {asked} | {choice.margin:.1f} | {figures} |")
            print(f"| {name} | {neuron} | – | – | {row(full, last, test.labels)} |")


if __name__ == "__main__":
    main()
