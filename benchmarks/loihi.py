"""Cores, utilization, energy and latency of loihi bundles, by every set of costs of their chips.

    python benchmarks/loihi.py BUNDLE... [--data X.npz] [--samples 20]

Means over the samples. Energies and times are simulated: counted events times published costs. An
inference takes all time steps of the network, and those that the first spikes take to the last
population. Exactness and accuracy are what `snncc verify` prints.
"""

import argparse
import json
from pathlib import Path

from snncc.bundle import Bundle
from snncc.data import samples_for, synthetic_samples
from snncc_loihi.chip import parse_chip
from snncc_loihi.runner import MapRunner


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--data", type=Path, help="samples 'x'; without them, seeded noise")
    parser.add_argument("--samples", type=int, default=20)
    options = parser.parse_args()
    for path in options.bundles:
        bundle = Bundle.load(path)
        if options.data:
            given = bundle.dataset(options.data).first(options.samples)
            samples = samples_for(bundle.graph, given, bundle.preprocessing)
        else:
            samples = synthetic_samples(bundle.graph, options.samples)
        chip = parse_chip((path / "loihi" / "chip.json").read_bytes(), "chip.json")
        table = json.loads((path / "loihi" / "cores.json").read_text(encoding="utf-8"))
        used = [core["utilization"] for core in table["cores"]]
        totals = table["totals"]
        print(
            f"{path}: {chip.name}, {totals['neurons']} neurons, {totals['compartments']} "
            f"compartments on {totals['cores']} cores of {totals['chips']} chips; the scarcest "
            f"limit is used to {min(used):.0%} to {max(used):.0%}, mean {sum(used) / len(used):.0%}"
        )
        energies = {
            name: sum(value for key, value in found.items() if key.startswith("picojoules"))
            for name, found in table["placements"].items()
        }
        print(
            f"  placement: hops cost {energies['placed'] / 1e6:.3f} µJ; row-major "
            f"{energies['row-major'] / 1e6:.3f}, random {energies['random'] / 1e6:.3f}"
        )
        for costs in chip.costs:
            runner = MapRunner(path / "loihi" / "map.bin", bundle.graph, costs=costs)
            execution = runner.run(samples)
            estimate = runner.estimate(execution)
            if estimate is None:
                raise AssertionError("core maps have estimates")
            parts = ", ".join(f"{n} {v:.1f}" for n, v in estimate.parts.items() if v >= 0.05)
            spikes = sum(float(each.mean()) for each in execution.spike_counts.values())
            operations = sum(float(each.mean()) for each in execution.synaptic_operations.values())
            print(
                f"  {costs}: {estimate.microjoules:.1f} µJ ({parts}), "
                f"{estimate.milliseconds:.3f} ms; {spikes:.0f} spikes, {operations:.0f} operations"
            )


if __name__ == "__main__":
    main()
