"""Weights and biases moved by regression to where they undo the errors that arrive at a layer.

Ridge regression in closed form, held to the weights as they were; a part of the samples is kept
from it, to measure whether it helps.
"""

from dataclasses import replace

import numpy as np

from snncc.passes.chains import compress
from snncc.passes.in_time import Bias
from snncc.passes.layerwise import Layer, Values
from snncc.passes.moments import moments
from snncc_ir import Factored, Floats, f32
from snncc_ir.ops import Conv, Dense, Op, Population, chain_type

DAMPING = 20.0
"""How weights are held to where they were: of the moments, relative to their mean diagonal, for one
sample; of many samples so much less, as places of one sample are much alike."""
FRACTION_BITS = 16
"""Biases are multiples of 2^−16 units, so that the last bits of floating-point sums, which differ
between processors, decide nothing."""
HELD_OUT = 4
"""One sample in so many is kept from the regression, to measure what it does."""
WEIGHT_BITS = 16
"""To which fitted weights are rounded."""
INPUTS_A_PLACE = 4
"""Inputs of a neuron for each place and sample, beyond which regression would learn them by heart,
so that weights are kept."""
WIDEST = 6144
"""Inputs of a neuron beyond which second moments are too many, so that weights are kept."""


def held_out(samples: int) -> int:
    """Samples before this one are regressed on; those from it on say whether that was good."""
    return samples - max(1, samples // HELD_OUT)


def by_channel(values: Values) -> Floats:
    """Means over samples and places: (C,)."""
    axes = (0, *range(2, values.ndim))
    mean: Floats = values.mean(axis=axes, dtype=np.float64)
    return mean


def rounded_to_bits(values: Floats) -> Bias:
    unit = np.exp2(FRACTION_BITS)
    return np.asarray(np.rint(values * unit) / unit, np.float32)


def centered(layer: Layer, op: Population, first: int = 0) -> Population:
    """With the bias that takes out the mean error of every channel's drive."""
    off = by_channel(layer.target - layer.drive(op, first=first))
    bias = op.bias.floats + rounded_to_bits(off).reshape(-1, *[1] * (len(op.shape) - 1))
    return replace(op, bias=f32(compress(bias)))


def fitted(layer: Layer, op: Population, first: int = 0) -> Population:
    """With weights moved towards the drive that the layer should have.

    One-to-one maps stay, and weights of few levels (`binary`, `linear`), which are to stay so.
    """
    for which, chain in enumerate(op.maps):
        *moves, last = chain
        if not isinstance(last, Conv | Dense) or isinstance(last.weight, Factored):
            continue
        weight = last.weight.floats
        rows = weight.reshape(len(weight), -1)
        if rows.shape[1] > WIDEST:
            continue
        rest = layer.target - op.bias.floats.astype(np.float32)
        for other in range(len(op.maps)):
            if other != which:
                rest = rest - layer.drive(op, other, first)
        places = chain_type(chain, layer.types[which]).shape
        seen = max(1, held_out(len(rest)))
        if rows.shape[1] > INPUTS_A_PLACE * seen * int(np.prod(places)) // len(weight):
            continue
        arriving = layer.moved(which, first)[:seen]
        found = moments(last, arriving, rest[:seen].reshape(-1, *places))
        each = len(rows) // len(found.inputs)
        damping = DAMPING / seen
        moved = np.concatenate(
            [
                _ridge(second, found.targets[g * each :][:each], rows[g * each :][:each], damping)
                for g, second in enumerate(found.inputs)
            ]
        )
        better: Op = replace(last, weight=f32(moved.reshape(weight.shape)))
        op = replace(op, maps=(*op.maps[:which], (*moves, better), *op.maps[which + 1 :]))
    return op


def better_rows(layer: Layer, kept: Population, moved: Population, most: int) -> Population:
    """Each channel's weights and bias of one of two, by what samples held out are then off.

    Of all channels the same one where they share weights. Values are compared as neurons can send
    them, 0 to `most`.
    """
    held = slice(held_out(len(layer.target)), None)
    some = layer.of(held)
    wanted = np.clip(some.target, 0, most)
    ours, theirs = (
        by_channel(np.square(np.clip(some.drive(op), 0, most) - wanted)) for op in (kept, moved)
    )
    chosen = ours <= theirs
    if not _channels_apart(kept):
        chosen = np.full(chosen.shape, ours.sum() <= theirs.sum())
    maps = []
    for mine, rival in zip(kept.maps, moved.maps, strict=True):
        *moves, last = mine
        other = rival[-1]
        if isinstance(last, Conv | Dense) and isinstance(other, Conv | Dense):
            if not isinstance(last.weight, Factored):
                outputs = len(last.weight.array)
                rows = np.repeat(chosen, -(-outputs // len(chosen)))[:outputs]
                rows = rows.reshape(-1, *[1] * (last.weight.array.ndim - 1))
                last = replace(
                    last, weight=f32(np.where(rows, last.weight.array, other.weight.array))
                )
        maps.append((*moves, last))
    column = chosen.reshape(-1, *[1] * (len(kept.shape) - 1))
    bias = f32(compress(np.where(column, kept.bias.floats, moved.bias.floats)))
    return replace(kept, maps=tuple(maps), bias=bias)


def _channels_apart(op: Population) -> bool:
    """Whether each output of a map belongs to one channel of the population."""
    weighted = (chain[-1] for chain in op.maps)
    return all(
        len(last.weight.array) == (op.shape[0] if isinstance(last, Conv) else np.prod(op.shape))
        for last in weighted
        if isinstance(last, Conv | Dense)
    )


def _ridge(second: Floats, target: Floats, rows: Floats, damping: float) -> Floats:
    """Least squares, held to `rows`."""
    damping *= float(np.mean(np.diag(second))) or 1.0
    regular = second + damping * np.eye(len(second))
    solved = np.linalg.solve(regular, (target + damping * rows).T).T
    # the last bits differ between processors; the weights are not to
    unit = np.exp2(
        np.ceil(np.log2(np.abs(solved).max(axis=1, keepdims=True) + 1e-30)) - WEIGHT_BITS
    )
    return np.asarray(np.rint(solved / unit) * unit, np.float64)
