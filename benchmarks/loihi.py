"""Cores, utilization, energy and latency of loihi bundles, by every set of costs of their chips.

    python benchmarks/loihi.py BUNDLE... [--data X.npz] [--samples 20] [--exact]

Means over the samples. Energies and times are simulated: counted events times published costs. An
inference takes all time steps of the network, and those that the first spikes take to the last
population. Exactness and accuracy are what `snncc verify` prints.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from snncc.activity import simulator
from snncc.bundle import Bundle
from snncc.data import samples_for, synthetic_samples
from snncc_backends import OracleRunner
from snncc_ir import Batch
from snncc_loihi.chip import parse_chip
from snncc_loihi.runner import MapRunner


def exactness(bundle: Bundle, samples: Batch) -> str:
    """Every spike and every potential of the map's simulator, the oracle and the C simulator."""
    oracle = OracleRunner(bundle.graph).run(samples, record=True)
    with tempfile.TemporaryDirectory() as folder:
        in_c = simulator(bundle.graph, bundle.preprocessing, Path(folder))
        others = {"map": bundle.runner, "C": in_c}
        for name, runner in others.items():
            found = runner.run(samples, record=True)
            for what in ("spikes", "totals"):
                ours, theirs = getattr(oracle, what), getattr(found, what)
                if ours.keys() != theirs.keys():
                    return f"{name} has other {what} than the oracle"
                for node in ours:
                    if not np.array_equal(ours[node], theirs[node]):
                        return f"{name} differs from the oracle in {what} of '{node}'"
    count = sum(int(np.count_nonzero(train)) for train in oracle.spikes.values())
    return f"map, oracle and C agree in {count} spikes and all potentials"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundles", nargs="+", type=Path)
    parser.add_argument("--data", type=Path, help="samples 'x'; without them, seeded noise")
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--exact", action="store_true", help="compare map, oracle and C")
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
        if options.exact:
            print(f"  {exactness(bundle, samples)}")
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
