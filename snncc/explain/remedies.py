"""What may help against what layers lose, coding by coding. Nothing here is tried yet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from snncc.explain.figures import LayerFigures
from snncc.options import best_neuron
from snncc_backends import (
    Backend,
    RadixSettings,
    RateSettings,
    Settings,
    TtfsSettings,
    options_of,
)
from snncc_ir import MOST_DIGITS, MOST_SLOTS, TAUS

HIGHER = (99.99, 99.999)
"""Percentiles that clip less than the default."""
MOST_STEPS = 256


@dataclass(frozen=True)
class Remedy:
    """Options that differ from the bundle's, against a cause (a key of `reasons.CAUSES`, or
    `calibration`)."""

    cause: str
    options: Mapping[str, object]

    def __str__(self) -> str:
        named = {"steps": "--steps", "neuron": "--neuron", "method": "--method", "per": "--per",
                 "percentile": "--percentile", "weight_bits": "--weight-bits"}  # fmt: skip
        return " ".join(
            f"{named[key]} {value}" if key in named else f"--set {key}={value}"
            for key, value in self.options.items()
        )


def causes_of(layers: Sequence[LayerFigures]) -> list[str]:
    """Causes by how much of the layers' own loss they make up, the largest first."""
    weight: dict[str, float] = {}
    for layer in layers:
        if layer.finding.cause == "none":
            continue
        weight[layer.finding.cause] = weight.get(layer.finding.cause, 0.0) + layer.added
        # a few clipped numbers can be what decides, even where they are little energy
        if layer.losses["clipped"] > layer.added / 10:
            weight["clipped"] = weight.get("clipped", 0.0) + layer.losses["clipped"]
    return sorted(weight, key=lambda cause: -weight[cause])


def remedies(
    chip: Backend, settings: Settings, layers: Sequence[LayerFigures], most: int
) -> list[Remedy]:
    """At most so many, those against the largest loss first, one a cause before a second one."""
    known = {option.name for option in options_of(type(settings))}
    lists = []
    for cause in causes_of(layers):
        given = [Remedy(cause, options) for options in _against(cause, chip, settings)]
        lists.append([remedy for remedy in given if known >= set(remedy.options)])
    found: list[Remedy] = []
    while any(lists) and len(found) < most:
        for waiting in lists:
            if waiting and len(found) < most:
                remedy = waiting.pop(0)
                if all(remedy.options != other.options for other in found):
                    found.append(remedy)
    return found


def _against(cause: str, chip: Backend, settings: Settings) -> Iterator[dict[str, object]]:
    """Options against one cause, the cheapest first."""
    if cause in ("scaled", "ceiling"):
        yield {}  # compiled anew from the model
        return
    match settings:
        case RateSettings():
            yield from _rate(cause, chip, settings)
        case TtfsSettings():
            yield from _ttfs(cause, settings)
        case RadixSettings():
            yield from _radix(cause, settings)
    if cause == "clipped":
        yield from _less_clipping(settings)
    if settings.per == "layer":
        yield {"per": "channel"}


def _less_clipping(settings: Settings) -> Iterator[dict[str, object]]:
    for percentile in HIGHER:
        if settings.method != "percentile" or settings.percentile < percentile:
            yield {"method": "percentile", "percentile": percentile}
    if settings.method != "max":
        yield {"method": "max"}


def _rate(cause: str, chip: Backend, settings: RateSettings) -> Iterator[dict[str, object]]:
    if settings.calibrate == "off":
        yield {"calibrate": "layers"}
    best = best_neuron(chip.models_of(settings))
    if cause in ("time", "coarse", "silent", "weights") and settings.neuron not in (best, "auto"):
        if "signed-if" in chip.models_of(settings) and settings.neuron == "if":
            yield {"neuron": "signed-if"}
        yield {"neuron": best}
    if cause == "weights" and settings.weight_bits < 16:
        yield {"weight_bits": min(2 * settings.weight_bits, 16)}
    if cause in ("coarse", "silent") and settings.method not in ("error", "percentile"):
        yield {"method": "error"}
    if cause != "clipped" and settings.steps < MOST_STEPS:
        yield {"steps": 2 * settings.steps}


def _ttfs(cause: str, settings: TtfsSettings) -> Iterator[dict[str, object]]:
    if settings.offset == 0:
        yield {"offset": 0.5}
    if cause == "weights":
        if settings.rounding == "nearest":
            yield {"rounding": "compensated"}
        if settings.weight_bits < 8:
            yield {"weight_bits": settings.weight_bits + 1}
            if settings.resolution < 4:
                finer = {"resolution": 2 * settings.resolution}
                yield {"weight_bits": settings.weight_bits + 1, **finer}
    if cause in ("coarse", "silent", "weights"):
        if settings.steps + 8 <= MOST_SLOTS and cause == "silent":
            yield {"steps": settings.steps + 8}
        if 2 * settings.tau in TAUS and 2 * settings.steps <= MOST_SLOTS:
            yield {"tau": 2 * settings.tau, "steps": 2 * settings.steps}


def _radix(cause: str, settings: RadixSettings) -> Iterator[dict[str, object]]:
    if cause == "weights" and settings.weight_bits < 16:
        yield {"weight_bits": min(2 * settings.weight_bits, 16)}
    if cause in ("coarse", "silent", "weights") and settings.steps < MOST_DIGITS:
        yield {"steps": settings.steps + 1}
