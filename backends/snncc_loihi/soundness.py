"""What a core map must not contradict itself in; the checks of docs/targets/loihi.md, Errors.

Limits of a chip are not among them: the checker of compiled maps has those.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from snncc_ir import Integers, fail, spread
from snncc_loihi.core_map import Core, CoreMap, Program
from snncc_loihi.synapse_blocks import ListError, Truths
from snncc_loihi.synapses import Reach, read_reach
from snncc_loihi.words import Words, unpack, unused_bits

KINDS = {
    "compartments": "compartment", "labels": "label", "profiles": "profile",
    "thresholds": "threshold", "formats": "format", "input_axons": "input_axon",
    "output_axons": "output_axon",
}  # fmt: skip
"""Kinds of words by memory; synapses are blocks."""
HOST = {"host_axons": "host_axon", "host_biases": "host_bias", "host_weights": "host_weight"}
MOST_COMPARTMENTS = 1 << 16
MOST_AXONS = 1 << 16
CURRENT_DECAY, POTENTIAL_DECAY, REFRACTORY = 4095, 0, 1
JOINED = (Program.INTEGRATE_MAX, Program.FIRE_JOINED, Program.FIRE_COUNT)
"""Programs that take what the compartment before them hands on."""
COUNTING = (Program.FIRE_SUBTRACT, Program.FIRE_COUNT)

Finding = tuple[str, str]
"""Where in the map, and what is and should be."""


def check_map(core_map: CoreMap, place: str) -> None:
    """Raises SNN060 for the first contradiction."""
    for where, what in contradictions(core_map):
        raise fail(
            "SNN060", f"{where}: {what}", place, "compile the network anew, or copy the map again"
        )


def contradictions(core_map: CoreMap) -> Iterator[Finding]:
    """All that is unsound; what comes after a finding may rest on what it says is wrong."""
    for i, (before, core) in enumerate(pairwise(core_map.cores)):
        if core.place <= before.place:
            yield f"core {i + 1}", f"the place is {core.place}, should be above {before.place}"
    if core_map.cores[-1].place >= 1 << 31:
        yield "core table", f"the last place is {core_map.cores[-1].place}, should be below 2^31"
    if any(spread(lambda core: next(_core(core), None), core_map.cores)):
        for i, core in enumerate(core_map.cores):
            for where, what in _core(core):
                yield f"core {i}, {where}", what
    yield from _unused(HOST, {name: getattr(core_map, name) for name in HOST})
    axons = Numbering([len(core.input_axons) for core in core_map.cores])
    held = np.concatenate([core.input_axon_fields["held"] for core in core_map.cores])
    for i, core in enumerate(core_map.cores):
        fields = core.output_axon_fields
        for n, what in _reached(fields, axons, held, 0):
            yield f"core {i}, output axon {n}", what
        key = fields["compartment"] << 24 | fields["core"]
        for n in np.flatnonzero(key[1:] <= key[:-1])[:1]:
            yield (
                f"core {i}, output axon {n + 1}",
                "it is not behind the one before by compartment and core, should be",
            )
    yield from _host(core_map, axons, held)


class Numbering:
    """Things of all cores under one number."""

    def __init__(self, sizes: list[int]) -> None:
        self.sizes = np.array(sizes, np.int64)
        self.starts = np.cumsum(self.sizes) - self.sizes
        self.total = int(self.sizes.sum())

    def outside(self, core: Integers, which: Integers) -> Truths:
        """Where there is no such core, or it has no such thing."""
        inside = core < len(self.sizes)
        found: Truths = ~inside | (which >= self.sizes[np.where(inside, core, 0)])
        return found

    def number(self, core: Integers, which: Integers) -> Integers:
        """Over all cores; core and thing exist."""
        return self.starts[core] + which


def _reached(
    fields: dict[str, Integers], axons: Numbering, held: Integers, wanted: int
) -> Iterator[tuple[int, str]]:
    """Axons that something sends to: they exist, and are held where `wanted` says so."""
    core, axon = fields["core"], fields["axon"]
    outside = axons.outside(core, axon)
    for i in np.flatnonzero(outside)[:1]:
        yield int(i), f"it reaches axon {axon[i]} of core {core[i]}, should be one that there is"
        return
    for i in np.flatnonzero(held[axons.number(core, axon)] != wanted)[:1]:
        kind = "should not be held" if not wanted else "should be held"
        yield int(i), f"it reaches axon {axon[i]} of core {core[i]}, which {kind}"


def _host(core_map: CoreMap, axons: Numbering, held: Integers) -> Iterator[Finding]:
    fields = unpack("host_axon", core_map.host_axons)
    for n, what in _reached(fields, axons, held, 1):
        yield f"host axon {n}", what
    key = fields["input"] << 24 | fields["core"]
    for i in np.flatnonzero(key[1:] < key[:-1])[:1]:
        yield f"host axon {i + 1}", "it is before the one before by input and core, should not be"
    compartments = Numbering([len(core.compartments) for core in core_map.cores])
    fields = unpack("host_bias", core_map.host_biases)
    for i in np.flatnonzero(compartments.outside(fields["core"], fields["compartment"]))[:1]:
        yield (
            f"host bias {i}",
            f"it is of compartment {fields['compartment'][i]} of core {fields['core'][i]}, "
            "should be one that there is",
        )


def _unused(kinds: dict[str, str], memories: dict[str, Words]) -> Iterator[Finding]:
    for name, kind in kinds.items():
        for i in np.flatnonzero(unused_bits(kind, memories[name]))[:1]:
            yield f"{name.replace('_', ' ')}, word {i}", "bits that no field has should be 0"


def _core(core: Core) -> Iterator[Finding]:
    yield from _unused(KINDS, {name: getattr(core, name) for name in KINDS})
    for name, most in (("compartments", MOST_COMPARTMENTS), ("input_axons", MOST_AXONS)):
        if len(getattr(core, name)) > most:
            yield name.replace("_", " "), f"there are more than {most}, should be at most"
    yield from _profiles(core)
    found = False
    for finding in _compartments(core):
        yield finding
        found = True
    if not found:
        yield from _joined(core)
    yield from _synapses(core)
    for i in np.flatnonzero(core.output_axon_fields["compartment"] >= len(core.compartments))[:1]:
        yield f"output axon {i}", f"its compartment should be below {len(core.compartments)}"


def _profiles(core: Core) -> Iterator[Finding]:
    fields = core.profile_fields
    program, most, signed = fields["program"], fields["most"], fields["signed"]
    counting = np.isin(program, COUNTING)
    firing = ~counting & (program >= Program.FIRE_JOINED)
    wrong = {
        f"the program should be below {len(Program)}": program >= len(Program),
        "most should be 1 or more": counting & (most < 1),
        "most should be 1 at most, and signed 0": firing & ((most > 1) | (signed > 0)),
        "most and signed should be 0": ~counting & ~firing & ((most > 0) | (signed > 0)),
        f"current_decay should be {CURRENT_DECAY}": fields["current_decay"] != CURRENT_DECAY,
        f"potential_decay should be {POTENTIAL_DECAY}":
            fields["potential_decay"] != POTENTIAL_DECAY,
        f"refractory should be {REFRACTORY}": fields["refractory"] != REFRACTORY,
    }  # fmt: skip
    for what, places in wrong.items():
        for i in np.flatnonzero(places)[:1]:
            yield f"profile {i}", what


def _compartments(core: Core) -> Iterator[Finding]:
    fields = core.compartment_fields
    # a core without neurons that fire has no threshold
    for name, count in (("profile", len(core.profiles)), ("threshold", len(core.thresholds))):
        most = count if name == "profile" else max(count, 1)
        for i in np.flatnonzero(fields[name] >= most)[:1]:
            yield f"compartment {i}", f"{name} is {fields[name][i]}, should be below {most}"
            return
    program = core.profile_fields["program"][fields["profile"]]
    needs = np.isin(program, (Program.FIRE_JOINED, Program.FIRE_ZERO, Program.FIRE_SUBTRACT))
    for i in np.flatnonzero(needs & (fields["threshold"] >= len(core.thresholds)))[:1]:
        yield f"compartment {i}", "it has no threshold, should have one"


def _joined(core: Core) -> Iterator[Finding]:
    """What is handed on comes from a compartment that is at work in the same steps."""
    which = core.compartment_fields["profile"]
    program = core.profile_fields["program"][which]
    first = core.profile_fields["first_step"][which]
    takes = np.isin(program, JOINED)
    given = np.isin(program, (Program.INTEGRATE, Program.INTEGRATE_MAX))
    fits = np.zeros(len(which), bool)
    fits[1:] = given[:-1] & (first[1:] == first[:-1])
    for i in np.flatnonzero(takes & ~fits)[:1]:
        yield (
            f"compartment {i}",
            "it should come behind one that hands on its potential in the same steps",
        )


def _synapses(core: Core) -> Iterator[Finding]:
    fields, axons = core.format_fields, core.input_axon_fields
    wrong = {
        "weight_bits should be 1 to 8": (fields["weight_bits"] < 1) | (fields["weight_bits"] > 8),
        "sign should be 0, 1 or 2": fields["sign"] > 2,
        "a run should have an index": (fields["run"] == 1) & (fields["index_bits"] == 0),
    }
    for what, places in wrong.items():
        for i in np.flatnonzero(places)[:1]:
            yield f"format {i}", what
            return
    ends = axons["pointer"] + axons["words"]
    for i in np.flatnonzero(ends > len(core.synapses))[:1]:
        yield f"input axon {i}", f"its list ends at {ends[i]}, should by {len(core.synapses)}"
        return
    for i in np.flatnonzero(axons["base"] >= len(core.compartments))[:1]:
        yield f"input axon {i}", f"its base should be below {len(core.compartments)}"
        return
    try:
        lists = read_reach(core)
    except ListError as error:
        yield "synapses", str(error)
        return
    yield from _targets(core, lists)


def _targets(core: Core, lists: Reach) -> Iterator[Finding]:
    axons = core.input_axon_fields
    begin = axons["base"] + lists.nearest[lists.of_axon]
    for i in np.flatnonzero(begin < 0)[:1]:
        yield f"input axon {i}", f"it reaches compartment {begin[i]}, should be 0 or more"
        return
    reach = axons["base"] + lists.furthest[lists.of_axon]
    for i in np.flatnonzero(reach >= len(core.compartments))[:1]:
        yield (
            f"input axon {i}",
            f"it reaches compartment {reach[i]}, should be below {len(core.compartments)}",
        )
    delayed = (lists.longest > 0)[lists.of_axon]
    for i in np.flatnonzero((axons["held"] == 1) & delayed)[:1]:
        yield f"input axon {i}", "it is held, and should have no delay"
