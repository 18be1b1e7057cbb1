"""What a backend is tried on: its codings and neuron models, settings, and what it takes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace

from snncc.options import make_settings
from snncc.testing.builder import CONSTANT_BITS, LEVELS, NEURONS
from snncc.testing.forms import forms
from snncc.testing.networks import FAMILY
from snncc_backends import Backend, Preprocessing, RateSettings, Settings, TtfsSettings
from snncc_ir import Diagnostic, FirstSpike, Graph, Radix, Rate, SnnccError
from snncc_ir.ops import GradedIntegrateFire, Population

MODELS = {"rate": tuple(NEURONS), "ttfs": ("ttfs",), "radix": ("radix",)}
"""Neuron models that the family has, by coding."""

Options = Mapping[str, object]


@dataclass(frozen=True)
class Case:
    """A network of the family with neurons of one model, in one coding."""

    coding: str
    neuron: str
    name: str

    def __str__(self) -> str:
        return f"{self.neuron}-{self.name}"


@dataclass(frozen=True)
class Taken:
    """What a backend makes of a network: files, by path, or findings where it takes it not.

    graph, settings: those of the last form that was tried.
    """

    graph: Graph
    settings: Settings
    files: Mapping[str, bytes]
    findings: tuple[Diagnostic, ...] = ()


def codings_of(chip: Backend, wanted: tuple[str, ...]) -> list[str]:
    """The chip's codings that the family has, or those of them that are wanted."""
    own = [coding.coding for coding in chip.codings if coding.coding in MODELS]
    return [coding for coding in own if not wanted or coding in wanted]


def settings_for(chip: Backend, coding: str, neuron: str, options: Options) -> Settings:
    """The chip's defaults with a neuron model and with options; raises SNN042."""
    known = {each.coding: {field.name for field in fields(each)} for each in chip.codings}
    # an option of another coding is left out; one of none is refused below
    others = set[str]().union(*known.values()) - known[coding]
    given = {key: value for key, value in options.items() if key not in others}
    asked: dict[str, object] = {**given, "coding": coding}
    if coding == "rate":
        asked["neuron"] = neuron
    return make_settings(chip, None, asked)


def models_of(chip: Backend, coding: str, options: Options) -> list[str]:
    """Neuron models of a coding that the chip says it takes."""
    taken = chip.models_of(settings_for(chip, coding, MODELS[coding][0], options))
    wanted = options.get("neuron", "auto")
    return [name for name in MODELS[coding] if name in taken and wanted in (name, "auto")]


def first_models(chip: Backend, options: Options, wanted: tuple[str, ...] = ()) -> dict[str, str]:
    """For each coding the first neuron model that the chip takes."""
    found = {coding: models_of(chip, coding, options) for coding in codings_of(chip, wanted)}
    return {coding: models[0] for coding, models in found.items() if models}


def cases_of(chip: Backend, options: Options, wanted: tuple[str, ...]) -> Iterator[Case]:
    """The family in every coding and neuron model."""
    for coding in codings_of(chip, wanted):
        for neuron in models_of(chip, coding, options):
            for name in FAMILY:
                yield Case(coding, neuron, name)


def fitted(settings: Settings, graph: Graph, options: Options) -> Settings:
    """Settings that would have led to the graph's code, as far as the chip takes them."""
    changes: dict[str, int] = {}
    match graph.code:
        case Rate() if isinstance(settings, RateSettings):
            changes = {"steps": graph.code.steps, "most": _most(graph, settings.most)}
        case FirstSpike() if isinstance(settings, TtfsSettings):
            changes = {
                "steps": graph.code.steps,
                "tau": graph.code.tau,
                "constant_bits": CONSTANT_BITS,
                "accumulator_bits": 32,
                "weight_bits": 8,
                "input_bits": LEVELS.bit_length(),
            }
        case Radix():
            changes = {"steps": graph.code.steps}
    for key, value in changes.items():
        if key not in options:
            try:
                settings = replace(settings, **{key: value})  # type: ignore[arg-type]
            except SnnccError:  # the chip has its own idea of it
                continue
    return settings


def _most(graph: Graph, default: int) -> int:
    models = [node.op.model for node in graph if isinstance(node.op, Population)]
    return max((m.most for m in models if isinstance(m, GradedIntegrateFire)), default=default)


def attempt(chip: Backend, graph: Graph, settings: Settings) -> Taken:
    """Rules, then emission; what they raise beside SNN041 goes through."""
    found = tuple(chip.check(graph, settings))
    if found:
        return Taken(graph, settings, {}, found)
    try:
        return Taken(graph, settings, chip.emit(graph, Preprocessing(), settings))
    except SnnccError as error:
        if all(each.code == "SNN041" for each in error.diagnostics):
            return Taken(graph, settings, {}, tuple(error.diagnostics))
        raise


def attempts(chip: Backend, case: Case, options: Options) -> Iterator[Taken]:
    """The forms of a network, until one is taken."""
    settings = settings_for(chip, case.coding, case.neuron, options)
    for graph in forms(case.name, case.neuron):
        taken = attempt(chip, graph, fitted(settings, graph, options))
        yield taken
        if not taken.findings:
            return
