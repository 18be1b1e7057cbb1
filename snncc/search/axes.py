"""What is searched in each coding: ladders of settings, from cheap to dear."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from snncc.search.trial import Options
from snncc_backends import Backend, Settings

Rung = Options
Ladder = tuple[Rung, ...]


@dataclass(frozen=True)
class Plan:
    """How a coding is searched: for each of `variants`, ladder after ladder.

    A ladder is gone down while the next ones stand at the target's defaults. swept: the rungs that
    `snncc sweep` takes where the user names none.
    """

    variants: tuple[Rung, ...]
    ladders: tuple[Ladder, ...]
    swept: Ladder


def _steps(*numbers: int) -> Ladder:
    return tuple({"steps": number} for number in numbers)


PLANS: Mapping[str, Plan] = {
    # signed neurons first: they need the fewest steps, and so bound what others have to be tried at
    "rate": Plan(
        ({"neuron": "signed-if"}, {"neuron": "if"}),
        (_steps(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256),),
        _steps(4, 8, 16, 32),
    ),
    # tau doubles where the slots would cover more than six octaves
    "ttfs": Plan(
        ({},),
        (
            tuple(
                {"steps": steps, "tau": tau}
                for steps, tau in (
                    (6, 1), (8, 2), (12, 2), (16, 4), (20, 4), (24, 4), (32, 8), (40, 8), (48, 8),
                    (64, 8),
                )
            ),
            tuple(
                {"weight_bits": bits, "resolution": resolution}
                for bits, resolution in ((3, 1), (4, 2), (5, 2), (6, 4), (7, 4))
            ),
        ),
        tuple({"steps": steps, "tau": tau} for steps, tau in ((12, 2), (24, 4), (48, 8))),
    ),
    "radix": Plan(({},), (_steps(1, 2, 3, 4, 5, 6, 7, 8),), _steps(3, 4, 5, 6)),
}  # fmt: skip

OTHER = Plan(({},), PLANS["rate"].ladders, PLANS["rate"].swept)
"""For a coding of somebody else's that has a number of `steps`."""
NOTHING = Plan(({},), (({},),), ({},))
"""For a coding that has none: only its defaults can be tried."""


def known_options(chip: Backend, coding: type[Settings], options: Options) -> frozenset[str]:
    """What can be set of a coding."""
    return frozenset(field.name for field in fields(chip.defaults(coding, options)))


def plan_for(chip: Backend, coding: type[Settings], fixed: Options) -> Plan:
    """The coding's plan with what the user has fixed, and without neurons that the chip lacks."""
    known = known_options(chip, coding, fixed)
    plan = PLANS.get(coding.coding, OTHER if "steps" in known else NOTHING)
    variants = [
        variant
        for variant in plan.variants
        if variant.get("neuron", chip.models[0]) in chip.models or "neuron" in fixed
    ]
    return Plan(
        _fixed(variants or [{}], known, fixed),
        tuple(_fixed(ladder, known, fixed) for ladder in plan.ladders),
        _fixed(plan.swept, known, fixed),
    )


def _fixed(rungs: Sequence[Rung], known: frozenset[str], fixed: Options) -> Ladder:
    """The rungs without what is fixed or not known, each once, in order."""
    left = [
        {key: value for key, value in rung.items() if key in known and key not in fixed}
        for rung in rungs
    ]
    return tuple(rung for i, rung in enumerate(left) if rung not in left[:i])
