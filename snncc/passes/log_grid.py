"""The grid of logarithmic weights, and rounding to it: nearest, or with errors compensated.

A row (output channel) of exponent E holds 0 and ±2^((E − q)/z), q = 0 … levels − 1.

Compensated rounding goes through a row's weights one by one. What rounding one of them changes in
the layer's output is pushed into the weights not yet rounded, so that the output moves least on
calibration data: with H = Σ x xᵀ the second moments of the layer's inputs, the best weights yet
free follow from the inverse of H, column by column (Optimal Brain Surgeon, Hassibi and Stork 1993;
in this order and form GPTQ, Frantar et al. 2023), here on a logarithmic grid.
"""

from dataclasses import dataclass

import numpy as np

from snncc_ir import Floats, Integers

BLOCK = 128
"""Columns whose errors are pushed into the rest of the row at once."""


@dataclass(frozen=True)
class Grid:
    """levels: magnitudes beside 0. resolution: levels an octave (z)."""

    levels: int
    resolution: int

    @staticmethod
    def of_bits(bits: int, resolution: int) -> "Grid":
        """A sign and an exponent code, of which one is weight zero."""
        return Grid((1 << (bits - 1)) - 1, resolution)

    @property
    def _magnitudes(self) -> Floats:
        magnitudes: Floats = np.exp2(-np.arange(self.levels) / self.resolution)
        return magnitudes

    def codes(self, weights: Floats, exponent: Integers) -> Integers:
        """The nearest of the grid, in the linear domain: 0, or ±(q + 1).

        exponent: broadcastable to the weights.
        """
        ascending = np.concatenate([[0.0], self._magnitudes[::-1]])
        middles = (ascending[1:] + ascending[:-1]) / 2
        magnitude = np.abs(weights) * np.exp2(-exponent / self.resolution)
        place = np.searchsorted(middles, magnitude, side="right")
        code: Integers = np.where(place > 0, self.levels + 1 - place, 0)
        return code * np.where(weights < 0, -1, 1)

    def values(self, codes: Integers, exponent: Integers) -> Floats:
        """The weights of codes."""
        steps = np.abs(codes) - 1
        values: Floats = np.sign(codes) * np.exp2((exponent - steps) / self.resolution)
        return values

    def top(self, largest: Floats) -> Integers:
        """The exponent whose largest magnitude is nearest to `largest` (linear domain)."""
        safe = np.maximum(largest, np.exp2(-40.0))
        low = np.floor(np.log2(safe) * self.resolution)
        middle = (np.exp2(low / self.resolution) + np.exp2((low + 1) / self.resolution)) / 2
        exponent: Integers = (low + (safe > middle)).astype(np.int64)
        return exponent


@dataclass(frozen=True)
class Rounded:
    """codes: (R, d). error: (R), what the layer's output moves by, squared, on calibration data."""

    codes: Integers
    error: Floats


def nearest(grid: Grid, weights: Floats, exponent: Integers, moments: Floats | None) -> Rounded:
    """Rounds (R, d) weights with exponents (R), each for itself.

    moments: H, (d, d); without them the error is that of the weights.
    """
    codes = grid.codes(weights, exponent[:, None])
    off = grid.values(codes, exponent[:, None]) - weights
    moved = off if moments is None else off @ moments
    return Rounded(codes, np.einsum("rd,rd->r", moved, off))


def compensated(grid: Grid, weights: Floats, exponent: Integers, moments: Floats | None) -> Rounded:
    """As `nearest`, with errors pushed into the weights not yet rounded. H has to be regular."""
    if moments is None:
        return nearest(grid, weights, exponent, moments)
    order = np.argsort(-np.diag(moments), kind="stable")
    upper = _inverse_factor(moments[np.ix_(order, order)])
    work = weights[:, order].copy()
    codes = np.zeros(weights.shape, np.int64)
    error = np.zeros(len(weights))
    width = weights.shape[1]
    for start in range(0, width, BLOCK):
        end = min(start + BLOCK, width)
        pushed = np.zeros((len(weights), end - start))
        for column in range(start, end):
            code = grid.codes(work[:, column], exponent)
            off = (work[:, column] - grid.values(code, exponent)) / upper[column, column]
            work[:, column + 1 : end] -= off[:, None] * upper[column, column + 1 : end]
            codes[:, column], pushed[:, column - start] = code, off
            error += np.square(off)
        work[:, end:] -= pushed @ upper[start:end, end:]
    back = np.empty_like(order)
    back[order] = np.arange(width)
    return Rounded(codes[:, back], error)


def _inverse_factor(moments: Floats) -> Floats:
    """The upper triangular U with H⁻¹ = Uᵀ U."""
    root = np.linalg.inv(np.linalg.cholesky(moments))
    factor: Floats = np.linalg.cholesky(root.T @ root).T
    return factor
