"""The backend class of the `c` target."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from snncc_backends import (
    Backend,
    EarlyExit,
    Execution,
    Preprocessing,
    Preview,
    RadixSettings,
    RateSettings,
    Runner,
    Section,
    Settings,
    TtfsSettings,
)  # fmt: skip
from snncc_c.emit import FOLDER, emit_c, emit_exit
from snncc_c.preview import figures_of
from snncc_c.rules import RULES
from snncc_c.runner import CRunner
from snncc_c.sections import sections
from snncc_c.work import instructions
from snncc_ir import Floats, Graph


class CBackend(Backend):
    """C99 without dependencies: the network as a compiled simulator, in integers."""

    name = "c"
    summary = "C99 simulator without dependencies, integer arithmetic, event-driven"
    codings = (RateSettings, TtfsSettings, RadixSettings)
    models = ("if", "signed-if", "graded", "signed-graded", "hard-if", "ttfs", "radix", "readout")
    rules = RULES
    measured = 2
    event_streams = True
    prefers = "time"

    def emit(
        self, graph: Graph, preprocessing: Preprocessing, settings: Settings
    ) -> dict[str, bytes]:
        return emit_c(graph, preprocessing)

    def emit_measured(
        self,
        graph: Graph,
        preprocessing: Preprocessing,
        settings: Settings,
        spikes: Mapping[str, Floats],
    ) -> dict[str, bytes]:
        """Kernels are chosen by the spikes."""
        return emit_c(graph, preprocessing, spikes)

    def emit_exiting(
        self,
        graph: Graph,
        preprocessing: Preprocessing,
        settings: Settings,
        early_exit: EarlyExit,
    ) -> dict[str, bytes]:
        return emit_exit(early_exit)

    def work(self, graph: Graph, spikes: Mapping[str, Floats]) -> float:
        return instructions(graph, spikes)

    def sections(
        self, folder: Path, graph: Graph, execution: Execution | None
    ) -> Sequence[Section]:
        return sections(folder / FOLDER)

    def load(self, folder: Path, graph: Graph) -> Runner:
        return CRunner(folder, graph)

    def preview(self, graph: Graph, settings: Settings, thorough: bool = False) -> Preview:
        findings = tuple(self.check(graph, settings))
        return Preview(findings, () if findings else figures_of(graph))
