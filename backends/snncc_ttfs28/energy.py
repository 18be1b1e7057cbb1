"""Energy and time of a run: what the emulator counted, times the machine's table."""

from collections.abc import Mapping

import numpy as np

from snncc_backends import Estimate
from snncc_ir import Integers
from snncc_ttfs28.machine import ENERGIES, Machine


def estimate(machine: Machine, activity: Mapping[str, Mapping[str, Integers]]) -> Estimate:
    """Means over the samples of a run. activity: counters by layer, (N) each."""
    mean = {
        layer: {counter: float(np.mean(number)) for counter, number in counters.items()}
        for layer, counters in activity.items()
    }
    layers = {layer: _energies(machine, counters) for layer, counters in mean.items()}
    parts = {name: sum(energies[name] for energies in layers.values()) for name in ENERGIES}
    seconds = {layer: counters["cycles"] / machine.clock_hz for layer, counters in mean.items()}
    if machine.static_watt:
        parts["static"] = 1e6 * machine.static_watt * sum(seconds.values())
    return Estimate(
        sum(parts.values()),
        1e3 * sum(seconds.values()),
        parts,
        {layer: sum(energies.values()) for layer, energies in layers.items()},
        sum(counters["saturations"] for counters in mean.values()),
        f"machine '{machine.name}', tiles one after the other without overlap",
    )


def _energies(machine: Machine, counters: Mapping[str, float]) -> dict[str, float]:
    """Microjoules of a layer by entry of the energy table."""
    return {
        name: 1e-6 * machine.energy[name].picojoule * sum(counters[each] for each in counted)
        for name, counted in ENERGIES.items()
    }
