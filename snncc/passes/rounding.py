"""Populations in integers: weights, biases, thresholds and starts are round(S·w)."""

from dataclasses import replace

import numpy as np

from snncc.passes.chains import compress
from snncc_ir import Binary, Floats, Graph, Integers, Linear, Node, Tensor, Type, i16, i32
from snncc_ir.ops import (
    Chain,
    Conv,
    Counting,
    Dense,
    Population,
    Readout,
    Scale,
    chain_type,
)  # fmt: skip

NEAR = 1e-5
"""Relative: a step is an integer, as far as float32 knows."""


def rounded(
    graph: Graph,
    node: Node,
    op: Population,
    scale: Floats,
    bits: int,
    theta: Integers | None = None,
) -> Population:
    """The population with the scale S, broadcastable to its shape, and weights of `bits` bits.

    theta: integer thresholds in place of round(S·theta).
    """
    maps = tuple(
        _rounded_map(chain, source.type, scale, op, bits)
        for source, chain in zip(graph.operands(node), op.maps, strict=True)
    )
    bias = i32(compress(np.rint(op.bias.floats * scale)))
    model = op.model
    if isinstance(model, Counting):
        thresholds, start = (np.rint(t.floats * scale) for t in (model.theta, model.start))
        if theta is not None:
            thresholds = compress(np.broadcast_to(theta, op.shape).astype(np.float64))
        model = replace(model, theta=i32(thresholds), start=i32(start))
    elif isinstance(model, Readout):
        model = replace(model, theta=i32(np.rint(model.theta.floats * scale)))
    return replace(op, maps=maps, bias=bias, model=model)


def _rounded_map(chain: Chain, source: Type, scale: Floats, op: Population, bits: int) -> Chain:
    *moves, last = chain
    match last:
        case Conv(weight=weight) | Dense(weight=weight):
            outputs = weight.shape[0]
            full = np.broadcast_to(scale, op.shape).reshape(outputs, -1)[:, 0]
            factor = full.reshape(-1, *[1] * (len(weight.shape) - 1))
            if isinstance(weight, Binary):
                alpha = i16(np.rint(weight.alpha.floats * factor))
                return (*moves, replace(last, weight=Binary(weight.signs, alpha)))
            if isinstance(weight, Linear):
                kept = _whole(weight, factor, bits)
                if kept is not None:
                    return (*moves, replace(last, weight=kept))
            return (*moves, replace(last, weight=_stored(weight.floats * factor, bits)))
        case Scale(weight=weight):
            behind = chain_type(chain, source).shape
            spread = np.broadcast_to(weight.floats, behind).reshape(op.shape) * scale
            return (*moves, Scale(_stored(compress(spread.reshape(behind)), bits)))
    raise AssertionError("the checker holds that a map ends in conv, dense or scale")


def _whole(weight: Linear, factor: Floats, bits: int) -> Linear | None:
    """The weights with an integer step, if S makes one of it (`linear_unit`) and they fit."""
    steps = weight.step.floats * factor
    whole = np.rint(steps)
    largest = float(np.abs(weight.codes.floats * whole).max(initial=0.0))
    if np.any(np.abs(steps - whole) > NEAR * steps) or largest > (1 << (bits - 1)) - 1:
        return None
    if np.any(whole < 1) or np.any(whole >= 1 << 15):
        return None
    return Linear(weight.codes, i16(whole))


def linear_unit(op: Population, shared: bool) -> Floats | None:
    """1/step of a population's linear weights, broadcastable to its shape: their S, or parts of it.

    Multiples of it make weights multiples of the codes. Where there are several maps, of the one
    with most weights; the others are rounded. shared: all neurons need one S. None where there are
    no such weights, or S cannot follow their steps.
    """
    found: Linear | None = None
    for *_, last in op.maps:
        if isinstance(last, Conv | Dense) and isinstance(last.weight, Linear):
            if found is None or last.weight.array.size > found.array.size:
                found = last.weight
    if found is None:
        return None
    steps = found.step.floats.reshape(-1)
    if np.all(steps == steps[0]):
        steps = steps[:1]
    each = len(steps) > 1
    if not np.all(steps > 0) or (each and (shared or len(steps) != op.shape[0])):
        return None
    unit: Floats = 1 / steps.reshape(-1, *[1] * (len(op.shape) - 1))
    return unit


def _stored(weight: Floats, bits: int) -> Tensor:
    return Tensor(np.rint(weight).astype(np.int8 if bits <= 8 else np.int16))
