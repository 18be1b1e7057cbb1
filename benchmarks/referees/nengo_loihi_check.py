"""nengo-loihi 1.1.0 as referee of target loihi, chip loihi1.

    python -m benchmarks.referees.nengo_loihi_check [BUNDLE ...]

In an environment of its own (`pip install nengo-loihi==1.1.0 "numpy<1.24"`, and snncc's own
dependencies), from the root of the repository. First a recurrent near-threshold network runs for
2000 steps in nengo's emulator, and every spike and potential has to be that of snncc's simulator.
Then each bundle's map becomes nengo's blocks, core by core, and nengo's validators look at them.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np

from benchmarks.referees.bundles import load
from benchmarks.referees.near_threshold import equal, near_threshold
from benchmarks.referees.nengo_blocks import Emulator, blocks_of, validate
from benchmarks.referees.simulated import simulate
from snncc_loihi.chip import load_chip

STEPS = 2000


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("bundles", nargs="*", type=Path)
    arguments = parser.parse_args()
    for seed in range(5):
        print(f"near-threshold network {seed}: {emulate(seed)}")
    for folder in arguments.bundles:
        loaded = load(folder)
        limits = validate(blocks_of(loaded.core_map, loaded.chip))
        print(f"{folder}: {len(loaded.core_map.cores)} cores pass nengo-loihi's validators")
        for name, (used, most) in limits.used.items():
            print(f"  {name}: at most {used} of {most}")


if __name__ == "__main__":
    main()
