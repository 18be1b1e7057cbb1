"""What differs between two images, in words: by layer, instruction, field and table."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

import numpy as np

from snncc_ttfs28.image import Image, Map, Parameters
from snncc_ttfs28.isa import INSTRUCTIONS, Instruction
from snncc_ttfs28.text import code_names

POINTERS = {"weights": ("first",), "start": ("first",), "integrate": ("exponents",)}
"""Fields that only say where a table's part lies: what lies there is compared instead."""


@dataclass
class _Layer:
    """Instructions of a layer, and all that they take from the tables, in order."""

    steps: list[Instruction] = field(default_factory=list)
    tables: dict[str, list[int]] = field(
        default_factory=lambda: {"weight": [], "bias": [], "exponent": [], "threshold": []}
    )


def image_differences(first: Image, second: Image) -> Iterator[str]:
    """One line for each difference; none when the images mean the same."""
    for each in fields(Parameters):
        ours, theirs = (getattr(i.parameters, each.name) for i in (first, second))
        if ours != theirs:
            yield f"parameters: {each.name} {ours} → {theirs}"
    if first.machine_hash != second.machine_hash:
        yield "machine: another description"
    if not np.array_equal(first.constants, second.constants):
        yield f"constants: {first.constants.tolist()} → {second.constants.tolist()}"
    yield from _maps(first, second)
    mine, others = _layers(first), _layers(second)
    bits = (first.parameters.weight_bits, second.parameters.weight_bits)
    for name in dict.fromkeys([*mine, *others]):
        if name not in others:
            yield f"layer '{name}': only in the first"
        elif name not in mine:
            yield f"layer '{name}': only in the second"
        else:
            for line in _layer(mine[name], others[name], bits):
                yield f"layer '{name}': {line}"
    if list(mine) != list(others) and set(mine) == set(others):
        yield "schedule: the layers stand in another order"


def _maps(first: Image, second: Image) -> Iterator[str]:
    ours, theirs = _maps_by_name(first), _maps_by_name(second)
    for name in dict.fromkeys([*ours, *theirs]):
        if name not in ours or name not in theirs:
            yield f"map '{name}': only in the {'first' if name in ours else 'second'}"
            continue
        for key in ("space", "address", "shape", "levels", "scale"):
            mine, other = getattr(ours[name], key), getattr(theirs[name], key)
            if mine != other:
                yield f"map '{name}': {key} {mine} → {other}"


def _maps_by_name(image: Image) -> dict[str, Map]:
    """Further maps of one name are counted from 2."""
    found: dict[str, Map] = {}
    for each in image.maps:
        name, number = image.names[each.name], 1
        while (label := name if number == 1 else f"{name} ({number})") in found:
            number += 1
        found[label] = each
    return found


def _layers(image: Image) -> dict[str, _Layer]:
    layers: dict[str, _Layer] = {}
    tile: Instruction | None = None
    for step in image.schedule:
        layer = layers.setdefault(image.names[step.layer], _Layer())
        layer.steps.append(step)
        if step.name == "tile":
            tile = step
        _gather(image, step, tile, layer.tables)
    return layers


def _gather(
    image: Image, step: Instruction, tile: Instruction | None, tables: dict[str, list[int]]
) -> None:
    channels = tile["channels"] if tile else 0
    size = channels * tile["height"] * tile["width"] if tile else 0
    match step.name:
        case "weights":
            first = step["first"]
            tables["weight"] += image.weights[first : first + step["count"]].tolist()
        case "start":
            count = size if step["each"] else channels
            tables["bias"] += image.biases[step["first"] : step["first"] + count].tolist()
        case "integrate":
            first = step["exponents"]
            tables["exponent"] += image.exponents[first : first + channels].tolist()
        case "fire":
            tables["threshold"] += image.thresholds[step["table"] :][:1].reshape(-1).tolist()


def _layer(first: _Layer, second: _Layer, bits: tuple[int, int]) -> Iterator[str]:
    if [step.name for step in first.steps] != [step.name for step in second.steps]:
        before, after = (", ".join(s.name for s in layer.steps) for layer in (first, second))
        yield f"instructions {before} → {after}"
    else:
        for number, (mine, other) in enumerate(zip(first.steps, second.steps, strict=True)):
            skipped = POINTERS.get(mine.name, ("table",) if mine.name == "fire" else ())
            for i, each in enumerate(INSTRUCTIONS[mine.name].fields):
                if mine.fields[i] != other.fields[i] and each.name not in skipped:
                    yield (
                        f"instruction {number} ({mine.name}) {each.name} "
                        f"{mine.fields[i]} → {other.fields[i]}"
                    )
    for name in first.tables:
        ours, theirs = first.tables[name], second.tables[name]
        plural = "biases" if name == "bias" else f"{name}s"
        if len(ours) != len(theirs):
            yield f"{len(ours)} → {len(theirs)} {plural}"
            continue
        places = [i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b]
        if places:
            at = places[0]
            old, new = str(ours[at]), str(theirs[at])
            if name == "weight":
                old, new = code_names(bits[0])[ours[at]], code_names(bits[1])[theirs[at]]
            yield f"{len(places)} of {len(ours)} {plural} differ, first {name} {at}: {old} → {new}"
