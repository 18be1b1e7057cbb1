"""The words of a core map: one table says which bits of a 64-bit word are which field.

Packing, unpacking, listing and the specification (docs/targets/loihi.md) read this table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Field:
    """Bits `low` to `low + bits − 1` of a word; signed ones in two's complement."""

    name: str
    low: int
    bits: int
    signed: bool = False

    @property
    def least(self) -> int:
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def most(self) -> int:
        return (1 << (self.bits - self.signed)) - 1


LAYOUTS: dict[str, tuple[Field, ...]] = {
    "compartment": (
        Field("bias", 0, 16, True),
        Field("profile", 16, 8),
        Field("threshold", 24, 16),
        Field("start", 40, 24, True),
    ),
    "label": (Field("neuron", 0, 32), Field("population", 32, 16), Field("lane", 48, 16)),
    "profile": (
        Field("program", 0, 4),
        Field("bias_exponent", 4, 4),
        Field("most", 8, 7),
        Field("signed", 15, 1),
        Field("first_step", 16, 16),
        Field("current_decay", 32, 12),
        Field("potential_decay", 44, 12),
        Field("refractory", 56, 6),
    ),
    "threshold": (Field("mantissa", 0, 32),),
    "format": (
        Field("weight_bits", 0, 4),
        Field("sign", 4, 2),
        Field("index_bits", 6, 4),
        Field("delay_bits", 10, 3),
        Field("exponent", 13, 5, True),
        Field("run", 18, 1),
    ),
    "input_axon": (
        Field("pointer", 0, 20),
        Field("words", 20, 16),
        Field("base", 36, 16, True),
        Field("held", 52, 1),
    ),
    "output_axon": (Field("compartment", 0, 16), Field("core", 16, 24), Field("axon", 40, 16)),
    "host_axon": (Field("input", 0, 24), Field("core", 24, 24), Field("axon", 48, 16)),
    "host_bias": (Field("input", 0, 24), Field("core", 24, 24), Field("compartment", 48, 16)),
    "host_weight": (Field("weight", 0, 32, True),),
}
"""Kinds of words. All bits that no field has are zero."""

BLOCK_HEADER = (Field("count", 0, 6), Field("format", 6, 4))
"""First bits of a synapse block; count is one less than the synapses of the block."""

HEADER_BITS = 10
MOST_IN_BLOCK = 64


def pack(kind: str, values: Mapping[str, Integers]) -> Words:
    """Words of a kind; every field has to be given, (N) each.

    Raises OverflowError for a number that its field cannot hold.
    """
    count = len(next(iter(values.values())))
    words = np.zeros(count, np.uint64)
    for field in LAYOUTS[kind]:
        numbers = np.asarray(values[field.name], np.int64)
        if count and (numbers.min() < field.least or numbers.max() > field.most):
            raise OverflowError(
                f"{kind} {field.name} is {numbers.min()} to {numbers.max()}, should be "
                f"{field.least} to {field.most}"
            )
        mask = np.uint64((1 << field.bits) - 1)
        words |= (numbers.astype(np.uint64) & mask) << np.uint64(field.low)
    return words


def unpack(kind: str, words: Words) -> dict[str, Integers]:
    """All fields of words of a kind, by name, (N) int64 each."""
    return {field.name: field_of(words, field) for field in LAYOUTS[kind]}


def field_of(words: Words, field: Field) -> Integers:
    """One field of each word."""
    mask = np.uint64((1 << field.bits) - 1)
    numbers = ((words >> np.uint64(field.low)) & mask).astype(np.int64)
    if field.signed:
        numbers -= (numbers >> (field.bits - 1)) << field.bits
    return numbers


def unused_bits(kind: str, words: Words) -> Words:
    """The bits that no field has; zero in a map that is sound."""
    used = 0
    for field in LAYOUTS[kind]:
        used |= ((1 << field.bits) - 1) << field.low
    rest: Words = words & np.uint64(~used & ((1 << 64) - 1))
    return rest
