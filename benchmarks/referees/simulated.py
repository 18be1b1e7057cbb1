"""snncc's own simulator, with every spike and potential of a map, without a bundle around it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.chip import Chip
from snncc_loihi.core_map import CoreMap
from snncc_loihi.simulation import COUNTERS, Simulator, Wanted
from snncc_loihi.words import unpack

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Simulated:
    """spikes, potentials: for each core (steps of the chip, compartments). counters: by name, all
    cores together."""

    spikes: list[Flags]
    potentials: list[Integers]
    counters: dict[str, int]


def simulate(core_map: CoreMap, chip: Chip, inputs: Integers) -> Simulated:
    """One sample of a map whose spikes are 0 or 1. inputs: (I)."""
    sizes = [len(core.compartments) for core in core_map.cores]
    count, steps = sum(sizes), core_map.last_step
    simulator = Simulator(core_map, chip, chip.costs["sana-fe"], len(inputs), "map", 1)
    wanted = Wanted(
        np.arange(count), np.zeros(count, np.int64), steps, count * core_map.steps,
        np.arange(count), np.full(count, count),
    )  # fmt: skip
    found = simulator.run(inputs[None], steps, core_map.steps, wanted)
    first = np.concatenate([first_steps(core_map, k) for k in range(len(sizes))])
    trains = np.zeros((steps, count), np.bool_)
    at = first + np.arange(core_map.steps)[:, None]
    trains[at, np.arange(count)] = found.spikes[0].reshape(core_map.steps, count)
    cuts = np.cumsum(sizes)[:-1]
    return Simulated(
        np.split(trains, cuts, axis=1),
        np.split(found.potentials[0], cuts, axis=1),
        dict(zip(COUNTERS, found.counts[0].sum(0).tolist(), strict=True)),
    )


def first_steps(core_map: CoreMap, core: int) -> Integers:
    """Of each compartment."""
    found = core_map.cores[core]
    first: Integers = found.profile_fields["first_step"][found.compartment_fields["profile"]]
    return first


def inputs_needed(core_map: CoreMap) -> int:
    """The least number of inputs that the host's words speak of."""
    numbers = [
        unpack(kind, words)["input"]
        for kind, words in (("host_axon", core_map.host_axons), ("host_bias", core_map.host_biases))
    ]
    return 1 + int(np.concatenate(numbers).max(initial=-1))
