"""What the user sets, checked against what the target's codings know."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, fields, replace

from snncc.passes.base import Pass
from snncc.passes.registry import parse_pipeline
from snncc_backends import Backend, RateSettings, Settings, options_of, targets
from snncc_ir import SnnccError, fail, nearest

BEST_NEURONS = ("signed-graded", "graded", "signed-if", "if", "hard-if")
"""Models of the rate code, the most accurate in few time steps first."""


def make_settings(
    chip: Backend, settings: Settings | Mapping[str, object] | None, options: Mapping[str, object]
) -> Settings:
    """Settings with single fields changed; raises SNN042 for one that is not known or not valid."""
    changes = {**(settings if isinstance(settings, Mapping) else {}), **options}
    codings = {coding.coding: coding for coding in chip.codings}
    if isinstance(settings, Settings):
        given = settings
        if not isinstance(given, chip.codings):
            raise fail(
                "SNN042",
                f"the settings are {type(given).__name__}, should be "
                f"{' or '.join(coding.__name__ for coding in chip.codings)} for target {chip.name}",
                hint="the target's own class, or the options as keywords",
            )
    else:
        coding = changes.pop("coding", chip.codings[0].coding)
        if coding not in codings:
            raise fail(
                "SNN042",
                f"coding is '{coding}', should be {' or '.join(codings)} for target {chip.name}",
                hint=_who_has(str(coding)) or "leave --coding out",
            )
        given = chip.defaults(codings[str(coding)], changes)
    known = {each.name: each for each in options_of(type(given))}
    values: dict[str, int | float | str] = {}
    for key, value in changes.items():
        if key not in known:
            raise fail(
                "SNN042",
                f"option '{key}' is not known, should be one of {', '.join(known)}",
                f"target {chip.name}, coding {given.coding}",
                _whose(key) or nearest(key, known, f"`snncc targets {chip.name}` lists them"),
            )
        try:
            values[key] = known[key].parse(value)
        except (TypeError, ValueError):
            raise fail(
                "SNN042",
                f"option '{key}' is '{value}', should be {known[key].wanted}",
                f"target {chip.name}, coding {given.coding}",
                f"{getattr(given, key)}, which is the default",
            ) from None
    chosen = replace(given, **values)  # type: ignore[arg-type]
    if isinstance(chosen, RateSettings) and chosen.neuron == "auto":
        return replace(chosen, neuron=best_neuron(chip.models_of(chosen)))
    return chosen


def _whose(key: str) -> str:
    """A hint for an option of another coding or target; empty when none has it."""
    for name, chip in _loaded():
        for coding in chip.codings:
            if key in {field.name for field in fields(coding)}:
                return f"--target {name} --coding {coding.coding}, which has it"
    return ""


def _who_has(coding: str) -> str:
    """A hint for a coding of another target; empty when none has it."""
    names = [name for name, chip in _loaded() if coding in {c.coding for c in chip.codings}]
    return f"--target {' or '.join(names)} for this coding, or leave --coding out" if names else ""


def _loaded() -> Iterator[tuple[str, Backend]]:
    for name, load in targets().items():
        with suppress(SnnccError):  # a broken plug-in says so when it is asked for
            yield name, load()


def own_pipeline(chip: Backend, settings: Settings) -> tuple[Pass, ...]:
    """The target's own passes; raises SNN042 for settings that its passes do not take."""
    try:
        return parse_pipeline(chip.pipeline(settings))
    except SnnccError as error:
        listed = f"`snncc targets {chip.name}` lists options with their defaults"
        raise SnnccError(
            replace(
                found,
                code="SNN042",
                hint="; ".join(filter(None, [_OPTIONS.get(found.place, ""), listed])),
            )
            for found in error.diagnostics
        ) from None


_OPTIONS = {
    "pass quantize-weights": "another --weight-bits",
    "pass quantize-log2": "another --weight-bits, resolution, rounding or samples",
    "pass quantize-input": "another --set input_bits=",
    "pass rate-code": "another --steps, --neuron, or --set start=, most=",
    "pass ttfs-code": "another --steps, or --set tau=, offset=",
    "pass radix-code": "another --steps, or --set start=",
    "pass normalize": "another --steps, --method, --percentile, --per, or --set peak=",
}
"""What sets the options of passes."""


def without_samples(settings: Settings) -> Settings:
    """Without calibration data, layers are not calibrated on the noise in its place."""
    if isinstance(settings, RateSettings):
        return replace(settings, calibrate="off")
    return settings


def best_neuron(models: Collection[str]) -> str:
    """The model with which a rate code of few steps is most accurate, of those that a chip has."""
    return next((name for name in BEST_NEURONS if name in models), BEST_NEURONS[-1])


def given_options(
    settings: Settings | Mapping[str, object] | None, options: Mapping[str, object]
) -> dict[str, object]:
    """All that is set, by name; settings as an object set everything."""
    if isinstance(settings, Settings):
        return {"coding": settings.coding, **asdict(settings), **options}
    return {**(settings or {}), **options}
