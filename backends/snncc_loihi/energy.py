"""Energy and time of a run: what the simulator counted, times a set of costs of the chip."""

from collections.abc import Mapping

import numpy as np

from snncc_backends import Estimate
from snncc_ir import Integers
from snncc_loihi.chip import Chip, Cost, Costs

CHIP = "(chip)"
"""The layer of what is counted once for the whole chip."""
ENERGIES: Mapping[str, Mapping[str, str]] = {
    "synapses": {"synapses_dense": "synapse_dense", "synapses_sparse": "synapse_sparse"},
    "updates": {"updates_idle": "update_idle", "updates_active": "update_active"},
    "spikes": {"spikes": "spike"},
    "messages": {
        "messages_in_tile": "message",
        "messages_remote": "message",
        "received": "receive",
        "host": "receive",
    },
    "hops": {"hops_x": "hop_x", "hops_y": "hop_y"},
    "links": {"chip_links": "chip_link"},
    "barriers": {"barriers": "barrier"},
}
"""By part of an estimate: which counter costs what."""


def estimate(chip: Chip, costs: Costs, activity: Mapping[str, Mapping[str, Integers]]) -> Estimate:
    """Means over the samples of a run. activity: counters by layer, (N) each."""
    mean = {
        layer: {counter: float(np.mean(number)) for counter, number in counters.items()}
        for layer, counters in activity.items()
    }
    layers = {layer: _energies(costs, counters) for layer, counters in mean.items()}
    parts = {name: sum(energies[name] for energies in layers.values()) for name in ENERGIES}
    return Estimate(
        sum(parts.values()),
        1e-9 * mean[CHIP]["picoseconds"],
        parts,
        {layer: sum(energies.values()) for layer, energies in layers.items() if layer != CHIP},
        0.0,
        f"chip '{chip.name}', costs '{costs.name}', simulated, not measured",
    )


def _energies(costs: Costs, counters: Mapping[str, float]) -> dict[str, float]:
    """Microjoules of a layer by part."""
    return {
        part: 1e-6 * sum(
            counters.get(counter, 0.0) * _cost(costs, name).picojoule
            for counter, name in counted.items()
        )
        for part, counted in ENERGIES.items()
    }  # fmt: skip


def _cost(costs: Costs, name: str) -> Cost:
    found = getattr(costs, name)
    if not isinstance(found, Cost):
        raise AssertionError("only events have costs")
    return found
