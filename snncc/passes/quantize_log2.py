"""`quantize-log2`: weights as a sign and an exponent, ±2^((E − q)/resolution).

    conv{weight=f32}   →   conv{weight=log2{codes=i8, exponent=i16, resolution=2}}

Layer after layer, on what really arrives there (time code and rounding of the layers before it
included) and for the drive that the layer had in the network as it was:

* `error=output` looks for each channel's exponent E among a few, for the least error of the layer's
  output on calibration data; `error=weight` for the least error of the weights.
* `rounding=compensated` pushes each rounding's error into the weights not yet rounded, in a layer
  whose weights have first been moved to where they undo the errors that arrive; `rounding=nearest`
  rounds each weight for itself. See `log_grid`.
* One-to-one maps (shortcuts) have an exponent for each weight, so aligned ones are exact.
* Weights that are logarithmic already (`log-weights`) stay what they are.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from snncc.passes.base import Context, Lossy, Pass
from snncc.passes.layerwise import Layer, rewrite_layers
from snncc.passes.log_grid import Grid, Rounded, compensated, nearest
from snncc.passes.moments import Moments, moments
from snncc_ir import (
    CODED,
    RESOLUTIONS,
    Floats,
    Graph,
    Integers,
    Log2,
    fail,
    i8,
    i16,
)  # fmt: skip
from snncc_ir.ops import Chain, Conv, Dense, Population, Scale, chain_type

ROUNDINGS = ("compensated", "nearest")
ERRORS = ("output", "weight")
CANDIDATES = 5
"""Exponents that are tried for a channel: from one above the largest weight's downwards."""
WIDEST = 6144
"""Inputs of a neuron beyond which second moments are too many: such layers (the first dense one of
a VGG for large images) are rounded each weight for itself."""
AT_ONCE = 1 << 27
"""Numbers that are rounded at once, which bounds the memory."""
DAMPING = 1e-2
"""Of the moments, relative to their mean diagonal, where they decide where weights move."""


@dataclass(frozen=True)
class QuantizeLog2(Pass):
    """Rounds weights to `bits` bits: a sign and an exponent, of which one code is zero."""

    bits: int = 5
    resolution: int = 2
    rounding: str = "compensated"
    error: str = "output"
    samples: int = 1024
    name = "quantize-log2"
    needs = CODED
    promise = Lossy(why="weights become powers of a root of 2")

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 8:
            raise fail("SNN020", f"bits is {self.bits}, should be 2 to 8")
        if self.resolution not in RESOLUTIONS:
            raise fail("SNN020", f"resolution is {self.resolution}, should be 1, 2 or 4")
        if self.samples < 1:
            raise fail("SNN020", f"samples is {self.samples}, should be at least 1")
        for what, value, known in (
            ("rounding", self.rounding, ROUNDINGS),
            ("error", self.error, ERRORS),
        ):
            if value not in known:
                raise fail("SNN020", f"{what} is '{value}', should be {' or '.join(known)}")

    def run(self, graph: Graph, context: Context) -> Graph:
        return rewrite_layers(graph, context, self.name, self.samples, self._layer)

    def _layer(self, layer: Layer) -> Population:
        op = layer.op
        # one-to-one maps first: what they do to what arrives is then the others' to correct
        order = sorted(range(len(op.maps)), key=lambda i: not isinstance(op.maps[i][-1], Scale))
        for which in order:
            chain = op.maps[which]
            rounded = self._map(layer, op, which, chain)
            op = replace(op, maps=(*op.maps[:which], rounded, *op.maps[which + 1 :]))
        return op

    def _map(self, layer: Layer, op: Population, which: int, chain: Chain) -> Chain:
        *moves, last = chain
        if isinstance(last, Conv | Dense | Scale) and isinstance(last.weight, Log2):
            return chain  # as the network was trained: see log-weights
        grid = Grid.of_bits(self.bits, self.resolution)
        if isinstance(last, Scale):
            return (*moves, Scale(_each(last.weight.floats, grid)))
        if not isinstance(last, Conv | Dense):
            raise AssertionError("the checker holds that a map ends in conv, dense or scale")
        weight = last.weight.floats
        rows = weight.reshape(len(weight), -1)
        by_weight = self.rounding == "nearest" and self.error == "weight"
        if by_weight or rows.shape[1] > WIDEST:
            codes, exponent = _search(grid, rows, None, nearest)
        else:
            rest = layer.target - op.bias.floats.astype(np.float32)
            for other in range(len(op.maps)):
                if other != which:
                    rest = rest - layer.drive(op, other)
            places = chain_type(chain, layer.types[which]).shape
            found = moments(last, layer.moved(which), rest.reshape(-1, *places))
            codes, exponent = self._rows(grid, rows, found)
        column = (-1, *[1] * (weight.ndim - 1))
        log = Log2(i8(codes.reshape(weight.shape)), i16(exponent.reshape(column)), self.resolution)
        return (*moves, replace(last, weight=log))

    def _rows(self, grid: Grid, rows: Floats, found: Moments) -> tuple[Integers, Integers]:
        """Codes (O, d) and exponents (O)."""
        groups = len(found.inputs)
        per_group = len(rows) // groups
        codes = np.zeros(rows.shape, np.int64)
        exponents = np.zeros(len(rows), np.int64)
        for g in range(groups):
            own = slice(g * per_group, (g + 1) * per_group)
            second = found.inputs[g]
            scale = float(np.mean(np.diag(second))) or 1.0
            regular = second + DAMPING * scale * np.eye(len(second))
            wanted = rows[own]
            if self.rounding == "compensated":
                # least squares towards the drive wanted, held to the weights by the damping
                wanted = np.linalg.solve(
                    regular, (found.targets[own] + DAMPING * scale * wanted).T
                ).T
            measure = regular if self.error == "output" else None
            if self.rounding == "compensated":
                codes[own], exponents[own] = _search(grid, wanted, regular, compensated)
            else:
                codes[own], exponents[own] = _search(grid, wanted, measure, nearest)
        return codes, exponents


def _search(
    grid: Grid,
    rows: Floats,
    moments: Floats | None,
    method: Callable[[Grid, Floats, Integers, Floats | None], Rounded],
) -> tuple[Integers, Integers]:
    """The best of a few exponents, row by row."""
    codes = np.zeros(rows.shape, np.int8)
    exponents = np.zeros(len(rows), np.int64)
    width = rows.shape[1]
    # all candidates of some rows at once, as rows of their own
    part = max(1, AT_ONCE // (CANDIDATES * width))
    for start in range(0, len(rows), part):
        own = rows[start : start + part]
        top = grid.top(np.abs(own).max(axis=1))
        candidates = top + 1 - np.arange(CANDIDATES)[:, None]
        tiled = np.broadcast_to(own, (CANDIDATES, *own.shape)).reshape(-1, width)
        tried = method(grid, tiled, candidates.reshape(-1), moments)
        best = tried.error.reshape(candidates.shape).argmin(axis=0)
        each = np.arange(len(own))
        chosen = tried.codes.reshape(CANDIDATES, *own.shape)[best, each]
        codes[start : start + part] = chosen
        exponents[start : start + part] = candidates[best, each]
    return codes.astype(np.int64), exponents


def _each(weight: Floats, grid: Grid) -> Log2:
    """Every weight with an exponent of its own: code 0 or ±1."""
    exponent = grid.top(np.abs(weight))
    exponent = np.where(weight == 0, 0, exponent)
    return Log2(i8(np.sign(weight).astype(np.int64)), i16(exponent), grid.resolution)
