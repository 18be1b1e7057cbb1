"""Whether a map obeys every limit of its chip: from its words alone, counted anew.

What compiles a network (partition, packing, bounds) is not asked: a mistake there is found here.
"""

from collections.abc import Callable, Mapping

from snncc_ir import Graph, SnnccError, fail
from snncc_ir.ops import Input
from snncc_loihi import check_counts, check_numbers, check_potentials
from snncc_loihi.binary import read_map
from snncc_loihi.check_subject import Finding, Limit, Subject, Use
from snncc_loihi.chip import Chip
from snncc_loihi.core_map import CoreMap

COUNTS: tuple[Limit, ...] = check_counts.COUNTS
"""Limits of how much a core holds."""
LIMITS: tuple[Limit, ...] = (
    *COUNTS,
    *check_numbers.NUMBERS,
    *check_potentials.OVERFLOW,
)
"""Every limit, as a rule."""

USES: Mapping[str, Callable[[Subject], Use]] = {
    "compartments": check_counts.compartments_used,
    "input_axons": check_counts.input_axons_used,
    "output_axons": check_counts.output_axons_used,
    "synapse_words": check_counts.synapse_words_used,
    "core_bytes": check_counts.core_bytes_used,
    "profiles": check_counts.profiles_used,
    "thresholds": check_counts.thresholds_used,
    "formats": check_counts.formats_used,
    "axon_bases": check_counts.axon_bases_used,
    "delays": check_numbers.delays_used,
    "biases": check_numbers.biases_used,
    "threshold_values": check_numbers.threshold_values_used,
    "arriving": check_potentials.arriving_used,
    "potentials": check_potentials.potentials_used,
}
"""How much cores take of the limits that are amounts, by the name of the rule."""


def subject_of(core_map: CoreMap, chip: Chip, graph: Graph) -> Subject:
    """A map with the largest number that its network's inputs give."""
    levels = [node.op.levels or 0 for node in graph.inputs if isinstance(node.op, Input)]
    return Subject(core_map, chip, max(levels, default=0))


def violations(
    subject: Subject, limits: tuple[Limit, ...] = LIMITS
) -> dict[str, tuple[Finding, ...]]:
    """What breaks a limit, by the name of the rule: of each core the worst. The map is sound, as
    `soundness.py` has it. `COUNTS` alone need no synapses to be read, and so no time."""
    found = {limit.__name__: tuple(limit(subject)) for limit in limits}
    return {name: findings for name, findings in found.items() if findings}


def uses(subject: Subject) -> dict[str, Use]:
    """How much cores take, of the limits that the chip has."""
    found = {name: use(subject) for name, use in USES.items()}
    return {name: use for name, use in found.items() if use.limit < check_counts.ANY}


def refuse(
    found: Mapping[str, tuple[Finding, ...]], code: str, place: str, hint: str
) -> SnnccError:
    """An error that names the first finding of each limit that is broken."""
    first = next(iter(found.values()))
    total = sum(map(len, found.values()))
    more = f"; {total - 1} more of {', '.join(found)}" if total > 1 else ""
    return fail(code, f"limit {next(iter(found))}: {first[0]}{more}", place, hint)


def hold(content: bytes, chip: Chip, graph: Graph) -> None:
    """The bytes of a map that has just been made: sound, and within all limits.

    Raises SNN041 otherwise, which is a bug of the backend.
    """
    hint = "this is a bug of snncc; please report it with the model and the chip"
    try:
        core_map = read_map(content, "")
    except SnnccError as error:
        message = f"the map that was made is unsound: {error.diagnostics[0].message}"
        raise fail("SNN041", message, hint=hint) from None
    found = violations(subject_of(core_map, chip, graph))
    if found:
        raise refuse(found, "SNN041", "", hint)
