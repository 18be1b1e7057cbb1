"""Accuracy of target ttfs28, images run in the emulator: settings, steps left out, widths.

python benchmarks/ttfs28_accuracy.py MODELS DATA [settings|steps|widths|scales ...]
"""

import sys
import time
from pathlib import Path

import snncc

CIFAR = snncc.Preprocessing(1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "nhwc")
NETWORKS = {
    "resnet20_cifar10": ("cifar10", CIFAR),
    "resnet20_cifar10_bn": ("cifar10", CIFAR),
    "lenet_mnist": ("mnist", snncc.Preprocessing(1 / 255)),
    "mlperf_tiny_resnet8": ("cifar10", snncc.Preprocessing()),
}
SETTINGS: list[dict[str, int]] = [
    {"steps": 24, "tau": 4, "resolution": 2, "weight_bits": 5},
    {"steps": 24, "tau": 4, "resolution": 2, "weight_bits": 4},
    {"steps": 24, "tau": 4, "resolution": 1, "weight_bits": 3},
    {"steps": 48, "tau": 8, "resolution": 4, "weight_bits": 6},
    {"steps": 12, "tau": 2, "resolution": 2, "weight_bits": 5},
]
STEPS: list[dict[str, object]] = [
    {},
    {"bias": "keep"},
    {"rounding": "nearest"},
    {"rounding": "nearest", "bias": "keep"},
    {"rounding": "nearest", "error": "weight", "bias": "keep"},
    {"align": "off"},
    {"offset": 0.0},
]
WIDTHS: list[dict[str, object]] = [
    {"constant_bits": constants, "accumulator_bits": accumulators}
    for constants, accumulators in (
        (24, 32), (16, 32), (16, 24), (14, 24), (12, 24), (16, 20), (16, 16),
    )
]  # fmt: skip

SCALES: list[dict[str, object]] = [
    {"percentile": percentile} for percentile in (99.9, 99.95, 99.97, 99.98, 99.99, 99.995)
]


def measure(models: Path, data: Path, name: str, options: dict[str, object]) -> None:
    """Prints a row: options, accuracy, agreement, spikes, energy, seconds."""
    kind, preprocessing = NETWORKS[name]
    start = time.perf_counter()
    try:
        bundle = snncc.compile(
            models / f"{name}.onnx",
            target="ttfs28",
            calibration=data / f"{kind}_calib.npz",
            preprocessing=preprocessing,
            **options,  # type: ignore[arg-type]
        )
    except snncc.SnnccError as error:
        print(f"| {name} | {_text(options)} | refused: {error.diagnostics[0].code} |", flush=True)
        return
    seconds = time.perf_counter() - start
    found = bundle.verify(models / f"{name}.onnx", data / f"{kind}_test.npz")
    assert found.last.accuracy
    assert found.last.agreement
    assert found.estimate
    size = bundle.folder / "ttfs28" / "image.bin"
    print(
        f"| {name} | {_text(options)} | {100 * found.last.accuracy.value:.2f} | "
        f"{100 * found.last.agreement.value:.2f} | {found.last.snr:.1f} | {found.spikes:.0f} | "
        f"{(found.synaptic_operations or 0) / 1e6:.2f} | {found.estimate.microjoules:.1f} | "
        f"{found.estimate.milliseconds:.2f} | {size.stat().st_size} | {seconds:.0f} |",
        flush=True,
    )


def _text(options: dict[str, object]) -> str:
    return ", ".join(f"{key}={value}" for key, value in options.items()) or "default"


def main() -> None:
    models, data = Path(sys.argv[1]), Path(sys.argv[2])
    wanted = sys.argv[3:] or ["settings", "steps", "widths"]
    print(
        "| network | settings | accuracy | agreement | SNR dB | spikes | M operations | µJ "
        "| ms | image bytes | s to compile |\n|" + "---|" * 11
    )
    if "settings" in wanted:
        for name in NETWORKS:
            for options in SETTINGS[: 1 if name.endswith("_bn") else None]:
                measure(models, data, name, dict(options))
    for what, rows in (("steps", STEPS), ("widths", WIDTHS), ("scales", SCALES)):
        if what in wanted:
            for name in ("resnet20_cifar10", "mlperf_tiny_resnet8"):
                for row in rows:
                    measure(models, data, name, row)


if __name__ == "__main__":
    main()
