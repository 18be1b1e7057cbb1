"""What a sample costs as networks grow: against time steps, image size, layers, neurons, threads.

    python -m benchmarks.growth [--json FILE] [--picture FILE.png] [--quick]

Networks of 3×3 convolutions with random weights. What is drawn is nanoseconds a neuron (and step),
which stay level where cost grows as the work does; once states leave the caches they rise.
"""

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.machine import machine, words
from benchmarks.random_networks import convolutions, inputs_of, write_simulator
from benchmarks.simulator import Simulator
from benchmarks.tables import table

LARGE = 1 << 22
"""Neurons from which one sample is enough to be timed."""


@dataclass(frozen=True)
class Point:
    """One network, timed. axis: what grows; seconds: a sample, the least of `rounds`."""

    axis: str
    value: int
    neuron: str
    neurons: int
    steps: int
    threads: int
    seconds: float

    @property
    def nanoseconds(self) -> float:
        """A neuron and step."""
        return 1e9 * self.seconds / self.neurons / self.steps

    def row(self) -> list[object]:
        return [
            self.axis, self.value, self.neuron, f"{self.neurons:.2e}", self.threads,
            f"{1000 * self.seconds:.3g}", f"{self.nanoseconds:.3g}",
        ]  # fmt: skip


def measure(
    axis: str, value: int, neuron: str, layers: int, channels: int, side: int,
    steps: int = 0, threads: int = 1, rounds: int = 3,
) -> Point:  # fmt: skip
    """steps: of a rate code, fewer than its 10; 0 for all."""
    graph = convolutions(neuron, layers, channels, side)
    neurons = layers * channels * side * side
    with tempfile.TemporaryDirectory(prefix="snncc-growth-") as name:
        bundle = write_simulator(graph, Path(name) / "bundle")
        simulator = Simulator(bundle, Path(name) / "c")
        count = 1 if neurons >= LARGE else 8 * threads
        simulator.write_input(inputs_of(graph, count))
        given = steps or None
        seconds = min(simulator.seconds(count, given, threads) for _ in range(rounds)) / count
    counted = 1 if neuron in ("radix", "ttfs") else steps or 10
    return Point(axis, value, neuron, neurons, counted, threads, seconds)


def points(quick: bool) -> list[Point]:
    found: list[Point] = []
    for neuron in ("if", "radix", "ttfs"):
        for side in (8, 16, 32, 64, 128) if not quick else (8, 32):
            found.append(measure("image size", side, neuron, 4, 16, side))
        for layers in (2, 4, 8, 16, 32) if not quick else (2, 8):
            found.append(measure("layers", layers, neuron, layers, 16, 32))
    for steps in (1, 2, 5, 10):
        found.append(measure("time steps", steps, "if", 4, 16, 32, steps))
    for threads in (1, 2):
        found.append(measure("threads", threads, "if", 4, 16, 64, 0, threads))
    sides = (18, 56, 177, 560, 1770) if not quick else (18, 56)
    for side in sides:  # 32 · side²: from 10⁴ to 10⁸ neurons
        found.append(measure("neurons", 32 * side * side, "radix", 2, 16, side))
    return found


def draw(found: list[Point], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    axes_of = list(dict.fromkeys(point.axis for point in found))
    figure, all_axes = pyplot.subplots(
        1, len(axes_of), figsize=(3.2 * len(axes_of), 3.2), layout="constrained", sharey=True
    )
    for axes, name in zip(all_axes, axes_of, strict=True):
        for number, neuron in enumerate(("if", "radix", "ttfs")):
            mine = [point for point in found if (point.axis, point.neuron) == (name, neuron)]
            if mine:
                axes.plot(
                    [point.value for point in mine], [point.nanoseconds for point in mine],
                    marker="o", label=neuron, color=f"C{number}",
                )  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log", base=2)
        values = sorted({point.value for point in found if point.axis == name})
        axes.set_xticks(values, [f"{v:.0e}" if v >= 10_000 else str(v) for v in values])
        axes.minorticks_off()
        axes.yaxis.set_major_formatter("{x:g}")
        axes.set_xlabel(name)
        axes.grid(True, linewidth=0.4, alpha=0.6)
    all_axes[0].legend()
    all_axes[0].set_ylabel("ns a neuron (rate: and step)")
    figure.savefig(path, dpi=110, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    here = machine()
    print(words(here), flush=True)
    found = points(given.quick)
    headings = (
        "grows",
        "to",
        "neuron",
        "neurons",
        "threads",
        "ms a sample",
        "ns a neuron (and step)",
    )
    print(table(headings, [point.row() for point in found]))
    if given.json:
        content = {"machine": here, "points": [asdict(point) for point in found]}
        given.json.write_text(json.dumps(content, indent=2) + "\n")
    if given.picture:
        draw(found, given.picture)


if __name__ == "__main__":
    main()
