"""The backend class of the `xbar` target."""

import json
from collections.abc import Mapping
from pathlib import Path

from snncc.backends import ABOUT, Backend, Figure, Preprocessing, Preview, Runner, Settings
from snncc.ir import Graph, fail
from snncc_xbar.config import CONFIG, Config, read_config
from snncc_xbar.emit import emit, plan
from snncc_xbar.rules import RULES
from snncc_xbar.settings import XbarSettings
from snncc_xbar.simulator import CrossbarRunner


class Crossbar(Backend):
    """In-memory crossbar arrays of one-bit cells, with digital neurons."""

    name = "xbar"
    summary = "in-memory crossbar arrays of one-bit cells, digital neurons (Lu and Sengupta 2020)"
    codings = (XbarSettings,)
    models = ("if", "signed-if", "graded", "signed-graded", "hard-if", "readout")
    rules = RULES
    interface = (1, 0)

    def emit(
        self, graph: Graph, preprocessing: Preprocessing, settings: Settings
    ) -> dict[str, bytes]:
        return emit(graph, _own(settings))

    def load(self, folder: Path, graph: Graph) -> Runner:
        return CrossbarRunner(folder, graph)

    def summary_of(self, files: Mapping[str, bytes]) -> dict[str, float]:
        return figures(read_config(json.loads(files[CONFIG]), CONFIG))

    def preview(self, graph: Graph, settings: Settings, thorough: bool = False) -> Preview:
        findings = tuple(self.check(graph, settings))
        if findings:
            return Preview(findings)
        known = figures(plan(graph, _own(settings)).config)
        return Preview(
            (),
            tuple(
                Figure(name, known[key], unit, ABOUT, "planes by the largest weight")
                for name, key, unit in (
                    ("arrays", "arrays", "arrays"),
                    ("cells in use", "utilization", "per cent"),
                    ("conversions of one read of all", "converted_columns", "columns"),
                )
            ),
        )


def figures(config: Config) -> dict[str, float]:
    """arrays; utilization: per cent of their cells that belong to a weight; converted_columns: of
    one read of all arrays."""
    tiles = [
        (tile, each.scheme.width(tile.outputs))
        for layer in config.layers
        for each in layer.maps
        if each.scheme is not None
        for tile in each.tiles
    ]
    size = config.arrays.rows * config.arrays.columns
    used = sum(tile.rows * width for tile, width in tiles)
    return {
        "arrays": len(tiles),
        "utilization": round(100 * used / (size * max(len(tiles), 1)), 2),
        "converted_columns": sum(width for _, width in tiles),
    }


def _own(settings: Settings) -> XbarSettings:
    if not isinstance(settings, XbarSettings):
        raise fail(
            "SNN042",
            f"the settings are {type(settings).__name__}, should be XbarSettings",
            hint="the options as keywords",
        )
    return settings
