"""A recurrent network of reset-to-zero neurons that come upon their thresholds exactly, again and
again: whoever compares with >=, or is off by one anywhere, sends other spikes within a few steps.
"""

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.chip import Chip
from snncc_loihi.core_map import CoreMap, Program
from tests.unit.loihi_hand_maps import Compartment, Part, make_map

NEURONS, CORES, FAN = 40, 3, 12


def near_threshold(chip: Chip, steps: int, seed: int) -> CoreMap:
    """120 neurons on three cores with weight exponents 0, 1 and −1; sparse axons.

    Potentials are multiples of 64, thresholds small, in two thirds of the neurons; biases of the
    others are odd.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for core in range(CORES):
        compartments = [
            Compartment(
                Program.FIRE_ZERO,
                threshold=int(rng.integers(2, 40)),
                bias=int(rng.integers(1, 4)) if i % 3 else int(rng.integers(30, 700)) * 2 + 1,
                bias_exponent=6 if i % 3 else 0,
            )
            for i in range(NEURONS)
        ]
        grain = 2 if core == 2 else 1  # so that half of a mixed weight is even
        axons = [
            [(int(target), int(rng.integers(-4, 5)) * grain or grain, 0)
             for target in rng.choice(NEURONS, FAN, replace=False)]
            for _ in range(CORES * NEURONS)
        ]  # fmt: skip
        sends = [(i, to, core * NEURONS + i) for i in range(NEURONS) for to in range(CORES)]
        parts.append(Part(core, compartments, axons, sends, exponent=(0, 1, -1)[core]))
    return make_map(chip, steps, parts)


def equal(core_map: CoreMap, spikes: NDArray[np.bool_], potentials: Integers) -> str:
    """What a referee says who found the same, (steps, compartments of all cores)."""
    thresholds = [
        core.threshold_mantissas[core.compartment_fields["threshold"]] for core in core_map.cores
    ]
    met = int(np.sum(potentials == np.concatenate(thresholds) << 6))
    return (
        f"{int(spikes.sum())} spikes and {potentials.size} potentials are equal; {met} potentials "
        "were the threshold exactly"
    )
