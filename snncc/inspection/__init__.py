"""What a model becomes, before anyone waits: its nodes, its populations, the targets it fits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from snncc.inspection.nodes import NodeRow, node_rows
from snncc.inspection.populations import Layer, layers
from snncc.inspection.targets import Forms, TargetLook, look
from snncc.onnx.survey import survey
from snncc.passes.registry import parse_pipeline
from snncc_backends.settings import TO_NORMAL, WEIGHT_FORMATS
from snncc_ir import Diagnostic, SnnccError

NORMAL_FORM = f"{TO_NORMAL},{WEIGHT_FORMATS}"


@dataclass(frozen=True)
class Inspection:
    """nodes: of the file, simplified. constants: its nodes that were computed at import, or that no
    result needs. layers: of the normal form, and targets: each one's look; both empty where
    problems keep the model from it. notes: what the front end has to say.
    """

    nodes: tuple[NodeRow, ...]
    constants: int
    layers: tuple[Layer, ...]
    targets: tuple[TargetLook, ...]
    notes: tuple[str, ...]
    problems: tuple[Diagnostic, ...]

    @property
    def compiles(self) -> bool:
        """Whether nothing that was found keeps the model off the target, or off all of them."""
        return any(each.fits is not False for each in self.targets)


def inspect(
    model: Path,
    target: str | None = None,
    options: Mapping[str, object] | None = None,
    thorough: bool = False,
    approximate: bool = False,
) -> Inspection:
    """What a model becomes, with all that keeps it from being compiled.

    target: the one to look at, with settings by their names; without it, all targets with their
    defaults. thorough: estimates that may take minutes. approximate: as of `import_model`. Raises
    SNN001 and SNN002 for a file that is no model, SNN040 and SNN042 for a target or options that
    are not known.
    """
    found = survey(model, approximate)
    problems, normal = found.problems, None
    forms = None if found.graph is None else Forms(found.graph)
    if forms is not None:
        try:
            normal = forms.after(parse_pipeline(NORMAL_FORM))
        except SnnccError as error:
            problems = error.diagnostics
    rows = node_rows(found.nodes, found.graph, normal, problems)
    seen = Inspection(rows, found.constants, (), (), found.notes, problems)
    if normal is None or forms is None:
        return seen
    looks = look(forms, target, options or {}, thorough, found.trained)
    return replace(seen, layers=layers(normal), targets=looks)


__all__ = ["Inspection", "Layer", "NodeRow", "TargetLook", "inspect"]
