"""nengo-loihi 1.1.0 as referee of target loihi, chip loihi1.

    python -m benchmarks.referees.nengo_loihi_check [BUNDLE ...] [--data DATA.npz]

In an environment of its own (`pip install nengo-loihi==1.1.0 "numpy<1.24"`, and snncc's own
dependencies), from the root of the repository. First a recurrent near-threshold network runs for
2000 steps in nengo's emulator, and every spike and potential has to be that of snncc's simulator.
Then each bundle's map becomes nengo's blocks, core by core, and nengo's validators look at them.
Where a bundle has only neurons that the emulator knows (`--neuron hard-if`, no max pools, no
delays), its first sample of the data runs there as well.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from nengo_loihi.block import LoihiBlock

from benchmarks.referees.bundles import Loaded, input_numbers, load, trains
from benchmarks.referees.near_threshold import equal, near_threshold
from benchmarks.referees.nengo_blocks import Emulator, blocks_of, can_emulate, validate
from benchmarks.referees.simulated import simulate
from snncc.data import samples_for
from snncc_loihi.chip import load_chip
from snncc_loihi.core_map import Program
from snncc_loihi.sanafe_export import host_currents
from snncc_loihi.synapses import read_lists

STEPS, NETWORKS = 2000, 5


def emulate(seed: int) -> str:
    """Raises AssertionError where nengo's emulator and snncc's simulator differ."""
    chip = load_chip("loihi1")
    core_map = near_threshold(chip, STEPS, seed)
    quiet = [np.zeros(len(core.compartments), np.int64) for core in core_map.cores]
    ours = simulate(core_map, chip, np.zeros(0, np.int64))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        theirs = Emulator(core_map, chip).run(quiet)
    np.testing.assert_array_equal(theirs[0], np.concatenate(ours.spikes, axis=1))
    np.testing.assert_array_equal(theirs[1], np.concatenate(ours.potentials, axis=1))
    return equal(core_map, *theirs)


def same_memory(loaded: Loaded, blocks: list[LoihiBlock]) -> str:
    """Raises AssertionError where nengo counts other synapse bits than 64 · the map's words, on a
    core whose lists do not overlap."""
    compared = 0
    for core, block in zip(loaded.core_map.cores, blocks, strict=True):
        words = len(core.synapses)
        if read_lists(core).sizes.sum() == words:
            bits, _ = block.utilization()["synapses"]
            assert bits == 64 * words, f"core {core.place}: {bits} bits, {words} words"
            compared += 1
    return f"on {compared} cores nengo-loihi counts as many synapse bits as the map has"


def emulate_sample(loaded: Loaded, data: Path) -> str:
    """Raises AssertionError where nengo's emulator finds other spikes of the first sample."""
    bundle, core_map = loaded.bundle, loaded.core_map
    samples = samples_for(bundle.graph, bundle.dataset(data).first(1), bundle.preprocessing)
    execution = bundle.runner.run(samples, record=True)
    (numbers,) = input_numbers(bundle.graph, samples)
    firing = [
        np.flatnonzero(
            core.profile_fields["program"][core.compartment_fields["profile"]] == Program.FIRE_ZERO
        )
        for core in core_map.cores
    ]
    ours = np.concatenate(trains(loaded, firing, execution, 0), axis=1)
    spikes, _ = Emulator(core_map, loaded.chip).run(host_currents(core_map, loaded.chip, numbers))
    np.testing.assert_array_equal(spikes, ours)
    return f"{int(ours.sum())} spikes of {sum(map(len, firing))} neurons are equal in the emulator"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("bundles", nargs="*", type=Path)
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    for seed in range(NETWORKS):
        print(f"near-threshold network {seed}: {emulate(seed)}")
    for folder in arguments.bundles:
        loaded = load(folder)
        blocks = blocks_of(loaded.core_map, loaded.chip)
        limits = validate(blocks)
        print(f"{folder}: {len(loaded.core_map.cores)} cores pass nengo-loihi's validators")
        for name, (used, most) in limits.used.items():
            print(f"  {name}: at most {used} of {most}")
        print(f"  {same_memory(loaded, blocks)}")
        if arguments.data and can_emulate(loaded.core_map):
            print(f"  {emulate_sample(loaded, arguments.data)}")


if __name__ == "__main__":
    main()
