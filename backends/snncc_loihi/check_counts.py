"""Limits of how much a core holds, and of where cores may be. Every docstring is told to users."""

from collections.abc import Iterator

import numpy as np

from snncc_loihi.check_subject import Finding, Subject, Use, beyond

WORD_BYTES = 8
ANY = 1 << 62
"""Where a chip has no such limit."""


def places(subject: Subject) -> Iterator[Finding]:
    """Cores are at different places of the largest system: most_chips times the cores of one."""
    most = subject.chip.mesh.cores * subject.chip.mesh.most_chips - 1
    yield from beyond(subject, "the place", Use(subject.places, most))
    found, counts = np.unique(subject.places, return_counts=True)
    for place, count in zip(found.tolist(), counts.tolist(), strict=True):
        if count > 1:
            yield Finding(place, "the number of cores there", count, 1)


def compartments(subject: Subject) -> Iterator[Finding]:
    """A core has at most `compartments` compartments."""
    yield from beyond(subject, "the number of compartments", compartments_used(subject))


def compartments_used(subject: Subject) -> Use:
    return Use(subject.sizes("compartments"), subject.chip.limits.compartments)


def input_axons(subject: Subject) -> Iterator[Finding]:
    """A core has at most `input_axons` input axons, held ones among them."""
    yield from beyond(subject, "the number of input axons", input_axons_used(subject))


def input_axons_used(subject: Subject) -> Use:
    return Use(subject.sizes("input_axons"), subject.chip.limits.input_axons)


def output_axons(subject: Subject) -> Iterator[Finding]:
    """A core has at most `output_axons` output axons: one for each core that a neuron reaches."""
    yield from beyond(subject, "the number of output axons", output_axons_used(subject))


def output_axons_used(subject: Subject) -> Use:
    return Use(subject.sizes("output_axons"), subject.chip.limits.output_axons)


def synapse_words(subject: Subject) -> Iterator[Finding]:
    """The synapses of a core take at most `synapse_words` words of 64 bits."""
    yield from beyond(subject, "the number of synapse words", synapse_words_used(subject))


def synapse_words_used(subject: Subject) -> Use:
    return Use(subject.sizes("synapses"), subject.chip.limits.synapse_words or ANY)


def core_bytes(subject: Subject) -> Iterator[Finding]:
    """Compartments, input and output axons and synapse words of a core share `core_bytes` bytes."""
    yield from beyond(subject, "the number of bytes", core_bytes_used(subject))


def core_bytes_used(subject: Subject) -> Use:
    limits = subject.chip.limits
    axons = subject.sizes("input_axons") + subject.sizes("output_axons")
    used = subject.sizes("compartments") * limits.compartment_bytes + axons * limits.axon_bytes
    return Use(used + WORD_BYTES * subject.sizes("synapses"), limits.core_bytes or ANY)


def profiles(subject: Subject) -> Iterator[Finding]:
    """A core has at most `profiles` compartment profiles."""
    yield from beyond(subject, "the number of profiles", profiles_used(subject))


def profiles_used(subject: Subject) -> Use:
    return Use(subject.sizes("profiles"), subject.chip.limits.profiles)


def thresholds(subject: Subject) -> Iterator[Finding]:
    """A core has at most `thresholds` threshold profiles."""
    yield from beyond(subject, "the number of thresholds", thresholds_used(subject))


def thresholds_used(subject: Subject) -> Use:
    return Use(subject.sizes("thresholds"), subject.chip.limits.thresholds)


def formats(subject: Subject) -> Iterator[Finding]:
    """A core has at most `formats` synapse formats."""
    yield from beyond(subject, "the number of formats", formats_used(subject))


def formats_used(subject: Subject) -> Use:
    return Use(subject.sizes("formats"), subject.chip.limits.formats)


def axon_bases(subject: Subject) -> Iterator[Finding]:
    """An input axon's indices count from a compartment of `least_axon_base` to `axon_base`."""
    limits = subject.chip.limits
    for core in subject.cores:
        base = core.input_axon_fields["base"]
        for wrong in (base > limits.axon_base, base < limits.least_axon_base):
            for i in np.flatnonzero(wrong)[:1].tolist():
                nearest = limits.axon_base if base[i] > 0 else limits.least_axon_base
                should = f"{limits.least_axon_base} to {limits.axon_base}"
                yield Finding(
                    core.place, f"the base of input axon {i}", int(base[i]), nearest, should
                )


def axon_bases_used(subject: Subject) -> Use:
    largest = [core.input_axon_fields["base"].max(initial=0) for core in subject.cores]
    return Use(np.array(largest, np.int64), subject.chip.limits.axon_base)


COUNTS = (
    places, compartments, input_axons, output_axons, synapse_words, core_bytes, profiles,
    thresholds, formats, axon_bases,
)  # fmt: skip
