"""The backend class of the `loihi` target."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from snncc_backends import (
    Backend,
    Execution,
    Preprocessing,
    Preview,
    Runner,
    Section,
    Settings,
)
from snncc_ir import Floats, Graph, Integers, SnnccError, fail
from snncc_loihi.binary import map_bytes
from snncc_loihi.bounds import overflows
from snncc_loihi.checker import LIMITS, hold
from snncc_loihi.chip import Chip
from snncc_loihi.description import describe
from snncc_loihi.emit import make_map
from snncc_loihi.exports import to_sanafe
from snncc_loihi.format import MapFormat
from snncc_loihi.layers import Network, make_network
from snncc_loihi.mapping import Assignment, assign
from snncc_loihi.mesh_picture import PicturedCore, mesh_picture
from snncc_loihi.placement import place, random_places, row_major
from snncc_loihi.preview import look_at
from snncc_loihi.routes import Loads, figures, link_loads
from snncc_loihi.rules import RULES
from snncc_loihi.runner import MapRunner
from snncc_loihi.sections import sections
from snncc_loihi.settings import LoihiSettings, settings_for
from snncc_loihi.traffic import Traffic, Weights

MAP = MapFormat.path
CHIP = "loihi/chip.json"
CORES = "loihi/cores.json"
PICTURE = "loihi/mesh.svg"


class LoihiBackend(Backend):
    """Loihi-style many-core chips, described by files: core maps, and the simulator of them."""

    name = "loihi"
    summary = "many-core chips such as Loihi (loihi2, loihi1, or a file): core maps and simulator"
    codings = (LoihiSettings,)
    models = ("if", "signed-if", "graded", "signed-graded", "hard-if", "readout")
    rules = RULES
    limits = LIMITS
    image = MapFormat()
    exports = MappingProxyType({"sanafe": to_sanafe})
    measured = 64

    def defaults(self, coding: type[Settings], options: Mapping[str, object]) -> Settings:
        return settings_for(options)

    def models_of(self, settings: Settings) -> tuple[str, ...]:
        return _own(settings).description.models

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
        chip = _own(settings).description
        network = make_network(graph, chip)
        found = list(overflows(network, chip))
        if found:
            raise SnnccError(found)
        assignment = assign(network, _by_layer(network, spikes), chip)
        made = files(assignment, chip, settings)
        hold(made[MAP], chip, graph)
        return made

    def summary_of(self, files: Mapping[str, bytes]) -> dict[str, float]:
        table = json.loads(files[CORES])
        return {
            **{name: table["totals"][name] for name in ("cores", "chips", "compartments")},
            "messages": round(table["totals"]["messages"], 1),
            "mean utilization": round(
                float(np.mean([core["utilization"] for core in table["cores"]])), 3
            ),
        }

    def sections(
        self, folder: Path, graph: Graph, execution: Execution | None
    ) -> Sequence[Section]:
        picture, cores = (folder / path for path in (PICTURE, CORES))
        return sections(json.loads(cores.read_bytes()), picture.read_text(encoding="utf-8"))

    def load(self, folder: Path, graph: Graph) -> Runner:
        return MapRunner(folder / MAP, graph)

    def preview(self, graph: Graph, settings: Settings, thorough: bool = False) -> Preview:
        findings = tuple(self.check(graph, settings))
        if findings or not isinstance(settings, LoihiSettings):
            return Preview(findings)
        return look_at(graph, settings.description, thorough)


def files(assignment: Assignment, chip: Chip, settings: Settings) -> dict[str, bytes]:
    """An assignment, placed: its map, description, picture, and chip."""
    settings = _own(settings)
    costs = chip.costs.get(settings.costs)
    if costs is None:
        raise fail(
            "SNN042",
            f"costs is '{settings.costs}', should be {' or '.join(chip.costs)} on {chip.name}",
            hint=f"--set costs={chip.default_costs}, the default",
        )
    weights, cores = Weights.of(costs), assignment.arrangement.cores
    traffic = Traffic.of(cores, *assignment.messages, np.arange(cores), assignment.host_messages)
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
        PICTURE: _picture(assignment, places, chip, link_loads(traffic, places, chip.mesh)),
    }


def _picture(assignment: Assignment, places: Integers, chip: Chip, loads: Loads) -> bytes:
    names = [layer.name for layer in assignment.network.layers]
    cores = []
    for core, loaded in enumerate(assignment.cores):
        held = assignment.held[core]
        neurons = ", ".join(f"{held[i]} of {names[i]}" for i in np.flatnonzero(held).tolist())
        share = loaded.use.share(chip)
        label = f"{neurons}; {share:.0%} of its scarcest limit"
        cores.append(PicturedCore(int(places[core]), share, label))
    title = f"{len(cores)} cores of {chip.name}"
    return mesh_picture(chip.mesh, cores, loads, title).encode()


def _by_layer(network: Network, spikes: Mapping[str, Floats]) -> dict[int, Floats]:
    """In steps of 2^-10, so that all sums are exact, in whatever order."""
    return {
        i: np.rint(1024 * spikes.get(layer.name, np.ones(layer.size))) / 1024
        for i, layer in enumerate(network.layers)
        if layer.model != "readout"
    }


def _own(settings: Settings) -> LoihiSettings:
    if not isinstance(settings, LoihiSettings):
        raise fail(
            "SNN042",
            f"the settings are {type(settings).__name__}, should be LoihiSettings",
            hint="snncc_loihi.LoihiSettings(…), or the options as keywords",
        )
    return settings
