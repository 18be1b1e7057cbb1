"""Limits of encodings, of numbers and of what neurons may do. Every docstring is told to users.

Synapses are written only so that all published emulators of Loihi mean the same by them: mixed
weights (sign 0), and a negative exponent only where a mantissa is divisible by 2·2^−exponent, since
emulators round at different points.
"""

from collections.abc import Iterator

import numpy as np

from snncc_ir import Integers
from snncc_loihi.check_subject import Finding, Subject, Use, worst
from snncc_loihi.check_sums import Arrivals, programs
from snncc_loihi.core_map import Core, Program

MIXED = 0


def lists(subject: Subject) -> Iterator[Finding]:
    """Each input axon's list lies inside of the synapse memory and ends with a block."""
    for core, heard in zip(subject.cores, subject.arrivals, strict=True):
        axons = core.input_axon_fields
        ends = axons["pointer"] + axons["words"]
        yield from worst(core, "the end of input axon {}'s list", ends, len(core.synapses))
        if not (ends > len(core.synapses)).any() and not heard.decodes:
            yield Finding(core.place, "the number of lists that end within a block", 1, 0)


def weight_widths(subject: Subject) -> Iterator[Finding]:
    """A synapse's weight has one of the widths `weight_bits`."""
    for core in subject.cores:
        yield from _listed(core, "weight_bits", subject.chip.numbers.weight_bits)


def index_widths(subject: Subject) -> Iterator[Finding]:
    """A synapse's index has one of the widths `index_bits`, or it has none (dense)."""
    for core in subject.cores:
        yield from _listed(core, "index_bits", (0, *subject.chip.numbers.index_bits))


def _listed(core: Core, field: str, allowed: tuple[int, ...]) -> Iterator[Finding]:
    found = core.format_fields[field]
    for i in np.flatnonzero(~np.isin(found, allowed))[:1].tolist():
        nearest = min(allowed, key=lambda width: abs(width - int(found[i])))
        should = f"one of {', '.join(map(str, allowed))}"
        yield Finding(core.place, f"{field} of format {i}", int(found[i]), nearest, should)


def delay_widths(subject: Subject) -> Iterator[Finding]:
    """A synapse's delay has at most `delay_bits` bits."""
    for core in subject.cores:
        found, most = core.format_fields["delay_bits"], subject.chip.numbers.delay_bits
        yield from worst(core, "delay_bits of format {}", found, most)


def delays(subject: Subject) -> Iterator[Finding]:
    """A synapse has a delay of at most `delay` time steps."""
    use = delays_used(subject)
    for i in np.flatnonzero(use.used > use.limit).tolist():
        yield Finding(int(subject.places[i]), "the longest delay", int(use.used[i]), use.limit)


def delays_used(subject: Subject) -> Use:
    longest = [heard.longest_delay for heard in subject.arrivals]
    return Use(np.array(longest, np.int64), subject.chip.limits.delay)


def exponents(subject: Subject) -> Iterator[Finding]:
    """Exponents of synapse formats reach `most_exponent`; negative ones lose no bit of a weight."""
    most = subject.chip.numbers.most_exponent
    for core, heard in zip(subject.cores, subject.arrivals, strict=True):
        found = core.format_fields["exponent"]
        yield from worst(core, "the exponent of format {}", found, most, -most)
        if heard.lost:
            weight, which, rest = heard.lost
            what = f"what a weight of {weight} in format {which} loses"
            yield Finding(core.place, what, rest, 0, "0")


def signs(subject: Subject) -> Iterator[Finding]:
    """Weights are mixed (sign 0): the encoding that all published emulators agree on."""
    for core in subject.cores:
        yield from worst(core, "the sign of format {}", core.format_fields["sign"], MIXED)


def runs(subject: Subject) -> Iterator[Finding]:
    """Synapses share an index only where the chip has `runs`."""
    for core in subject.cores:
        most = int(subject.chip.features.runs)
        yield from worst(core, "run of format {}", core.format_fields["run"], most)


