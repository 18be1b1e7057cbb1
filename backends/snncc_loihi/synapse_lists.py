"""Synapses of a core's input axons, read from their words as the specification says.

For the exports: written apart from the packing and from the simulator, so that the referees do not
repeat an error of theirs.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.chip import Numbers
from snncc_loihi.core_map import Core
from snncc_loihi.words import HEADER_BITS, Words

MIXED, INHIBITORY = 0, 2


@dataclass(frozen=True)
class Synapses:
    """Of one input axon, (S) each.

    targets: compartments. delays: in steps. weights: what a payload of 1 adds to the potential.
    stored: their mantissas. formats: numbers of their formats.
    """

    targets: Integers
    delays: Integers
    weights: Integers
    stored: Integers
    formats: Integers

    @property
    def count(self) -> int:
        return len(self.targets)


def axon_synapses(core: Core, numbers: Numbers) -> tuple[Synapses, ...]:
    """Of each input axon of a core; weights of 0 in dense formats are left out."""
    axons = core.input_axon_fields
    lists: dict[tuple[int, int], Synapses] = {}
    found = []
    for i in range(len(core.input_axons)):
        key = int(axons["pointer"][i]), int(axons["words"][i])
        if key not in lists:
            lists[key] = _list(core, core.synapses[key[0] : sum(key)], numbers)
        part = lists[key]
        targets = part.targets + axons["base"][i]
        found.append(Synapses(targets, part.delays, part.weights, part.stored, part.formats))
    return tuple(found)


def _list(core: Core, words: Words, numbers: Numbers) -> Synapses:
    """One list of blocks, with base 0."""
    bits = np.unpackbits(words.astype("<u8").view(np.uint8), bitorder="little")
    none = np.zeros(0, np.int64)
    blocks, position, dense = [(none,) * 5], 0, 0
    while position < len(bits):
        count = int(_number(bits[position : position + 6])) + 1
        number = int(_number(bits[position + 6 : position + HEADER_BITS]))
        form = {name: int(values[number]) for name, values in core.format_fields.items()}
        start, index_bits = position + HEADER_BITS, form["index_bits"]
        index = np.arange(count, dtype=np.int64)
        if form["run"]:
            index += _number(bits[start : start + index_bits])
            start, index_bits = start + index_bits, 0
        widths = (index_bits, form["delay_bits"], form["weight_bits"])
        rows = bits[start : start + count * sum(widths)].reshape(count, sum(widths))
        parts = np.split(rows, np.cumsum(widths)[:2], axis=1)
        indices, delays, stored = (_number(part) for part in parts)
        if index_bits:
            index = indices
        elif not form["run"]:
            index += dense
            dense += count
        if form["sign"] == MIXED:
            stored = stored - ((stored >> (form["weight_bits"] - 1)) << form["weight_bits"])
        elif form["sign"] == INHIBITORY:
            stored = -stored
        formats = np.full(count, number, np.int64)
        weights = _shifted(stored, _shift(form, numbers))
        real = np.full(count, form["index_bits"] > 0) | (stored != 0)
        blocks.append(tuple(a[real] for a in (index, delays, weights, stored, formats)))
        position = start + count * sum(widths)
        position += -position % 64
    return Synapses(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


def _shift(form: dict[str, int], numbers: Numbers) -> int:
    """Binary digits between a stored weight and the unit of potentials."""
    grid = 8 - form["weight_bits"] + (form["sign"] == MIXED) if numbers.mixed_step else 0
    return grid + form["exponent"] + numbers.weight_shift


def _shifted(stored: Integers, shift: int) -> Integers:
    """stored · 2^shift; a map has no weights where this is no integer."""
    return stored << shift if shift >= 0 else stored >> -shift


def _number(bits: NDArray[np.uint8]) -> Integers:
    """(..., B) bits, the lowest first, as numbers (...)."""
    places = np.int64(1) << np.arange(bits.shape[-1], dtype=np.int64)
    number: Integers = bits.astype(np.int64) @ places
    return number
