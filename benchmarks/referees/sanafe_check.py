"""SANA-FE 2.2.9 as referee of target loihi: every spike of every neuron, and the energy.

    python -m benchmarks.referees.sanafe_check BUNDLE DATA.npz [-n SAMPLES]

In an environment of its own (`pip install sanafe==2.2.9`, GPL-3, and snncc's dependencies), from
the root of the repository. The bundle's core map runs in snncc's simulator and, as architecture and
mapped network (`snncc_loihi.sanafe_export` says what stands for what), in SANA-FE.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.referees.bundles import Flags, Loaded, events, input_numbers, load, trains
from benchmarks.referees.sanafe_run import Found, Machine
from snncc.data import samples_for
from snncc_backends import Execution
from snncc_loihi.chip import Costs
from snncc_loihi.sanafe_export import SanaFe, export, host_currents

CLOSE = 1e-9
"""Largest relative difference of two energies."""


def compare(loaded: Loaded, found: SanaFe, ours: list[Flags], theirs: Found) -> str:
    """Raises AssertionError at the first neuron that differs; says how many are equal."""
    neurons = played = spikes = 0
    for number, part in enumerate(found.neurons):
        computed = part.sender[(part.sender >= 0) & ~part.played]
        mine, other = ours[number][:, computed], theirs.spikes[number][:, computed]
        if not np.array_equal(mine, other):
            step, place = np.argwhere(mine != other)[0]
            labels = loaded.core_map.cores[number].label_fields
            name = loaded.populations[labels["population"][computed[place]]]
            neuron = labels["neuron"][computed[place]]
            raise AssertionError(f"{name}[{neuron}] differs in step {step} of the chip")
        neurons += len(computed)
        played += int(part.played.sum())
        spikes += int(mine.sum())
    return f"{spikes} spikes of {neurons} neurons are equal ({played} were played)"


def readouts(
    loaded: Loaded, found: SanaFe, execution: Execution, sample: int, theirs: Found
) -> str:
    """Raises AssertionError where a readout's potential, in some step, is not SANA-FE's divided by
    one unit for the whole population (a map scales potentials to what its chip can hold)."""
    count = 0
    units = set()
    for number, name in enumerate(loaded.populations):
        if name not in execution.totals or name in execution.spikes:
            continue
        mine = execution.totals[name][sample]
        mine = mine.reshape(len(mine), -1)
        other = np.zeros(mine.shape)
        for core, part, potentials in zip(
            loaded.core_map.cores, found.neurons, theirs.potentials, strict=True
        ):
            labels = core.label_fields
            for i in np.flatnonzero(part.readout & (labels["population"] == number)):
                first = part.first_step[i]
                other[:, labels["neuron"][i]] = potentials[first : first + len(mine), i]
        largest = np.unravel_index(np.abs(mine).argmax(), mine.shape)
        unit = other[largest] / mine[largest]
        assert unit > 0, f"{name}: unit {unit}"
        assert np.array_equal(mine * unit, other), f"potentials of {name} differ"
        units.add(float(unit))
        count += mine.size
    return f"{count} potentials of readouts are equal (in units of {sorted(units)})"


def energy(loaded: Loaded, costs: Costs, ours: list[Flags], theirs: Found) -> str:
    """Raises AssertionError where SANA-FE counts other events, or another energy."""
    count = events(loaded.core_map, loaded.chip, ours)
    assert theirs.operations == count.dense + count.sparse, (theirs.operations, count)
    assert theirs.messages == count.messages, (theirs.messages, count)
    assert theirs.hops == count.hops_x + count.hops_y, (theirs.hops, count)
    for kind, picojoules in count.picojoules(costs).items():
        other = theirs.joules[kind] * 1e12
        assert abs(other - picojoules) <= CLOSE * picojoules, f"{kind}: {other}, {picojoules} pJ"
    return (
        f"{count.dense + count.sparse} operations, {count.messages} messages, "
        f"{theirs.joules['total'] * 1e6:.4f} µJ are equal"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("-n", type=int, default=2)
    arguments = parser.parse_args()
    loaded = load(arguments.bundle)
    bundle, core_map, chip = loaded.bundle, loaded.core_map, loaded.chip
    data = bundle.dataset(arguments.data).first(arguments.n)
    samples = samples_for(bundle.graph, data, bundle.preprocessing)
    execution = bundle.runner.run(samples, record=True)
    costs = chip.costs["sana-fe"]
    found = export(core_map, chip, costs)
    if found.one_unit:
        costs = replace(costs, synapse_dense=costs.synapse_sparse)
        print("all synapses are priced as sparse: some neurons hear dense and sparse ones")
    machine = Machine(core_map, found)
    for i, numbers in enumerate(input_numbers(bundle.graph, samples)):
        ours = trains(loaded, found, execution, i)
        theirs = machine.run(host_currents(core_map, chip, numbers), ours)
        print(f"sample {i}: {compare(loaded, found, ours, theirs)}")
        print(f"sample {i}: {readouts(loaded, found, execution, i, theirs)}")
        print(f"sample {i}: {energy(loaded, costs, ours, theirs)}")


if __name__ == "__main__":
    main()
