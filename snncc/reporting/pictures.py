"""Which pictures a report has: by name, with what they show, in words."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from snncc.reporting.facts import Facts
from snncc.reporting.plots import accuracy, layers, spikes
from snncc_ir import FirstSpike, Radix

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LABELS = {
    "waterfall": "Accuracy and agreement with the float network at each step from float to chip",
    "steps": "Accuracy and agreement after so many time steps, and with early exit",
    "raster": "Spikes of some neurons of each layer over time, in one sample",
    "values": "What values the neurons of each layer send, as shares of its neurons",
    "quality": "Signal to noise of each layer, and what its own error is made of",
    "work": "Spikes and synaptic operations of each layer",
    "energy": "Energy by cause and by layer",
    "memory": "Memory of each layer: weights, other parameters, potentials",
}


def pictures(facts: Facts) -> dict[str, Callable[[], "Figure"]]:
    """Those that have something to show, each drawn when it is called."""
    measured = facts.measured
    found, estimate, quality = measured.verification, measured.estimate, facts.quality
    draws: dict[str, Callable[[], Figure]] = {}
    if any(s.agreement is not None or s.snr is not None for s in facts.steps):
        draws["waterfall"] = lambda: accuracy.waterfall(facts.steps)
    if found is not None and len(found.at_steps) > 1:
        draws["steps"] = lambda: accuracy.over_steps(found, measured.exits)
    if facts.trains:
        follows = isinstance(facts.graph.code, FirstSpike | Radix)
        draws["raster"] = lambda: spikes.raster(facts.trains, follows)
        draws["values"] = lambda: spikes.values(facts.histogram)
    if quality is not None and quality.rows:
        draws["quality"] = lambda: layers.quality(quality.rows)
    draws["work"] = lambda: layers.work(facts.layers)
    if estimate is not None:
        draws["energy"] = lambda: layers.energy(estimate)
    draws["memory"] = lambda: layers.memory(facts.layers)
    return draws
