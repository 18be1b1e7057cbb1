"""What each target says of a model: whether it fits, what it takes, and what keeps it off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from snncc.onnx import Trained
from snncc.options import make_settings
from snncc.passes.base import Context, Pass
from snncc.passes.encode_input import EncodeInput
from snncc.passes.manager import run_pipeline
from snncc.passes.normalize import Normalize
from snncc.passes.registry import parse_pipeline, print_pipeline
from snncc.trained import with_trained
from snncc_backends import Backend, Figure, Settings, backend, draft, targets
from snncc_backends.registry import BUILT_IN
from snncc_ir import NORMAL, Diagnostic, Graph, SnnccError

BOTH_SIGNS = "the input is taken to have numbers of both signs"


@dataclass(frozen=True)
class TargetLook:
    """fits: None where nothing is known. settings: those that were looked with, by name.

    findings: what keeps the network off the target, as far as shapes tell. figures: what it takes;
    none where there is no estimate. assumptions: sentences.
    """

    name: str
    fits: bool | None
    coding: str = ""
    settings: Mapping[str, object] | None = None
    findings: tuple[Diagnostic, ...] = ()
    figures: tuple[Figure, ...] = ()
    assumptions: tuple[str, ...] = ()


class Forms:
    """A lowered graph after any passes that need no samples, remembered pass by pass."""

    def __init__(self, graph: Graph) -> None:
        self._known = {"": graph}

    def after(self, passes: Sequence[Pass]) -> Graph:
        """Raises what the passes refuse."""
        if not passes:
            return self._known[""]
        text = print_pipeline(tuple(passes))
        if text not in self._known:
            before = self.after(passes[:-1])
            last = run_pipeline(before, passes[-1:], Context({}), measure=False)
            self._known[text] = last.graph
        return self._known[text]


def look(
    forms: Forms,
    target: str | None,
    options: Mapping[str, object],
    thorough: bool,
    trained: Trained,
) -> tuple[TargetLook, ...]:
    """One target, or all with the settings that they have by default, or were trained for.

    Raises SNN040 and SNN042 for a target or options that are not known.
    """
    if target is not None:
        chip = backend(target)
        chosen = with_trained(make_settings(chip, None, options), trained, options)
        return (_look(chip, forms, chosen, thorough),)
    found = []
    for name, load in targets().items():
        try:
            chip = load()
            settings = with_trained(make_settings(chip, None, {}), trained, ())
        except SnnccError as error:  # a broken plug-in is named, the others are looked at
            found.append(TargetLook(name, False, findings=error.diagnostics))
            continue
        try:
            found.append(_look(chip, forms, settings, thorough))
        except Exception as error:  # a plug-in may raise anything
            if name in BUILT_IN:
                raise
            message = f"target '{name}' cannot look at the network: {type(error).__name__}: {error}"
            hint = "update or uninstall the package that provides it"
            broken = Diagnostic("SNN040", message, hint=hint)
            found.append(TargetLook(name, False, findings=(broken,)))
    return tuple(found)


def _look(chip: Backend, forms: Forms, settings: Settings, thorough: bool) -> TargetLook:
    seen = TargetLook(chip.name, None, settings.coding, settings.as_json())
    try:
        passes, assumed = structural(parse_pipeline(chip.pipeline(settings)))
        if all(step.leaves != NORMAL for step in passes):
            return seen
        drafted = draft(forms.after(passes), settings)
        if drafted is None:
            return seen
        preview = chip.preview(drafted, settings, thorough)
    except SnnccError as error:
        return replace(seen, fits=False, findings=error.diagnostics)
    fits = not preview.findings
    return replace(seen, fits=fits, findings=preview.findings, figures=preview.figures,
                   assumptions=assumed)  # fmt: skip


def structural(pipeline: Sequence[Pass]) -> tuple[tuple[Pass, ...], tuple[str, ...]]:
    """The passes before the first that asks calibration samples, and what is assumed of these."""
    found: list[Pass] = []
    assumed: tuple[str, ...] = ()
    for step in pipeline:
        if isinstance(step, Normalize) or (step.leaves or step.needs).rank > NORMAL.rank:
            break
        if isinstance(step, EncodeInput) and step.sign == "auto":
            step, assumed = replace(step, sign="both"), (BOTH_SIGNS,)
        found.append(step)
    return tuple(found), assumed
