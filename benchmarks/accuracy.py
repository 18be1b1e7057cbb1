"""The accuracy table of docs/results.md.

    python benchmarks/accuracy.py MODELS/ DATA/

MODELS has the pretrained networks, DATA NAME_calib.npz and NAME_test.npz with uint8 images `x` and
classes `y`. Prints one Markdown row for each network and neuron kind.
"""

import argparse
from pathlib import Path

import snncc

CIFAR = snncc.Preprocessing(1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "nhwc")
NETWORKS = {
    "resnet20_cifar10": ("cifar10", CIFAR),
    "resnet20_cifar10_bn": ("cifar10", CIFAR),
    "lenet_mnist": ("mnist", snncc.Preprocessing(1 / 255)),
    "lenet_mnist_bn": ("mnist", snncc.Preprocessing(1 / 255)),
    "mlperf_tiny_resnet8": ("cifar10", snncc.Preprocessing()),
}
SHOWN = (4, 8, 16, 32, 64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("models", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=max(SHOWN))
    arguments = parser.parse_args()
    shown = [steps for steps in SHOWN if steps <= arguments.steps]
    print("| network | neuron | float | " + " | ".join(f"T={t}" for t in shown)
          + " | spikes | synaptic operations |")  # fmt: skip
    print("|---" * (len(shown) + 5) + "|")
    for name, (data, preprocessing) in NETWORKS.items():
        for neuron in ("if", "signed-if"):
            bundle = snncc.compile(
                arguments.models / f"{name}.onnx",
                calibration=arguments.data / f"{data}_calib.npz",
                preprocessing=preprocessing,
                steps=arguments.steps,
                neuron=neuron,
            )
            found = bundle.verify(
                arguments.models / f"{name}.onnx", arguments.data / f"{data}_test.npz"
            )
            by_steps = {row.steps: row.accuracy for row in found.at_steps}
            figures = [by_steps[steps] for steps in shown]
            row = " | ".join("–" if f is None else f"{100 * f.value:.2f}" for f in figures)
            float_accuracy = found.float_accuracy.value if found.float_accuracy else 0.0
            print(f"| {name} | {neuron} | {100 * float_accuracy:.2f} | {row} | "
                  f"{found.spikes:.0f} | {found.synaptic_operations or 0:.0f} |",
                  flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