def known_programs(subject: Subject) -> Iterator[Finding]:
    """Compartments do what the chip can: soft reset natively or coupled, joined with `joins`."""
    features = subject.chip.features
    allowed = {Program.INTEGRATE, Program.FIRE_ZERO}
    if features.soft_reset == "native":
        allowed.add(Program.FIRE_SUBTRACT)
    if features.joins:
        allowed |= {Program.INTEGRATE_MAX, Program.FIRE_JOINED}
        if features.soft_reset == "native":
            allowed.add(Program.FIRE_COUNT)
    for core in subject.cores:
        found = np.unique(programs(core))
        for number in found[~np.isin(found, list(allowed))][:1].tolist():
            names = ", ".join(each.name for each in sorted(allowed))
            yield Finding(core.place, "a program", number, max(allowed), f"one of {names}")
        if features.soft_reset == "none":
            yield from _coupled_without(core)


def _coupled_without(core: Core) -> Iterator[Finding]:
    """Pairs with a threshold, which are neurons; those without may be max pools."""
    program = programs(core)
    pair = np.zeros(len(program), np.bool_)
    pair[1:] = (program[1:] == Program.FIRE_JOINED) & (program[:-1] == Program.INTEGRATE)
    which = core.compartment_fields["threshold"]
    pair[pair] = core.threshold_mantissas[which[pair]] > 0
    if pair.any():
        yield Finding(core.place, "the number of coupled pairs", int(pair.sum()), 0)


def payloads(subject: Subject) -> Iterator[Finding]:
    """A spike brings at most `payload`, and a negative number only with `signed_spikes`."""
    features = subject.chip.features
    for core in subject.cores:
        fields = core.profile_fields
        yield from worst(core, "most of profile {}", fields["most"], features.payload)
        yield from worst(
            core, "signed of profile {}", fields["signed"], int(features.signed_spikes)
        )


def held_axons(subject: Subject) -> Iterator[Finding]:
    """Input axons hold what they bring only on chips with `held_currents`."""
    most = int(subject.chip.features.held_currents)
    for core in subject.cores:
        yield from worst(core, "held of input axon {}", core.input_axon_fields["held"], most)


def biases(subject: Subject) -> Iterator[Finding]:
    """A bias and what the host adds to it, for any input, stay within `bias_mantissa`."""
    most = subject.chip.numbers.bias_mantissa
    for core, heard in zip(subject.cores, subject.arrivals, strict=True):
        yield from worst(core, "the bias of compartment {}", _reached(core, heard), most)


def _reached(core: Core, heard: Arrivals) -> Integers:
    found: Integers = (np.abs(core.compartment_fields["bias"]) + heard.host).astype(np.int64)
    return found


def biases_used(subject: Subject) -> Use:
    pairs = zip(subject.cores, subject.arrivals, strict=True)
    largest = [_reached(core, heard).max(initial=0) for core, heard in pairs]
    return Use(np.array(largest, np.int64), subject.chip.numbers.bias_mantissa)


def bias_exponents(subject: Subject) -> Iterator[Finding]:
    """The exponent of a bias is at most `bias_exponent`."""
    for core in subject.cores:
        found = core.profile_fields["bias_exponent"]
        most = subject.chip.numbers.bias_exponent
        yield from worst(core, "bias_exponent of profile {}", found, most)


def threshold_values(subject: Subject) -> Iterator[Finding]:
    """A threshold's mantissa is at most `threshold_mantissa`."""
    most = subject.chip.numbers.threshold_mantissa
    for core in subject.cores:
        yield from worst(core, "threshold {}", core.threshold_mantissas, most)


def threshold_values_used(subject: Subject) -> Use:
    largest = [core.threshold_mantissas.max(initial=0) for core in subject.cores]
    return Use(np.array(largest, np.int64), subject.chip.numbers.threshold_mantissa)


def starts(subject: Subject) -> Iterator[Finding]:
    """The potential that a compartment starts with fits `potential_bits`."""
    most = (1 << (subject.chip.numbers.potential_bits - 1)) - 1
    for core in subject.cores:
        found = core.compartment_fields["start"]
        yield from worst(core, "the start of compartment {}", found, most, -most - 1)


NUMBERS = (
    lists, weight_widths, index_widths, delay_widths, delays, exponents, signs, runs,
    known_programs, payloads, held_axons, biases, bias_exponents, threshold_values, starts,
)  # fmt: skip
