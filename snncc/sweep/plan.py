"""Which settings a sweep goes through: every combination of the lists that the user gives."""

from collections.abc import Mapping, Sequence
from itertools import product

from snncc.search.axes import known_options, plan_for
from snncc.search.choose import AUTO, settings_key
from snncc.search.trial import Candidate, Options
from snncc_backends import Backend, Settings, backend
from snncc_ir import fail, nearest

Lists = Mapping[str, Sequence[str]]
"""Values by setting. `ttfs.steps` is the setting `steps` of coding `ttfs` only."""


def values(text: str, what: str) -> list[str]:
    """Of `4,8,16`: each value once; raises SNN042 for an empty list."""
    found = [part.strip() for part in text.split(",")]
    if not all(found):
        raise fail(
            "SNN042",
            f"{what} is '{text}', should be a list such as 4,8,16",
            hint="values with commas between them; leave the option out for the usual ones",
        )
    return list(dict.fromkeys(found))


def candidates(targets: Sequence[str], codings: Sequence[str], lists: Lists) -> list[Candidate]:
    """All combinations, target by target and coding by coding, in the order of the lists.

    codings: none for each target's own; `auto` for all. A setting that a coding does not have is
    left out there; raises SNN042 for one that no coding has. Where a coding has no list of what is
    usually swept, a short ladder of its own is.
    """
    found: dict[str, Candidate] = {}
    used: set[str] = set()
    known: dict[str, None] = {}
    for target in targets:
        chip = backend(target)
        for coding in _chosen(chip, codings):
            fields = known_options(chip, coding, _first(lists, coding.coding))
            known |= dict.fromkeys(sorted(fields))
            own = {key: given for key, given in _own(lists, coding.coding).items() if key in fields}
            used |= {key for key in lists if key.removeprefix(f"{coding.coding}.") in own}
            for options in _combinations(chip, coding, own):
                full = {"coding": coding.coding, **options}
                found.setdefault(target + settings_key(chip, full), Candidate(target, full))
    for key in lists:
        if key not in used:
            raise fail(
                "SNN042",
                f"option '{key}' is not known, should be one of {', '.join(known)}",
                hint=nearest(key, known, "CODING.KEY=… sets it for one coding only"),
            )
    return list(found.values())


def _chosen(chip: Backend, codings: Sequence[str]) -> list[type[Settings]]:
    names = [coding.coding for coding in chip.codings]
    if not codings:
        return [chip.codings[0]]
    if AUTO in codings:
        return list(chip.codings)
    chosen = [coding for coding in chip.codings if coding.coding in codings]
    if not chosen:
        raise fail(
            "SNN042",
            f"coding is '{','.join(codings)}', should be {' or '.join([*names, AUTO])} for target "
            f"{chip.name}",
            hint="leave --coding out, or name each target's own: --coding auto",
        )
    return chosen


def _own(lists: Lists, coding: str) -> dict[str, Sequence[str]]:
    """The lists of one coding; those that are given for it alone stand before the others."""
    shared = {key: given for key, given in lists.items() if "." not in key}
    alone = {
        key.removeprefix(f"{coding}."): given
        for key, given in lists.items()
        if key.startswith(f"{coding}.")
    }
    return {**shared, **alone}


def _first(lists: Lists, coding: str) -> Options:
    return {key: given[0] for key, given in _own(lists, coding).items()}


def _combinations(
    chip: Backend, coding: type[Settings], lists: Mapping[str, Sequence[str]]
) -> list[Options]:
    swept = plan_for(chip, coding, {}).swept
    if any(key in lists for rung in swept for key in rung):
        swept = ({},)
    return [
        {**rung, **dict(zip(lists, chosen, strict=True))}
        for rung in swept
        for chosen in product(*lists.values())
    ]
