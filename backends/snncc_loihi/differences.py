"""What differs between two core maps, in words: by core, memory and field."""

from collections.abc import Iterator, Mapping

import numpy as np

from snncc_ir import Integers
from snncc_loihi.core_map import Core, CoreMap
from snncc_loihi.synapses import by_axon, read_lists
from snncc_loihi.words import unpack

MEMORIES = {
    "compartment": "compartments", "profile": "profiles", "threshold": "thresholds",
    "format": "formats", "input axon": "input_axons", "output axon": "output_axons",
}  # fmt: skip
"""Synapses are compared as the input axons have them, wherever they lie."""
POINTERS = ("pointer", "words")
"""Fields that only say where a list lies."""


def map_differences(first: CoreMap, second: CoreMap) -> Iterator[str]:
    """One line for each kind of difference; none when the maps mean the same."""
    if first.chip_digest != second.chip_digest:
        yield "chip: another description"
    if first.steps != second.steps:
        yield f"steps {first.steps} → {second.steps}"
    if len(first.cores) != len(second.cores):
        yield f"{len(first.cores)} → {len(second.cores)} cores"
    for i, (ours, theirs) in enumerate(zip(first.cores, second.cores, strict=False)):
        for line in _core(ours, theirs):
            yield f"core {i}: {line}"
    yield from _fields(
        "host axon", unpack("host_axon", first.host_axons), unpack("host_axon", second.host_axons)
    )
    yield from _fields("host bias", _biases(first), _biases(second))


def _biases(core_map: CoreMap) -> dict[str, Integers]:
    weights = unpack("host_weight", core_map.host_weights)
    return {**unpack("host_bias", core_map.host_biases), **weights}


def _core(first: Core, second: Core) -> Iterator[str]:
    if first.place != second.place:
        yield f"place {first.place} → {second.place}"
    for name, memory in MEMORIES.items():
        kind = name.replace(" ", "_")
        ours, theirs = (unpack(kind, getattr(core, memory)) for core in (first, second))
        if name == "compartment":
            ours.update(first.label_fields)
            theirs.update(second.label_fields)
        for field in POINTERS if name == "input axon" else ():
            del ours[field], theirs[field]
        yield from _fields(name, ours, theirs)
    if len(first.input_axons) == len(second.input_axons):
        yield from _synapses(first, second)


def _synapses(first: Core, second: Core) -> Iterator[str]:
    (rows, ours), (others, theirs) = (_by_axon(core) for core in (first, second))
    places = np.flatnonzero(np.diff(rows) != np.diff(others))
    if len(places):
        at = places[0]
        yield (
            f"{len(places)} of {len(rows) - 1} input axons have other numbers of synapses, first "
            f"input axon {at}: {np.diff(rows)[at]} → {np.diff(others)[at]}"
        )
        return
    for field in ours:
        places = np.flatnonzero(ours[field] != theirs[field])
        if len(places):
            at = places[0]
            axon = int(np.searchsorted(rows, at, side="right")) - 1
            yield (
                f"{len(places)} of {rows[-1]} synapses differ in {field}, first of input axon "
                f"{axon} to {ours['target'][at]}: {ours[field][at]} → {theirs[field][at]}"
            )


def _by_axon(core: Core) -> tuple[Integers, dict[str, Integers]]:
    lists = read_lists(core)
    rows, which = by_axon(lists)
    base = np.repeat(core.input_axon_fields["base"], np.diff(rows))
    return rows, {
        "target": base + lists.offsets[which],
        "delay": lists.delays[which],
        "weight": lists.stored[which],
        "format": lists.formats[which],
    }


def _fields(
    name: str, first: Mapping[str, Integers], second: Mapping[str, Integers]
) -> Iterator[str]:
    plural = f"{name}es" if name.endswith("s") else f"{name}s"
    sizes = [len(next(iter(fields.values()))) for fields in (first, second)]
    if sizes[0] != sizes[1]:
        yield f"{sizes[0]} → {sizes[1]} {plural}"
        return
    for field, numbers in first.items():
        places = np.flatnonzero(numbers != second[field])
        if len(places):
            at = places[0]
            change = f"{numbers[at]} → {second[field][at]}"
            if len(places) == 1:
                yield f"{name} {at} {field} {change}"
            else:
                yield (
                    f"{len(places)} of {sizes[0]} {plural} differ in {field}, first {name} {at}: "
                    f"{change}"
                )
