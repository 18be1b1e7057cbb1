"""The accuracy tables of docs/results.md: networks and settings, each compiled for its own steps.

    python benchmarks/accuracy.py MODELS/ DATA/ [contract | methods] [--only TEXT]

MODELS has the pretrained networks, DATA NAME_calib.npz and NAME_test.npz with uint8 images `x` and
classes `y`. Prints one Markdown row for each network and its settings. The test images take no part
in calibration. `codes.py` has the time codes side by side.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import snncc
from snncc.shares import Share

CIFAR = snncc.Preprocessing(1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "nhwc")
NETWORKS = {
    "resnet20_cifar10": ("cifar10", CIFAR),
    "resnet20_cifar10_bn": ("cifar10", CIFAR),
    "lenet_mnist": ("mnist", snncc.Preprocessing(1 / 255)),
    "lenet_mnist_bn": ("mnist", snncc.Preprocessing(1 / 255)),
    "mlperf_tiny_resnet8": ("cifar10", snncc.Preprocessing()),
}
RESNET = "resnet20_cifar10"
Row = tuple[str, dict[str, object]]
HEADINGS = (
    "network", "settings", "float", "accuracy", "95 %", "agreement", "closed form", "spikes",
    "M operations", "s to compile",
)  # fmt: skip


def contract() -> Iterator[Row]:
    """Steps and neuron kinds, with what calibration does by default."""
    for neuron, ladder in {
        "signed-if": (4, 8, 16),
        "if": (16, 32, 64),
        "graded": (4, 8, 16),
        "signed-graded": (2, 4, 8),
    }.items():
        for steps in ladder:
            yield RESNET, {"neuron": neuron, "steps": steps}
    for steps in (3, 4, 5):
        yield RESNET, {"coding": "radix", "steps": steps}
    for network in ("lenet_mnist", "lenet_mnist_bn"):
        yield network, {"neuron": "if", "steps": 8}
    for steps in (8, 16):
        yield "mlperf_tiny_resnet8", {"neuron": "signed-if", "steps": steps}
    yield "resnet20_cifar10_bn", {"neuron": "signed-if", "steps": 8}


def methods() -> Iterator[Row]:
    """Ways of normalization and correction side by side; ECC as its authors have it."""
    yield RESNET, {"neuron": "if", "steps": 256, "method": "ecc", "calibrate": "off"}
    for neuron, steps in (("signed-if", 8), ("if", 32)):
        common: dict[str, object] = {"neuron": neuron, "steps": steps}
        for method in ("weights", "max", "percentile", "error", "ecc"):
            yield RESNET, {**common, "method": method, "calibrate": "off"}
        yield RESNET, {**common, "method": "error", "per": "layer", "calibrate": "off"}
        yield RESNET, {**common, "fit": "keep", "tune": "keep"}
        yield RESNET, {**common, "fit": "best", "tune": "keep"}
        yield RESNET, {**common, "fit": "keep", "tune": "best"}


TABLES = {table.__name__: table for table in (contract, methods)}


def percent(share: Share | None) -> str:
    return "–" if share is None else f"{100 * share.value:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("models", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("table", choices=TABLES, nargs="?", default="contract")
    parser.add_argument("--only", default="", help="rows whose text has this")
    arguments = parser.parse_args()
    print("| " + " | ".join(HEADINGS) + " |")
    print("|---" * len(HEADINGS) + "|")
    for name, options in TABLES[arguments.table]():
        text = " ".join(f"{key}={value}" for key, value in options.items())
        if arguments.only not in f"{name} {text}":
            continue
        data, preprocessing = NETWORKS[name]
        model = arguments.models / f"{name}.onnx"
        begun = perf_counter()
        bundle = snncc.compile(
            model,
            calibration=arguments.data / f"{data}_calib.npz",
            preprocessing=preprocessing,
            **options,  # type: ignore[arg-type]
        )
        seconds = perf_counter() - begun
        found = bundle.verify(model, arguments.data / f"{data}_test.npz")
        accuracy = found.last.accuracy
        interval = f"{100 * accuracy.low:.1f}–{100 * accuracy.high:.1f}" if accuracy else "–"
        cells = (
            name, text, percent(found.float_accuracy), percent(accuracy), interval,
            percent(found.last.agreement), percent(found.closed_form.accuracy),
            f"{found.spikes:.0f}", f"{(found.synaptic_operations or 0) / 1e6:.2f}",
            f"{seconds:.0f}",
        )  # fmt: skip
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
