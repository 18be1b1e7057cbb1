"""SANA-FE 2.2.9 as referee of target loihi: every spike of every neuron, and the energy.

    python -m benchmarks.referees.sanafe_check BUNDLE DATA.npz [-n SAMPLES]

In an environment of its own (`pip install sanafe==2.2.9`, GPL-3, and snncc's dependencies), from
the root of the repository. The bundle's core map runs in snncc's simulator and, as architecture and
mapped network (`snncc_loihi.sanafe_export` says what stands for what), in SANA-FE.
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.referees.bundles import Flags, Loaded, input_numbers, load, trains
from benchmarks.referees.sanafe_run import Found, Machine
from snncc.data import samples_for
from snncc_backends import Execution
from snncc_ir import Integers
from snncc_loihi.chip import Chip, Costs
from snncc_loihi.core_map import CoreMap, Program
from snncc_loihi.energy import CHIP, estimate
from snncc_loihi.sanafe_export import SanaFe, export, host_currents
from snncc_loihi.simulation import COUNTERS
from snncc_loihi.synapses import axon_synapses
from snncc_loihi.words import unpack

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


def pools(core_map: CoreMap, chip: Chip, found: SanaFe, ours: list[Flags], theirs: Found) -> str:
    """Raises AssertionError where a spike that was played does not follow from the potentials that
    SANA-FE has in the lanes of that max pool."""
    count = 0
    for number, (core, part) in enumerate(zip(core_map.cores, found.neurons, strict=True)):
        fields = core.compartment_fields
        program = core.profile_fields["program"][fields["profile"]]
        begins = np.maximum.accumulate(
            np.where(program == Program.INTEGRATE, np.arange(len(program)), 0)
        )
        mantissa = core.threshold_mantissas[fields["threshold"]]
        shift = chip.numbers.threshold_shift
        for i in np.flatnonzero(part.played):
            window = slice(part.first_step[i], part.first_step[i] + core_map.steps)
            largest = theirs.potentials[number][window, begins[i] : i].max(axis=1)
            if program[i] == Program.FIRE_JOINED:
                sent = largest > mantissa[i] << shift
            else:
                sent = np.diff(largest // ((mantissa[i] + 1) << shift), prepend=0)
            assert np.array_equal(sent, ours[number][window, i]), f"pool {i} of core {number}"
            count += 1
    return f"what {count} max pools sent follows from SANA-FE's potentials"


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
            for i in np.flatnonzero(part.traced & (labels["population"] == number)):
                first = part.first_step[i]
                other[:, labels["neuron"][i]] = potentials[first : first + len(mine), i]
        largest = np.unravel_index(np.abs(mine).argmax(), mine.shape)
        unit = other[largest] / mine[largest]
        assert unit > 0, f"{name}: unit {unit}"
        assert np.array_equal(mine * unit, other), f"potentials of {name} differ"
        units.add(float(unit))
        count += mine.size
    return f"{count} potentials of readouts are equal (in units of {sorted(units)})"


def energy(
    core_map: CoreMap,
    chip: Chip,
    costs: Costs,
    counters: Mapping[str, int],
    numbers: Integers,
    theirs: Found,
) -> str:
    """Raises AssertionError where SANA-FE counts other events, or another energy.

    counters: of the simulator, all populations together. What the host's numbers cause stands in
    them, but is a bias in SANA-FE, so it is left out on both sides.
    """
    dense, sparse = host_operations(core_map, chip, numbers)
    mine = {
        **counters,
        "synapses_dense": counters["synapses_dense"] - dense,
        "synapses_sparse": counters["synapses_sparse"] - sparse,
        "host": 0,
    }
    counted = {
        "operations": mine["synapses_dense"] + mine["synapses_sparse"],
        "messages": mine["messages_in_tile"] + mine["messages_remote"],
        "hops": mine["hops_x"] + mine["hops_y"],
    }
    for name, number in counted.items():
        other = getattr(theirs, name)
        assert other == number, f"{name}: {other}, should be {number}"
    arrays = {name: np.array([number]) for name, number in mine.items()}
    found = estimate(chip, costs, {"all": arrays, CHIP: {"picoseconds": np.zeros(1, np.int64)}})
    joules = {
        "synapse": found.parts["synapses"],
        "soma": found.parts["updates"] + found.parts["spikes"],
        "network": found.parts["messages"] + found.parts["hops"],
        "dendrite": 0.0,
        "total": found.microjoules,
    }
    for kind, microjoules in joules.items():
        other = theirs.joules[kind] * 1e6
        assert abs(other - microjoules) <= CLOSE * microjoules, f"{kind}: {other}, {microjoules} µJ"
    events = ", ".join(f"{number} {name}" for name, number in counted.items())
    return f"{events}, {found.microjoules:.6f} µJ are equal"


def host_operations(core_map: CoreMap, chip: Chip, numbers: Integers) -> tuple[int, int]:
    """Synaptic operations of the host's graded spikes: dense, sparse. numbers: of the inputs."""
    counts = np.zeros(2, np.int64)
    axons = unpack("host_axon", core_map.host_axons)
    lists = {int(k): axon_synapses(core_map.cores[k], chip.numbers) for k in set(axons["core"])}
    for number, core, axon in zip(axons["input"], axons["core"], axons["axon"], strict=True):
        if numbers[number]:
            part = lists[int(core)].dense[slice(*lists[int(core)].rows[axon : axon + 2])]
            counts += np.bincount(part.astype(np.int64), minlength=2)
    return int(counts[1]), int(counts[0])


def check(folder: Path, data: Path, count: int) -> Iterator[str]:
    """What is equal, sample by sample; raises AssertionError at the first difference."""
    loaded = load(folder)
    bundle, core_map, chip = loaded.bundle, loaded.core_map, loaded.chip
    first = bundle.dataset(data).first(count)
    samples = samples_for(bundle.graph, first, bundle.preprocessing)
    execution = bundle.runner.run(samples, record=True)
    costs = chip.costs["sana-fe"]
    found = export(core_map, chip, costs)
    if found.one_unit:
        costs = replace(costs, synapse_dense=costs.synapse_sparse)
        yield "all synapses are priced as sparse: some neurons hear dense and sparse ones"
    machine = Machine(core_map, found)
    for i, numbers in enumerate(input_numbers(bundle.graph, samples)):
        ours = trains(loaded, [part.sender for part in found.neurons], execution, i)
        theirs = machine.run(host_currents(core_map, chip, numbers), ours)
        yield f"sample {i}: {compare(loaded, found, ours, theirs)}"
        yield f"sample {i}: {pools(core_map, chip, found, ours, theirs)}"
        yield f"sample {i}: {readouts(loaded, found, execution, i, theirs)}"
        counters = {
            name: sum(int(layer[name][i]) for layer in execution.activity.values() if name in layer)
            for name in COUNTERS
        }
        yield f"sample {i}: {energy(core_map, chip, costs, counters, numbers, theirs)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("-n", type=int, default=2)
    arguments = parser.parse_args()
    for line in check(arguments.bundle, arguments.data, arguments.n):
        print(line, flush=True)


if __name__ == "__main__":
    main()
