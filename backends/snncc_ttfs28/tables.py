"""What a schedule points into: places in external memory, and the tables of an image."""

from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_ttfs28.routes import Box


@dataclass(frozen=True)
class Place:
    """Where a node's numbers lie in external memory. space: 0 spikes, 1 input, 2 output."""

    space: int
    address: int
    box: Box


@dataclass
class Tables:
    """What instructions point into, as it grows."""

    weights: list[NDArray[np.uint8]] = field(default_factory=list)
    codes: int = 0
    places: dict[bytes, int] = field(default_factory=dict)
    """By the SHA-256 of weights: where they are, so that none is stored twice."""
    exponents: list[int] = field(default_factory=list)
    biases: list[int] = field(default_factory=list)
    thresholds: list[tuple[int, ...]] = field(default_factory=list)

    def add_weights(self, codes: Integers, bits: int) -> int:
        """Appends weights as machine codes, if they are not there; the index of the first."""
        own = machine_codes(codes, bits).reshape(-1)
        key = sha256(own.tobytes()).digest()
        if key not in self.places:
            self.places[key] = self.codes
            self.weights.append(own)
            self.codes += own.size
        return self.places[key]

    def add_exponents(self, offsets: Integers) -> int:
        first = len(self.exponents)
        self.exponents += offsets.tolist()
        return first

    def add_biases(self, biases: Integers) -> int:
        first = len(self.biases)
        self.biases += biases.reshape(-1).tolist()
        return first

    def add_thresholds(self, table: Integers) -> int:
        """Index of the table; equal tables are one."""
        row = tuple(table.tolist())
        if row not in self.thresholds:
            self.thresholds.append(row)
        return self.thresholds.index(row)


def machine_codes(codes: Integers, bits: int) -> NDArray[np.uint8]:
    """Codes of `Log2` (0, ±(q + 1)) as those of the machine: the sign bit, then q or all ones."""
    zero = (1 << (bits - 1)) - 1
    magnitude = np.where(codes == 0, zero, np.abs(codes) - 1)
    result: NDArray[np.uint8] = (magnitude + (codes < 0) * (zero + 1)).astype(np.uint8)
    return result
