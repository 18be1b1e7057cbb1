"""All that a report shows, as objects: nothing is drawn, written or said here."""

from dataclasses import dataclass

from snncc.bundle import Bundle
from snncc.explain import Layers
from snncc.reporting.layers import LayerRow, layer_rows
from snncc.reporting.measured import Measured
from snncc.reporting.neurobench import NeuroBench, neurobench
from snncc.reporting.steps import Step, way
from snncc.reporting.trains import Histogram, LayerTrain, histogram, raster
from snncc_backends import Execution, Section, backend
from snncc_backends.registry import BUILT_IN
from snncc_ir import Graph, SnnccError, fail


@dataclass(frozen=True)
class Facts:
    """measured: runs, and what was compared. layers: in the order of the network. steps: the way
    from float to chip. trains, histogram: spikes. sections: what the target adds.
    """

    bundle: Bundle
    measured: Measured
    layers: tuple[LayerRow, ...]
    neurobench: NeuroBench
    steps: tuple[Step, ...]
    trains: tuple[LayerTrain, ...]
    histogram: Histogram
    sections: tuple[Section, ...]

    @property
    def quality(self) -> Layers | None:
        """What each layer loses, None where no model was given."""
        return self.measured.quality

    @property
    def graph(self) -> Graph:
        return self.bundle.graph

    @property
    def target(self) -> str:
        return self.bundle.files.text("target")


def facts_of(bundle: Bundle, measured: Measured) -> Facts:
    """Puts together what follows from the runs."""
    graph = bundle.graph
    rows = layer_rows(graph, measured.execution, measured.estimate)
    data = f"{measured.samples} samples of {measured.data}"
    return Facts(
        bundle,
        measured,
        rows,
        neurobench(graph, rows, measured.recorded, measured.first),
        way(bundle.waterfall, measured.verification, data),
        raster(graph, measured.recorded),
        histogram(graph, measured.recorded),
        _sections(bundle, measured.execution if measured.on_chip else None),
    )


def _sections(bundle: Bundle, execution: Execution | None) -> tuple[Section, ...]:
    """What the target adds; raises SNN040 for a plug-in that cannot."""
    name = bundle.files.text("target")
    chip = backend(name)
    try:
        return tuple(chip.sections(bundle.folder, bundle.graph, execution))
    except SnnccError:
        raise
    except Exception as error:  # a plug-in may raise anything
        if name in BUILT_IN:
            raise
        raise fail(
            "SNN040",
            f"target '{name}' cannot add to the report: {type(error).__name__}: {error}",
            hint="update or uninstall the package that provides it",
        ) from None
