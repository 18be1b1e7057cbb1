"""The backend class of the `nir` target."""

from pathlib import Path

from snncc_backends import Backend, Preprocessing, Runner, Settings
from snncc_ir import Graph
from snncc_nir.library import FILE
from snncc_nir.rules import RULES
from snncc_nir.runner import NirRunner
from snncc_nir.settings import NEURONS, NirSettings
from snncc_nir.writer import nir_file


class NirBackend(Backend):
    """One file in NIR's own format, that other tools read."""

    name = "nir"
    summary = "Neuromorphic Intermediate Representation, for sinabs, snnTorch and other readers"
    codings = (NirSettings,)
    models = (*NEURONS, "readout")
    rules = RULES

    def emit(
        self, graph: Graph, preprocessing: Preprocessing, settings: Settings
    ) -> dict[str, bytes]:
        assert isinstance(settings, NirSettings)
        return {FILE: nir_file(graph, preprocessing, settings)}

    def load(self, folder: Path, graph: Graph) -> Runner:
        return NirRunner(folder, graph)
