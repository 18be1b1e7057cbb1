"""Populations in integers: weights, biases, thresholds and starts are round(S·w)."""

from dataclasses import replace

import numpy as np

from snncc.passes.chains import compress
from snncc.passes.linear_scale import whole_steps
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
                kept = whole_steps(weight, factor, bits)
                if kept is not None:
                    return (*moves, replace(last, weight=kept))
            return (*moves, replace(last, weight=_stored(weight.floats * factor, bits)))
        case Scale(weight=weight):
            behind = chain_type(chain, source).shape
            spread = np.broadcast_to(weight.floats, behind).reshape(op.shape) * scale
            return (*moves, Scale(_stored(compress(spread.reshape(behind)), bits)))
    raise AssertionError("the checker holds that a map ends in conv, dense or scale")


def _stored(weight: Floats, bits: int) -> Tensor:
    return Tensor(np.rint(weight).astype(np.int8 if bits <= 8 else np.int16))
