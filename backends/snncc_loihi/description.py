"""`cores.json`: a core map for people and tools; `cores.schema.json` is its schema."""

import numpy as np

from snncc_backends import to_json
from snncc_ir import Integers
from snncc_loihi.chip import Chip
from snncc_loihi.mapping import Assignment
from snncc_loihi.routes import Figures
from snncc_loihi.tables import unit


def describe(
    assignment: Assignment,
    places: Integers,
    chip: Chip,
    costs: str,
    figures: dict[str, Figures],
) -> bytes:
    """costs: the set that estimates use. figures: of the placement taken, and of those that it is
    compared with, by name."""
    network, held = assignment.network, assignment.held
    messages = assignment.messages
    cores = []
    for core in np.argsort(places).tolist():
        loaded = assignment.cores[core]
        number, tile, x, y = chip.mesh.address(int(places[core]))
        cores.append(
            {
                "place": int(places[core]),
                "chip": number,
                "tile": tile,
                "x": x,
                "y": y,
                "neurons": {
                    network.layers[i].name: int(held[core, i])
                    for i in np.flatnonzero(held[core]).tolist()
                },
                "use": vars(loaded.use),
                "utilization": round(loaded.use.share(chip), 6),
            }
        )
    used = [core.use for core in assignment.cores]
    return to_json(
        {
            "chip": chip.name,
            "unit": unit(chip),
            "costs": costs,
            "steps": network.steps,
            "populations": [
                {
                    "name": layer.name,
                    "model": layer.model,
                    "shape": list(layer.shape),
                    "first_step": layer.first_step,
                    "delay": layer.delay,
                }
                for layer in network.layers
            ],
            "segments": [
                {
                    "populations": [
                        layer.name for layer in network.layers[segment.first : segment.last]
                    ],
                    "tiles": list(segment.grid),
                }
                for segment in assignment.segments
            ],
            "totals": {
                "cores": len(cores),
                "chips": 1 + max(int(place) // chip.mesh.cores for place in places),
                "neurons": network.neurons,
                "compartments": sum(use.compartments for use in used),
                "synapse_words": sum(use.synapse_words for use in used),
                "messages": float(messages[2].sum()),
            },
            "placements": {name: vars(found) for name, found in figures.items()},
            "limits": vars(chip.limits),
            "cores": cores,
        }
    )
