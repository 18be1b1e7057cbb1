"""Settings that a network was trained for: taken where the user gives none, held to where he does.

The front end reads them of the file (`Imported.trained`), by coding.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from snncc.onnx import Trained
from snncc_backends import Settings
from snncc_ir import fail

BINDING = ("steps", "tau", "offset", "resolution")
"""Of the ttfs code: with others, neurons and weights would not be what was trained."""
_OPTIONS = {"steps": "--steps", "weight_bits": "--weight-bits"}


def with_trained(chosen: Settings, trained: Trained, given: Collection[str]) -> Settings:
    """The settings with those that the network was trained for, in place of defaults.

    given: names of settings that the user chose. Raises SNN042 where one of these contradicts the
    training: another ttfs code, or fewer bits than logarithmic weights have. A rate or radix code
    may have any number of steps.
    """
    wanted = trained.get(chosen.coding, {})
    known = {name: value for name, value in wanted.items() if hasattr(chosen, name)}
    free = {name: value for name, value in known.items() if name not in given}
    found = replace(chosen, **free)  # type: ignore[arg-type]
    if chosen.coding == "ttfs":
        for name, value in known.items():
            _hold(name, value, getattr(found, name))
    return found


def _hold(name: str, wanted: int | float, found: int | float) -> None:
    fits = found == wanted if name in BINDING else found >= wanted
    if not fits:
        option = _OPTIONS.get(name, f"--set {name}=")
        raise fail(
            "SNN042",
            f"{name} is {found:g}, should be {wanted:g}, which the network was trained for",
            hint=f"leave {option} out, which is taken from the network; or train it for {found:g}",
        )


def training_note(coding: str, trained: Trained) -> str:
    """What to say of a network that was trained for other codings than this one; else empty."""
    if not trained or coding in trained:
        return ""
    said = "; ".join(
        f"--coding {name} ({', '.join(f'{key}={value:g}' for key, value in settings.items())})"
        for name, settings in sorted(trained.items())
    )
    return f"the network was trained for {said}, and is compiled for --coding {coding}"


def searched_with(given: Mapping[str, object], trained: Trained, default: str) -> dict[str, object]:
    """Options of a search, with what the training fixes of their coding."""
    coding = str(given.get("coding", default))
    return {**(trained.get(coding, {}) if coding == "ttfs" else {}), **given}
