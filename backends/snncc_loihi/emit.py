"""The core map of an assignment: cores in the order of their places, all memories as words."""

import numpy as np

from snncc_ir import Integers
from snncc_loihi.chip import Chip
from snncc_loihi.core_map import Core, CoreMap
from snncc_loihi.cores import HOST
from snncc_loihi.mapping import Assignment, LoadedCore
from snncc_loihi.words import Words, pack


def make_map(assignment: Assignment, places: Integers, chip: Chip) -> CoreMap:
    """places: the physical core of each core of the assignment, all different."""
    order = np.argsort(places)
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    outputs = _output_axons(assignment, number)
    cores = tuple(
        _core(assignment.cores[core], int(places[core]), outputs[core]) for core in order.tolist()
    )
    biases, weights = _host_biases(assignment, number)
    return CoreMap(
        assignment.network.steps,
        chip.digest,
        cores,
        _host_axons(assignment, number),
        biases,
        weights,
    )


def _core(core: LoadedCore, place: int, outputs: Words) -> Core:
    packed = core.packed
    formats = packed.formats
    return Core(
        place,
        core.tables.compartments,
        core.tables.labels,
        core.tables.profiles,
        core.tables.thresholds,
        pack(
            "format",
            {
                "weight_bits": np.array([f.weight_bits for f in formats], np.int64),
                "sign": np.zeros(len(formats), np.int64),
                "index_bits": np.array([f.index_bits for f in formats], np.int64),
                "delay_bits": np.array([f.delay_bits for f in formats], np.int64),
                "exponent": np.array([f.exponent for f in formats], np.int64),
                "run": np.array([f.run for f in formats], np.int64),
            },
        ),
        pack(
            "input_axon",
            {
                "pointer": packed.pointers,
                "words": packed.lengths,
                "base": packed.bases,
                "held": (core.sources < 0).astype(np.int64),
            },
        ),
        packed.memory,
        outputs,
    )


def _output_axons(assignment: Assignment, number: Integers) -> list[Words]:
    """Of each core of the assignment; targets are numbered as in the map."""
    arrangement = assignment.arrangement
    width = np.concatenate([np.full(each.size, each.width) for each in assignment.network.layers])
    sources, targets, axons = [], [], []
    for core, loaded in enumerate(assignment.cores):
        own = np.flatnonzero(loaded.sources >= 0)
        sources.append(loaded.sources[own])
        targets.append(np.full(len(own), number[core]))
        axons.append(own)
    source, target, axon = (np.concatenate(part) for part in (sources, targets, axons))
    compartment = arrangement.compartment[source] + width[source] - 1
    here = arrangement.core[source]
    order = np.lexsort((target, compartment, here))
    fields = {"compartment": compartment, "core": target, "axon": axon}
    words = pack("output_axon", {name: values[order] for name, values in fields.items()})
    bounds = np.cumsum(np.bincount(here, minlength=arrangement.cores))
    return np.split(words, bounds[:-1])


def _host_axons(assignment: Assignment, number: Integers) -> Words:
    inputs, targets, axons = [], [], []
    for core, loaded in enumerate(assignment.cores):
        held = np.flatnonzero(loaded.sources < 0)
        inputs.append(HOST - loaded.sources[held])
        targets.append(np.full(len(held), number[core]))
        axons.append(held)
    fields = dict(
        zip(
            ("input", "core", "axon"),
            (np.concatenate(part) for part in (inputs, targets, axons)),
            strict=True,
        )
    )
    order = np.lexsort((fields["core"], fields["input"]))
    return pack("host_axon", {name: values[order] for name, values in fields.items()})


def _host_biases(assignment: Assignment, number: Integers) -> tuple[Words, Words]:
    network, arrangement = assignment.network, assignment.arrangement
    none = np.zeros(0, np.int64)
    parts = [(none, none, none)]
    for bias in network.host_biases:
        told = np.flatnonzero(bias.inputs >= 0)
        neurons = network.layers[bias.layer].first + told
        parts.append((bias.inputs[told], neurons, bias.weights[told]))
    inputs, neurons, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    core, compartment = number[arrangement.core[neurons]], arrangement.compartment[neurons]
    order = np.lexsort((compartment, core, inputs))
    fields = {"input": inputs, "core": core, "compartment": compartment}
    words = pack("host_bias", {name: values[order] for name, values in fields.items()})
    return words, pack("host_weight", {"weight": weights[order]})
