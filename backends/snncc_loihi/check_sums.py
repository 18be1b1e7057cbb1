"""What can arrive at each compartment in one time step, from the words of a map alone.

All sums are of magnitudes, before the chip's weight_shift, in float64, which is exact below 2^53
and does not wrap beyond.
"""

from dataclasses import dataclass

import numpy as np

from snncc_ir import Floats, Integers, spread
from snncc_loihi.check_stretches import Bringing, Stretches, Truths, unrolled
from snncc_loihi.check_words import Decoded, decode, grid_shifts, weights
from snncc_loihi.chip import Numbers
from snncc_loihi.core_map import Core, CoreMap, Program
from snncc_loihi.words import unpack

OFFSET_BITS = 20
NEVER = 1 << 20
"""A first step after all others."""


@dataclass(frozen=True)
class Senders:
    """Of each input axon of a core: what all that send to it may send in a step at most.

    plain: neurons that only send positive numbers; signed: those that take back, both ways. first,
    last: the earliest and latest first step of any. held: what the host sends, both ways.
    """

    plain: Floats
    signed: Floats
    first: Integers
    last: Integers
    held: Floats


@dataclass(frozen=True)
class Arrivals:
    """Of one core; arrays are (compartments).

    decodes: whether all lists do; without that all sums are 0. longest_delay: in steps. lost:
    stored weight, format and the bits that a negative exponent loses, of the first such synapse.
    host: what the host adds to biases. held: what held axons bring. positive, negative: brought by
    plain senders through weights of either sign. signed_positive, signed_negative: by signed ones,
    whose sums over time from the target's first step are within 0 to steps · this; others, whose
    spikes a target may hear too late for that, count as plain ones, both ways. unheard: (2,
    compartments), of what T steps would bring upward and downward, that comes when the compartment
    is not at work. returned: what a
    spike of the compartment's own coupled one takes from it in the next step. strays: synapses
    from there that come later or bring something. lanes, closing: compartments whose potentials
    are handed on, and the one that fires for each.
    """

    decodes: bool
    longest_delay: int
    lost: tuple[int, int, int] | None
    host: Floats
    held: Floats
    positive: Floats
    negative: Floats
    signed_positive: Floats
    signed_negative: Floats
    unheard: Floats
    returned: Floats
    strays: Integers
    lanes: Integers
    closing: Integers


def arrivals(core_map: CoreMap, numbers: Numbers, largest_input: int) -> tuple[Arrivals, ...]:
    """Of each core."""
    heard = _senders(core_map, largest_input)
    host = _host(core_map, largest_input)
    return tuple(
        spread(
            lambda i: _arrivals(core_map.cores[i], i, core_map.steps, heard[i], host[i], numbers),
            range(len(core_map.cores)),
        )
    )


def programs(core: Core) -> Integers:
    """Of each compartment."""
    found: Integers = core.profile_fields["program"][core.compartment_fields["profile"]]
    return found


def _senders(core_map: CoreMap, largest_input: int) -> list[Senders]:
    cores = core_map.cores
    starts = np.cumsum([0, *(len(core.input_axons) for core in cores)])
    plain, signed, held = (np.zeros(starts[-1]) for _ in range(3))
    first, last = np.full(starts[-1], NEVER), np.zeros(starts[-1], np.int64)
    for core in cores:
        out, profile = core.output_axon_fields, core.compartment_fields["profile"]
        mine = {name: field[profile] for name, field in core.profile_fields.items()}
        counts = np.isin(mine["program"], (Program.FIRE_SUBTRACT, Program.FIRE_COUNT))
        most = np.where(counts, mine["most"], 1)
        both = counts & (mine["signed"] > 0)
        at, by = starts[out["core"]] + out["axon"], out["compartment"]
        for sums, which in ((plain, ~both[by]), (signed, both[by])):
            np.add.at(sums, at[which], most[by[which]])
        np.minimum.at(first, at, mine["first_step"][by])
        np.maximum.at(last, at, mine["first_step"][by])
    words = unpack("host_axon", core_map.host_axons)
    np.add.at(held, starts[words["core"]] + words["axon"], largest_input)
    parts = (np.split(each, starts[1:-1]) for each in (plain, signed, first, last, held))
    return [Senders(*of_core) for of_core in zip(*parts, strict=True)]


def _host(core_map: CoreMap, largest_input: int) -> list[Floats]:
    starts = np.cumsum([0, *(len(core.compartments) for core in core_map.cores)])
    words = unpack("host_bias", core_map.host_biases)
    weight = unpack("host_weight", core_map.host_weights)["weight"]
    sums = np.zeros(starts[-1])
    np.add.at(sums, starts[words["core"]] + words["compartment"], np.abs(weight) * largest_input)
    return np.split(sums, starts[1:-1])


