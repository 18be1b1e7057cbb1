"""What the user sets, checked against what the target's codings know."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, fields, replace

from snncc_backends import Backend, RateSettings, Settings
from snncc_ir import fail

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
            )
    else:
        coding = changes.pop("coding", chip.codings[0].coding)
        if coding not in codings:
            raise fail(
                "SNN042",
                f"coding is '{coding}', should be {' or '.join(codings)} for target {chip.name}",
            )
        given = chip.defaults(codings[str(coding)], changes)
    types = {field.name: type(getattr(given, field.name)) for field in fields(given)}
    values: dict[str, int | float | str] = {}
    for key, value in changes.items():
        if key not in types:
            raise fail(
                "SNN042", f"option '{key}' is not known, should be one of {', '.join(types)}"
            )
        try:
            values[key] = types[key](value)
        except (TypeError, ValueError):
            raise fail(
                "SNN042", f"option '{key}' is '{value}', should be {types[key].__name__}"
            ) from None
    chosen = replace(given, **values)  # type: ignore[arg-type]
    if isinstance(chosen, RateSettings) and chosen.neuron == "auto":
        return replace(chosen, neuron=best_neuron(chip.models_of(chosen)))
    return chosen


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
