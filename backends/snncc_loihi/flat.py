"""A core map as flat arrays, which the simulator reads (`simulator/loihi_machine.h` names them).

Lists become segments, synapses to compartments in a row, which are added in one loop, and points,
the others. Everything is numbered over all cores.
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc_ir import Integers, fail, spread
from snncc_loihi.chip import Chip, Cost, Costs
from snncc_loihi.core_map import Core, CoreMap, Program
from snncc_loihi.hops import messages
from snncc_loihi.segments import Attribution, Segments, attribution, segments
from snncc_loihi.synapse_blocks import ListError
from snncc_loihi.synapses import effective_weights, read_lists
from snncc_loihi.words import unpack

MOST_SUM = (1 << 31) - 1
"""What sums of a step are kept in: 32 bits and so more than any chip has."""
LENGTHS = 8
POPULATION_BITS = 16
"""Of the field of a label."""


@dataclass(frozen=True)
class Flat:
    """content: the file. groups: (groups, 2) core and population of each group of compartments."""

    content: bytes
    groups: Integers


def flatten(core_map: CoreMap, chip: Chip, costs: Costs, inputs: int, place: str) -> Flat:
    """The map for the simulator. inputs: numbers of a sample.

    Raises SNN060 for weights or sums that no compiled map has.
    """
    cores = core_map.cores
    sizes = np.array([len(core.compartments) for core in cores], np.int64)
    axons = np.array([len(core.input_axons) for core in cores], np.int64)
    first, first_axon = _starts(sizes), _starts(axons)
    groups, group_of = _groups(core_map)
    parts = _Parts()
    runs = list[int]()
    slots = 2
    payloads = _payloads(core_map, first_axon)

    def group(i: int) -> Integers:
        return group_of[first[i] : first[i + 1]]

    def reached(i: int) -> _Reached:
        sent = payloads[first_axon[i] : first_axon[i + 1]]
        return _reached(cores[i], i, group(i), sent, chip, place)

    for i, found in enumerate(spread(reached, range(len(cores)))):
        _compartments(parts, cores[i], chip, int(first[i]), group(i))
        runs.append(len(parts.found["run_first"][-1]))
        slots = max(slots, found.longest_delay + 2)
        _axons(parts, i, int(first[i]), found, costs)
    _outputs(parts, core_map, chip, costs, first, first_axon)
    _host(parts, core_map, first, first_axon)
    parts.add("core_first", first)
    parts.add("core_run", _starts(np.array(runs, np.int64)))
    numbers = chip.numbers
    parts.add("scalar", [
        len(cores), first[-1], sum(runs), sum(len(core.output_axons) for core in cores),
        first_axon[-1], parts.lists, len(groups), inputs, slots, numbers.weight_shift,
        numbers.potential_bits, numbers.accumulator_bits, numbers.bias_mantissa,
        *(_picoseconds(cost) for cost in (costs.update_idle, costs.update_active, costs.spike,
                                          costs.message, costs.receive, costs.barrier)),
    ])  # fmt: skip
    return Flat(parts.content(), groups)


@dataclass(frozen=True)
class _Reached:
    """What axons of a core bring. of_axon, base: (input axons) list, and from where it counts."""

    of_axon: Integers
    base: Integers
    longest_delay: int
    made: Segments
    told: Attribution


def _reached(
    core: Core, number: int, group: Integers, payloads: Integers, chip: Chip, place: str
) -> _Reached:
    """group: (compartments), over all cores. payloads: (input axons), in one step at most."""
    try:
        lists = read_lists(core)
        weights = effective_weights(core, lists, chip.numbers)
    except ListError as error:
        hint = "compile the network anew"
        raise fail("SNN060", f"core {number}: {error}", place, hint) from None
    # a list counts from its nearest compartment, so that no base is negative
    nearest = lists.nearest
    base = core.input_axon_fields["base"] + nearest[lists.of_axon]
    made = segments(replace(lists, offsets=lists.offsets - nearest[lists.owners]), weights)
    _bounded(core, base, lists.of_axon, made, payloads, number, place)
    longest = int(lists.delays.max(initial=0))
    return _Reached(lists.of_axon, base, longest, made, attribution(core, lists, group))


NAMES = (
    "scalar", "core_first", "core_run", "run_first", "run_count", "run_program", "run_step",
    "run_exponent", "run_most", "run_signed", "run_group", "start", "bias", "threshold",
    "out_first", "out_local", "out_remote", "out_hops_x", "out_hops_y", "out_links", "out_path",
    "out_axon", "axon_list", "axon_base", "axon_core", "axon_group", "axon_cost", "part_first",
    "part_group", "part_dense", "part_sparse", "list_segment", "list_point", "segment_target",
    "segment_count", "segment_delay", "segment_weight", "narrow", "wide", "point_target",
    "point_delay", "point_weight", "host_axon_input", "host_axon", "host_bias_input", "host_bias",
    "host_weight",
)  # fmt: skip
"""Every array, in the order of LOIHI_ARRAYS in `simulator/loihi_machine.h`."""
COUNTING = (Program.FIRE_SUBTRACT, Program.FIRE_COUNT)
"""Programs with (mantissa + 1) << threshold_shift in place of a threshold."""

LONG = (
    "scalar", "threshold", "out_first", "out_path", "axon_cost", "part_first", "list_segment",
    "list_point", "segment_weight",
)  # fmt: skip
"""Those of 64 bits; `narrow` has 16, the others 32."""
FROM_ZERO = ("out_first", "part_first", "list_segment", "list_point")
"""Rows: lengths are given, and summed up."""


class _Parts:
    """Arrays of the file, of which each core gives a part."""

    def __init__(self) -> None:
        self.found: dict[str, list[Integers]] = {name: [] for name in NAMES}
        self.lists = self.weights = 0

    def add(self, name: str, numbers: Integers | list[int]) -> None:
        self.found[name].append(np.asarray(numbers, np.int64))

    def content(self) -> bytes:
        empty = np.zeros(0, np.int64)
        joined = {name: np.concatenate([empty, *parts]) for name, parts in self.found.items()}
        for name in FROM_ZERO:
            joined[name] = _starts(joined[name])
        narrow = joined["narrow"]
        if narrow.size and (narrow.min() < -(1 << 15) or narrow.max() >= 1 << 15):
            joined["narrow"], joined["wide"] = empty, narrow
        kinds = {**dict.fromkeys(NAMES, "<i4"), **dict.fromkeys(LONG, "<i8"), "narrow": "<i2"}
        written = [joined[name].astype(kinds[name]).tobytes() for name in NAMES]
        lengths = np.array([len(part) for part in written], "<i8").tobytes()
        return lengths + b"".join(part + bytes(-len(part) % LENGTHS) for part in written)


def _groups(core_map: CoreMap) -> tuple[Integers, Integers]:
    """Core and population of each group, (groups, 2), and the group of each compartment."""
    cores = [np.full(len(core.labels), i) for i, core in enumerate(core_map.cores)]
    which = [core.label_fields["population"] for core in core_map.cores]
    # as one number a pair, which is sorted faster than rows
    keys = np.concatenate(cores).astype(np.int64) << POPULATION_BITS | np.concatenate(which)
    found, group_of = np.unique(keys, return_inverse=True)
    groups = np.stack([found >> POPULATION_BITS, found & (1 << POPULATION_BITS) - 1], axis=1)
    return groups, group_of.reshape(-1).astype(np.int64)


def _compartments(parts: _Parts, core: Core, chip: Chip, first: int, group: Integers) -> None:
    """Runs of compartments that share profile and group, and what each has of its own."""
    fields, profiles = core.compartment_fields, core.profile_fields
    which = fields["profile"]
    begins = np.ones(len(which), bool)
    begins[1:] = (np.diff(which) != 0) | (np.diff(group) != 0)
    at = np.flatnonzero(begins)
    parts.add("run_first", at + first)
    parts.add("run_count", np.diff(np.append(at, len(which))))
    for name, key in (
        ("run_program", "program"), ("run_step", "first_step"), ("run_exponent", "bias_exponent"),
        ("run_most", "most"), ("run_signed", "signed"),
    ):  # fmt: skip
        parts.add(name, profiles[key][which[at]])
    parts.add("run_group", group[at])
    parts.add("start", fields["start"])
    parts.add("bias", fields["bias"])
    mantissas = np.append(core.threshold_mantissas, 0)
    threshold = mantissas[np.minimum(fields["threshold"], len(mantissas) - 1)]
    threshold = threshold + np.isin(profiles["program"][which], COUNTING)
    parts.add("threshold", threshold << chip.numbers.threshold_shift)


def _axons(parts: _Parts, number: int, first: int, found: _Reached, costs: Costs) -> None:
    """first: compartment of the core."""
    of_axon, made, told = found.of_axon, found.made, found.told
    parts.add("axon_list", of_axon + parts.lists)
    parts.add("axon_base", found.base + first)
    parts.add("axon_core", np.full(len(of_axon), number))
    parts.add("axon_group", told.group)
    dense, sparse = (_picoseconds(cost) for cost in (costs.synapse_dense, costs.synapse_sparse))
    parts.add("axon_cost", (told.dense * dense + told.sparse * sparse)[of_axon])
    parts.add("part_first", told.counts)
    parts.add("part_group", told.part_group)
    parts.add("part_dense", told.part_dense)
    parts.add("part_sparse", told.part_sparse)
    parts.add("list_segment", made.segments)
    parts.add("list_point", made.points)
    parts.add("segment_target", made.target)
    parts.add("segment_count", made.count)
    parts.add("segment_delay", made.delay)
    parts.add("segment_weight", made.first + parts.weights)
    parts.add("narrow", made.weights)
    parts.add("point_target", made.point_target)
    parts.add("point_delay", made.point_delay)
    parts.add("point_weight", made.point_weight)
    parts.lists += len(made.segments)
    parts.weights += len(made.weights)


def _outputs(
    parts: _Parts, core_map: CoreMap, chip: Chip, costs: Costs, first: Integers,
    first_axon: Integers,
) -> None:  # fmt: skip
    places = np.array([core.place for core in core_map.cores], np.int64)
    for i, core in enumerate(core_map.cores):
        fields = core.output_axon_fields
        size = int(first[i + 1] - first[i])
        found = messages(chip.mesh, places[i : i + 1], places[fields["core"]])
        from_ = fields["compartment"]
        parts.add("out_first", np.bincount(from_, minlength=size))
        parts.add("out_axon", first_axon[fields["core"]] + fields["axon"])
        for name, numbers in (
            ("out_local", found.local), ("out_remote", 1 - found.local),
            ("out_hops_x", found.hops_x), ("out_hops_y", found.hops_y),
            ("out_links", found.links),
        ):  # fmt: skip
            total = np.zeros(size, np.int64)
            np.add.at(total, from_, numbers)
            parts.add(name, total)
        path = np.zeros(size, np.int64)
        steps = zip(
            (found.hops_x, found.hops_y, found.links),
            (costs.hop_x, costs.hop_y, costs.chip_link),
            strict=True,
        )
        np.maximum.at(path, from_, sum(count * _picoseconds(cost) for count, cost in steps))
        parts.add("out_path", path)


def _host(parts: _Parts, core_map: CoreMap, first: Integers, first_axon: Integers) -> None:
    axons = unpack("host_axon", core_map.host_axons)
    parts.add("host_axon_input", axons["input"])
    parts.add("host_axon", first_axon[axons["core"]] + axons["axon"])
    biases = unpack("host_bias", core_map.host_biases)
    parts.add("host_bias_input", biases["input"])
    parts.add("host_bias", first[biases["core"]] + biases["compartment"])
    parts.add("host_weight", unpack("host_weight", core_map.host_weights)["weight"])


def _payloads(core_map: CoreMap, first_axon: Integers) -> Integers:
    """The most that cores can send to each input axon in one step, over all cores."""
    total = np.zeros(first_axon[-1], np.int64)
    for core in core_map.cores:
        fields, which = core.output_axon_fields, core.compartment_fields["profile"]
        most = np.maximum(core.profile_fields["most"], 1)[which[fields["compartment"]]]
        np.add.at(total, first_axon[fields["core"]] + fields["axon"], most)
    return total


def _bounded(
    core: Core, base: Integers, of_axon: Integers, made: Segments, payloads: Integers, number: int,
    place: str,
) -> None:  # fmt: skip
    """Raises SNN060 when sums of a core could leave the simulator's 32 bits."""
    most = int((made.most[of_axon] * payloads).sum())
    if most <= MOST_SUM:
        return
    sums = made.sums(base, of_axon, payloads, len(core.compartments))
    if int(sums.max(initial=0)) > MOST_SUM:
        raise fail(
            "SNN060",
            f"core {number}: what may arrive in a step adds up to {sums.max()}, should be at most "
            f"{MOST_SUM}",
            place,
            "compile the network anew",
        )


def _starts(counts: Integers) -> Integers:
    starts = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def _picoseconds(cost: Cost) -> int:
    return round(1000 * cost.nanosecond)
