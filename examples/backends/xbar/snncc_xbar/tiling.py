"""Matrices on arrays: whole output channels a tile, rows cut where an array ends."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc_xbar.matrices import Matrix

PAIR, REFERENCE = "pair", "reference"


@dataclass(frozen=True)
class Scheme:
    """How a weight is written. w = step · Σ 2^p · bit_p − offset.

    `pair`: planes bits of a magnitude, each in a positive and a negative column. `reference`: the
    bits of (w + offset) / step, and a column of the array that is on in all rows.
    """

    kind: str
    planes: int
    step: int = 1
    offset: int = 0

    @property
    def columns(self) -> int:
        """Of an output channel."""
        return self.planes * (2 if self.kind == PAIR else 1)

    def outputs(self, columns: int) -> int:
        """Output channels on an array of so many columns; 0 where none fits."""
        return (columns - (self.kind == REFERENCE)) // self.columns

    def width(self, outputs: int) -> int:
        """Columns that so many output channels take."""
        return outputs * self.columns + (self.kind == REFERENCE)

    def cells(self, codes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(rows, columns) of codes (outputs, rows)."""
        bits = np.arange(self.planes)
        if self.kind == PAIR:
            signed = np.stack([np.maximum(codes, 0), np.maximum(-codes, 0)], axis=-1)
            planes = (signed[..., None, :] >> bits[:, None]) & 1
        else:
            planes = (((codes + self.offset) // self.step)[..., None] >> bits) & 1
        flat = np.moveaxis(planes, 1, 0).reshape(codes.shape[1], -1).astype(bool)
        if self.kind == PAIR:
            return flat
        return np.concatenate([flat, np.ones((len(flat), 1), bool)], axis=1)

    def decoded(self, counts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Σ w·x of each output, from what the columns count, (…, columns) to (…, outputs)."""
        powers = np.exp2(np.arange(self.planes)).astype(np.float32)
        if self.kind == PAIR:
            both = counts.reshape(*counts.shape[:-1], -1, self.planes, 2)
            paired: NDArray[np.float32] = np.matmul(both[..., 0] - both[..., 1], powers)
            return paired
        bits = counts[..., :-1].reshape(*counts.shape[:-1], -1, self.planes)
        single: NDArray[np.float32] = np.matmul(bits, powers)
        return self.step * single - self.offset * counts[..., -1:]


def scheme_of(matrix: Matrix, cells: str) -> Scheme:
    """Zeros between groups can only be written as pairs."""
    if cells == PAIR or matrix.groups > 1:
        return Scheme(PAIR, matrix.magnitude_bits)
    if matrix.binary:
        return Scheme(REFERENCE, 1, 2, 1)
    return Scheme(REFERENCE, matrix.magnitude_bits + 1, 1, 1 << matrix.magnitude_bits)


@dataclass(frozen=True)
class Tile:
    """Part of a matrix on an array of its own: from its first row and column."""

    row: int
    rows: int
    output: int
    outputs: int


def tiles_of(matrix: Matrix, scheme: Scheme, array: int) -> Iterator[Tile]:
    """In order of outputs, then of rows; those without a weight are left out."""
    most = scheme.outputs(array)
    outputs, rows = matrix.codes.shape
    for first in range(0, outputs, most):
        for row in range(0, rows, array):
            tile = Tile(row, min(array, rows - row), first, min(most, outputs - first))
            if matrix.used[first : first + tile.outputs, row : row + tile.rows].any():
                yield tile
