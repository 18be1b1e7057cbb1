"""The backend class of the `loihi` target."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from snncc_backends import Backend, Preprocessing, Runner, Settings
from snncc_ir import Floats, Graph, SnnccError, fail
from snncc_loihi.binary import map_bytes
from snncc_loihi.bounds import overflows
from snncc_loihi.chip import Chip
from snncc_loihi.description import describe
from snncc_loihi.emit import make_map
from snncc_loihi.exports import to_sanafe
from snncc_loihi.format import MapFormat
from snncc_loihi.layers import Network, make_network
from snncc_loihi.mapping import Assignment, assign
from snncc_loihi.placement import place, random_places, row_major
from snncc_loihi.routes import figures
from snncc_loihi.rules import RULES
from snncc_loihi.runner import MapRunner
from snncc_loihi.settings import LoihiSettings, settings_for
from snncc_loihi.traffic import Traffic, Weights

MAP = MapFormat.path
CHIP = "loihi/chip.json"
CORES = "loihi/cores.json"


class LoihiBackend(Backend):
    """Loihi-style many-core chips, described by files: core maps, and the simulator of them."""

    name = "loihi"
    summary = "many-core chips such as Loihi (loihi2, loihi1, or a file): core maps and simulator"
    codings = (LoihiSettings,)
    models = ("if", "signed-if", "graded", "signed-graded", "hard-if", "readout")
    rules = RULES
    image = MapFormat()
    exports = MappingProxyType({"sanafe": to_sanafe})
    measured = 64

    def defaults(self, coding: type[Settings], options: Mapping[str, object]) -> Settings:
        return settings_for(options)

    def models_of(self, settings: Settings) -> tuple[str, ...]:
        return _chip(settings).models

    def emit(
        self, graph: Graph, preprocessing: Preprocessing, settings: Settings
    ) -> dict[str, bytes]:
        return self.emit_measured(graph, preprocessing, settings, {})

    def emit_measured(
        self,
        graph: Graph,
        preprocessing: Preprocessing,
        settings: Settings,
        spikes: Mapping[str, Floats],
    ) -> dict[str, bytes]:
        """Without measured spikes every neuron is taken to send one."""
        chip = _chip(settings)
        network = make_network(graph, chip)
        found = list(overflows(network, chip))
        if found:
            raise SnnccError(found)
        assignment = assign(network, _by_layer(network, spikes), chip)
        return files(assignment, chip, settings)

    def load(self, folder: Path, graph: Graph) -> Runner:
        return MapRunner(folder / MAP, graph)


def files(assignment: Assignment, chip: Chip, settings: Settings) -> dict[str, bytes]:
    """An assignment, placed: its map, description and chip."""
    if not isinstance(settings, LoihiSettings):
        raise fail("SNN042", "the settings are not those of target loihi")
    costs = chip.costs.get(settings.costs)
    if costs is None:
        raise fail(
            "SNN042",
            f"costs is '{settings.costs}', should be {' or '.join(chip.costs)} on {chip.name}",
        )
    weights = Weights.of(costs)
    traffic = Traffic.of(assignment.arrangement.cores, *assignment.messages)
    cores = assignment.arrangement.cores
    tried = {
        "placed": place(traffic, chip.mesh, weights, settings.seed),
        "row-major": row_major(cores, chip.mesh),
        "random": random_places(cores, chip.mesh, settings.seed),
    }
    found = {name: figures(traffic, each, chip.mesh, weights) for name, each in tried.items()}
    places = tried["placed"]
    return {
        MAP: map_bytes(make_map(assignment, places, chip)),
        CORES: describe(assignment, places, chip, costs.name, found),
        CHIP: chip.content,
    }


def _by_layer(network: Network, spikes: Mapping[str, Floats]) -> dict[int, Floats]:
    return {
        i: spikes.get(layer.name, np.ones(layer.size))
        for i, layer in enumerate(network.layers)
        if layer.model != "readout"
    }


def _chip(settings: Settings) -> Chip:
    if not isinstance(settings, LoihiSettings):
        raise fail("SNN042", "the settings are not those of target loihi")
    return settings.description