def _arrivals(
    core: Core, number: int, steps: int, senders: Senders, host: Floats, numbers: Numbers
) -> Arrivals:
    count = len(core.compartments)
    zeros = np.zeros(count)
    lanes, closing = _groups(core)
    try:
        found = decode(core)
    except ValueError:
        return Arrivals(
            False, 0, None, host, zeros, zeros, zeros, zeros, zeros,
            np.zeros((2, count)), zeros, zeros.astype(np.int64), lanes, closing,
        )  # fmt: skip
    weight = weights(core, found, numbers).astype(np.float64)
    held, plain, signed, unheard = (np.zeros((2, count)) for _ in range(4))
    first = core.profile_fields["first_step"][core.compartment_fields["profile"]]
    stretches = Stretches.of(core, found)
    brings = Bringing(stretches, found.offsets, weight, count)
    for each in np.unique(senders.held[senders.held > 0]).tolist():
        held += each * brings.at_once(senders.held[stretches.axons] == each)
    even = _even(stretches, found, senders, first)
    for payload, sums in ((senders.plain, plain), (senders.signed, signed)):
        sent = payload[stretches.axons]
        for each in np.unique(sent[even & (sent > 0)]).tolist():
            sums += each * brings.at_once(even & (sent == each))
        for part in stretches.expanded(found.offsets, ~even & (sent > 0)):
            brought = weight[part.synapses] * payload[part.axons]
            work = first[part.targets]
            begins = senders.first[part.axons] + 1 + found.delays[part.synapses] - work
            ends = senders.last[part.axons] + 1 + found.delays[part.synapses] - work
            missed = begins < 0
            if sums is signed and missed.any():
                _add(plain, part.targets[missed], np.abs(brought[missed]))
                _add(plain, part.targets[missed], -np.abs(brought[missed]))
            _add(sums, part.targets, np.where(missed, 0, brought) if sums is signed else brought)
            odd = (begins != 0) | (ends != 0)
            if odd.any():
                heard = np.minimum(ends[odd], 0) + steps - np.maximum(begins[odd], 0)
                lost, targets = steps - np.clip(heard, 0, steps), part.targets[odd]
                _add(unheard, targets, brought[odd] * lost)
                if sums is signed:
                    _add(unheard, targets, np.where(missed[odd], -brought[odd] * lost, 0))
    returned, strays = _returned(core, number, found, weight, lanes, closing)
    return Arrivals(
        True, int(found.delays.max(initial=0)), _lost(core, found, numbers), host, held.sum(axis=0),
        plain[0], plain[1], signed[0], signed[1], unheard, returned, strays, lanes, closing,
    )  # fmt: skip


def _even(stretches: Stretches, found: Decoded, senders: Senders, first: Integers) -> Truths:
    """Of which stretches every spike is heard while the targets are at work, and nothing is heard
    before: all senders begin in one step, and all compartments from the first to the last target
    in the step in which that arrives."""
    nearest, furthest = stretches.reach(found.offsets)
    changes = np.concatenate([[0], np.cumsum(np.diff(first) != 0)])
    axons, last = stretches.axons, max(len(first) - 1, 0)
    begin, end = np.clip(nearest, 0, last), np.clip(furthest, 0, last)
    arrives = senders.first[axons] + 1 + found.delays[stretches.starts]
    together = (senders.first == senders.last)[axons] & (changes[begin] == changes[end])
    even: Truths = together & (arrives == first[begin])
    return even


def _add(sums: Floats, targets: Integers, brought: Floats) -> None:
    """To (2, compartments): what is positive and what is negative, as magnitudes."""
    for row, part in enumerate((np.maximum(brought, 0), np.maximum(-brought, 0))):
        sums[row] += np.bincount(targets, part, sums.shape[1])


def _groups(core: Core) -> tuple[Integers, Integers]:
    """Lanes and what closes them, compartment after compartment."""
    program = programs(core)
    closers = np.flatnonzero(np.isin(program, (Program.FIRE_JOINED, Program.FIRE_COUNT)))
    begins = np.where(program == Program.INTEGRATE, np.arange(len(program)), 0)
    first = np.maximum.accumulate(begins)[closers] if len(program) else closers
    lanes, owners = unrolled(first, closers - first)
    return lanes, closers[owners]


def _returned(
    core: Core, number: int, found: Decoded, weight: Floats, lanes: Integers, closing: Integers
) -> tuple[Floats, Integers]:
    """What spikes of coupled compartments take from their own lanes, and how many do else."""
    count = len(core.compartments)
    returned, strays = np.zeros(count), np.zeros(count, np.int64)
    begins = np.full(count, -1)
    begins[closing[::-1]] = lanes[::-1]
    out, program = core.output_axon_fields, programs(core)
    own = (out["core"] == number) & (program[out["compartment"]] == Program.FIRE_JOINED)
    own &= begins[out["compartment"]] >= 0
    if not own.any():
        return returned, strays
    axons, closers = out["axon"][own], out["compartment"][own]
    base, lists = core.input_axon_fields["base"][axons], found.of_axon[axons]
    owners = np.repeat(np.arange(len(found.lengths)), found.lengths)
    keys = owners << OFFSET_BITS | found.offsets
    order = np.argsort(keys, kind="stable")
    ends = [
        np.searchsorted(keys[order], lists << OFFSET_BITS | np.maximum(at - base, 0))
        for at in (begins[closers], closers)
    ]
    places, pairs = unrolled(ends[0], ends[1] - ends[0])
    synapses = order[places]
    targets, brought = base[pairs] + found.offsets[synapses], weight[synapses]
    takes = (brought < 0) & (found.delays[synapses] == 0)
    returned += np.bincount(targets[takes], -brought[takes], count)
    wrong = ~takes & (brought != 0)
    strays += np.bincount(targets[wrong], minlength=count)
    return returned, strays


def _lost(core: Core, found: Decoded, numbers: Numbers) -> tuple[int, int, int] | None:
    """A mantissa should be divisible by 2·2^−exponent; narrow weights are its upper bits."""
    exponent = core.format_fields["exponent"]
    if not (exponent < 0).any():
        return None
    wanted = np.where(exponent < 0, 1 - exponent, 0)
    given = grid_shifts(core, numbers) - exponent
    masks = (1 << np.maximum(wanted - given, 0)) - 1
    rest = found.stored & masks[found.formats]
    for i in np.flatnonzero(rest)[:1].tolist():
        return int(found.stored[i]), int(found.formats[i]), int(rest[i])
    return None
