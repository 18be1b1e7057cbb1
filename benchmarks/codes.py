"""The three time codes side by side: accuracy, spikes, synaptic operations, latency.

    python benchmarks/codes.py MODELS/ DATA/ [codes|settings ...]

`codes`: the defaults of each; `settings`: what the radix code's own settings are worth. Prints one
Markdown row for each network and coding, on target c.

Latency counts time steps from the input to the result, images following one another each
`interval` steps. In the rate code a spike goes through all layers within a step, so that both are
T; in the ttfs and radix codes each population on the longest path integrates for T steps while the
one before it sends, so that latency is T times their number and the interval is T.
"""

import sys
from pathlib import Path

import snncc
from snncc_ir import Graph
from snncc_ir.ops import Population

CIFAR = snncc.Preprocessing(1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "nhwc")
NETWORKS = {
    "resnet20_cifar10": ("cifar10", CIFAR),
    "mlperf_tiny_resnet8": ("cifar10", snncc.Preprocessing()),
    "lenet_mnist": ("mnist", snncc.Preprocessing(1 / 255)),
}
CODES: list[dict[str, object]] = [
    {"coding": "rate", "neuron": "signed-if", "steps": 16},
    {"coding": "ttfs", "steps": 24},
    {"coding": "radix", "steps": 2},
    {"coding": "radix", "steps": 3},
    {"coding": "radix", "steps": 4},
    {"coding": "radix", "steps": 5},
    {"coding": "radix", "steps": 6},
]
OPTIONS: list[dict[str, object]] = [
    {"bias": "keep"},
    {"percentile": 99.5},
    {"percentile": 99.97},
    {"weight_bits": 8},
    {"start": 0.0},
]
SETTINGS: list[dict[str, object]] = [
    {"coding": "radix", "steps": steps, **options} for steps in (3, 4, 5, 6) for options in OPTIONS
]


def populations(graph: Graph) -> int:
    """On the longest path from an input to an output."""
    depth: dict[str, int] = {}
    for node in graph:
        before = max((depth[name] for name in node.inputs), default=0)
        depth[node.name] = before + isinstance(node.op, Population)
    return max(depth.values())


def measure(models: Path, data: Path, name: str, options: dict[str, object]) -> None:
    """Prints a row."""
    kind, preprocessing = NETWORKS[name]
    bundle = snncc.compile(
        models / f"{name}.onnx",
        calibration=data / f"{kind}_calib.npz",
        preprocessing=preprocessing,
        **options,  # type: ignore[arg-type]
    )
    found = bundle.verify(models / f"{name}.onnx", data / f"{kind}_test.npz")
    last, code = found.last, bundle.graph.code
    assert last.accuracy
    assert last.agreement
    assert code
    layers = populations(bundle.graph) if code.results == 1 else 1
    text = ", ".join(f"{key}={value}" for key, value in options.items())
    print(
        f"| {name} | {text} | {100 * last.accuracy.value:.2f} | {100 * last.agreement.value:.2f} | "
        f"{last.snr:.1f} | {found.spikes:.0f} | {(found.synaptic_operations or 0) / 1e6:.2f} | "
        f"{layers * code.train} | {code.train} |",
        flush=True,
    )


def main() -> None:
    models, data = Path(sys.argv[1]), Path(sys.argv[2])
    wanted = sys.argv[3:] or ["codes"]
    print("| network | settings | accuracy | agreement | SNR dB | spikes | M operations | latency "
          "| interval |\n|" + "---|" * 9)  # fmt: skip
    for what, rows in (("codes", CODES), ("settings", SETTINGS)):
        if what in wanted:
            for name in NETWORKS:
                for row in rows:
                    measure(models, data, name, row)


if __name__ == "__main__":
    main()
