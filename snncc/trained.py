"""Settings that a network was trained for: taken where the user gives none, held to where he does.

The front end reads them of the file (`Imported.trained`), by coding.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

from snncc.onnx import Trained
from snncc_backends import Settings
from snncc_ir import fail

EQUAL, LEAST = ("steps", "tau", "offset", "resolution"), ("weight_bits",)
"""Of the ttfs code: what has to be that of the training, and what at least; with others, neurons
and weights would not be what was trained."""
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
        for name in known:
            _hold(name, known[name], getattr(found, name))
    return found


def _hold(name: str, wanted: int | float | str, found: int | float | str) -> None:
    too_few = isinstance(wanted, int) and isinstance(found, int) and found < wanted
    if (name in EQUAL and found != wanted) or (name in LEAST and too_few):
        option = _OPTIONS.get(name, f"--set {name}=")
        raise fail(
            "SNN042",
            f"{name} is {found}, should be {wanted}, which the network was trained for",
            hint=f"leave {option} out: it is taken from the network; or train for {name} {found}",
        )


def training_note(coding: str, trained: Trained) -> str:
    """What to say of a network that was trained for other codings than this one; else empty."""
    if not trained or coding in trained:
        return ""
    said = " or ".join(f"--coding {name}" for name in sorted(trained))
    return f"the network was trained for {said}, and is compiled for --coding {coding}"


def searched_with(given: Mapping[str, object], trained: Trained, default: str) -> dict[str, object]:
    """Options of a search, with what the training fixes of their coding."""
    coding = str(given.get("coding", default))
    return {**(trained.get(coding, {}) if coding == "ttfs" else {}), **given}
