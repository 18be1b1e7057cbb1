"""How far each layer of a simulator is from what the machine can do.

    python -m benchmarks.roofline BUNDLE DATA.npz [--images 47] [--json FILE] [--picture FILE.png]

Of each layer: seconds a sample (the simulator's `--profile`), multiply-adds (source × weight pairs,
in every step of a rate code), bytes that pass at least once a step (weights, sources, potentials,
spikes), and the share of the time that these would take at the machine's peaks: multiply-adds of
16 bits from registers, and reads from the smallest cache that holds the layer. Above 100 % would
be a mistake of the model. Layers that add spikes in place of multiplying are marked.
"""

import argparse
import json
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import snncc
from benchmarks.machine import caches, machine, words
from benchmarks.simulator import NATIVE, Simulator, samples_of
from benchmarks.tables import table
from snncc.data import read_dataset
from snncc_c.kernels import BY_WEIGHTS, kernel_of, multiplications
from snncc_ir import Graph, Node, Radix
from snncc_ir.ops import Conv, Dense, Input, Output, Population, Scale

MEMORY = 1 << 28
"""Bytes that no cache holds."""


@dataclass(frozen=True)
class Peaks:
    """Of one thread. multiply_adds: a second; bytes_read: a second, by size of what is read."""

    multiply_adds: float
    bytes_read: dict[int, float]

    def limit(self, multiply_adds: float, moved: float) -> float:
        """Seconds that no kernel can be under."""
        fitting = [rate for size, rate in sorted(self.bytes_read.items()) if moved <= size]
        rate = fitting[0] if fitting else self.bytes_read[max(self.bytes_read)]
        return max(multiply_adds / self.multiply_adds, moved / rate)


def peaks() -> Peaks:
    """Measured now, by a C program."""
    sizes = [size * 3 // 4 for size in caches().values()] or [1 << 14, 1 << 18, 1 << 22]
    sizes.append(MEMORY)
    with tempfile.TemporaryDirectory(prefix="snncc-peaks-") as folder:
        program = Path(folder) / "peaks"
        source = Path(__file__).with_name("peaks.c")
        subprocess.run(["cc", *NATIVE.split(), "-o", str(program), str(source)], check=True)
        line = [str(program), *map(str, sizes)]
        done = subprocess.run(line, capture_output=True, text=True, check=True)
    first, *rates = map(float, done.stdout.split())
    return Peaks(first, dict(zip(sizes, rates, strict=True)))


@dataclass(frozen=True)
class LayerCost:
    """A sample's. seconds: measured; limit: seconds at the machine's peaks."""

    name: str
    kernel: str
    seconds: float
    multiply_adds: float
    moved: float
    limit: float

    def row(self) -> list[object]:
        return [
            self.name, self.kernel, f"{1e6 * self.seconds:.1f}", f"{self.multiply_adds / 1e6:.2f}",
            f"{self.moved / 1e3:.0f}", f"{1e-9 * self.multiply_adds / self.seconds:.0f}",
            f"{100 * self.limit / self.seconds:.0f}",
        ]  # fmt: skip


def cost(graph: Graph, node: Node, seconds: float, passes: int, peak: Peaks) -> LayerCost | None:
    """passes: time steps of a rate code."""
    if not isinstance(node.op, Population):
        return None
    multiply_adds = moved = 0.0
    kernels = set()
    for source, chain in zip(graph.operands(node), node.op.maps, strict=True):
        times = 1 if isinstance(source.op, Input) else passes
        last = chain[-1]
        if not isinstance(last, Conv | Dense | Scale):
            raise AssertionError("the checker holds that a map ends in conv, dense or scale")
        multiply_adds += times * multiplications(chain, source.type)[2]
        moved += times * (last.weight.array.nbytes + source.type.size)
        if not isinstance(last, Scale):
            kernels.add("weights" if kernel_of(chain, source, None) == BY_WEIGHTS else "spikes")
    moved += passes * node.type.size * 5  # potentials, and what is sent
    limit = passes * peak.limit(multiply_adds / passes, moved / passes)
    return LayerCost(node.name, "+".join(sorted(kernels)), seconds, multiply_adds, moved, limit)


def layers(bundle: snncc.Bundle, data: snncc.Dataset, peak: Peaks) -> list[LayerCost]:
    code = bundle.graph.code
    passes = code.results if code else 1
    samples = samples_of(bundle, data)
    with tempfile.TemporaryDirectory(prefix="snncc-roofline-") as folder:
        simulator = Simulator(bundle.folder, Path(folder) / "c", NATIVE)
        simulator.write_input(samples)
        profile = Path(folder) / "profile.npy"
        line = [*simulator.command(0, len(samples)), "--profile", str(profile)]
        subprocess.run(line, check=True)
        seconds = np.load(profile) / len(samples)
    nodes = [node for node in bundle.graph if not isinstance(node.op, Output)]
    found = (
        cost(bundle.graph, node, float(each), passes, peak)
        for node, each in zip(nodes, seconds, strict=True)
    )
    return [each for each in found if each is not None]


def draw(found: list[LayerCost], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 0.3 * len(found) + 1), layout="constrained")
    names = [each.name for each in found]
    axes.barh(names, [1e6 * each.seconds for each in found], color="tab:gray", label="measured")
    axes.barh(names, [1e6 * each.limit for each in found], color="tab:red", label="limit")
    axes.invert_yaxis()
    axes.set_xlabel("µs a sample")
    axes.legend()
    figure.savefig(path, dpi=110, metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=47)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    bundle = snncc.Bundle.load(given.bundle)
    if isinstance(bundle.graph.code, Radix):
        print("numbers are multiplied at once, so that digits are no steps")
    here, peak = machine(), peaks()
    print(words(here))
    reads = (f"{rate / 1e9:.0f} of {size >> 10} KiB" for size, rate in peak.bytes_read.items())
    print(f"peak: {peak.multiply_adds / 1e9:.0f} G multiply-adds a second")
    print(f"reads, GB/s: {', '.join(reads)}")
    data = read_dataset(given.data)
    if not isinstance(data, snncc.Dataset):
        parser.error(f"{given.data} has events, should have images")
    found = layers(bundle, data.first(given.images), peak)
    headings = ("layer", "by", "µs", "M multiply-adds", "kB", "G multiply-adds/s", "% of limit")
    print(table(headings, [each.row() for each in found]))
    if given.json:
        content = {
            "machine": here, "peaks": asdict(peak), "layers": [asdict(each) for each in found]
        }  # fmt: skip
        given.json.write_text(json.dumps(content, indent=2) + "\n")
    if given.picture:
        draw(found, given.picture)


if __name__ == "__main__":
    main()
