"""The backend class of the `c` target."""

from pathlib import Path

from snncc_backends import Backend, Preprocessing, Runner, Settings
from snncc_c.emit import emit_c
from snncc_c.rules import RULES
from snncc_c.runner import CRunner
from snncc_ir import Graph


class CBackend(Backend):
    """C99 without dependencies: the network as a compiled simulator, in integers."""

    name = "c"
    summary = "C99 simulator without dependencies, integer arithmetic, event-driven"
    codes = ("rate",)
    models = ("if", "signed-if", "readout")
    rules = RULES

    def pipeline(self, settings: Settings) -> str:
        s = settings
        return (
            "hoist-neurons,fold-batchnorm,sink-views,fuse,"
            f"normalize{{method={s.method},percentile={s.percentile},per={s.per}}},"
            f"quantize-input{{bits={s.input_bits}}},"
            f"rate-code{{neuron={s.neuron},steps={s.steps},start={s.start}}},"
            f"quantize-weights{{bits={s.weight_bits}}}"
        )

    def emit(self, graph: Graph, preprocessing: Preprocessing) -> dict[str, bytes]:
        return emit_c(graph, preprocessing)

    def load(self, folder: Path, graph: Graph) -> Runner:
        return CRunner(folder, graph)
