"""Counting in other units: weights, biases and scales rewritten, values left what they are."""

from dataclasses import replace

import numpy as np

from snncc.passes.chains import compress
from snncc.passes.scales import Scales, channel_scales, group_scales, pushed
from snncc_ir import Factored, Floats, Graph, Linear, Node, f32
from snncc_ir.ops import (
    AnyInput,
    Chain,
    Conv,
    Dense,
    Op,
    Output,
    Population,
    Relu,
    Scale,
    TtfsRelu,
)


def rescaled(graph: Graph, scales: Scales, by: str) -> Graph:
    """Every node counts in units that are `scales` times its units of now.

    scales: of each node, broadcastable to its shape, 0 nowhere; those of an output are its
    source's. The map of a population is multiplied by its source's scale and divided by its own.
    """

    def rewrite(node: Node) -> Node:
        op: Op = node.op
        match op:
            case AnyInput():
                op = replace(op, scale=op.scale * float(scales[node.name].item()))
            case Population():
                op = _population(graph, node, op, scales)
            case Output():
                op = replace(op, scale=f32(op.scale.floats * scales[node.name]))
            case _:
                return node
        return replace(node, op=op, origin=node.origin.by(by))

    return graph.rewritten(rewrite)


def _population(graph: Graph, node: Node, op: Population, scales: Scales) -> Population:
    scale = scales[node.name]
    maps = tuple(
        _scaled_map(chain, scales[source.name], source, scale, op)
        for source, chain in zip(graph.operands(node), op.maps, strict=True)
    )
    model = op.model
    if isinstance(model, Relu) and model.ceiling is not None:
        step = None if model.step is None else f32(model.step.floats / scale)
        model = replace(model, ceiling=f32(model.ceiling.floats / scale), step=step)
        if isinstance(model, TtfsRelu) and model.theta is not None:
            model = replace(model, theta=f32(model.theta.floats / scale))
    return replace(
        op,
        maps=maps,
        bias=f32(op.bias.floats / scale),
        model=model,
        scale=f32(op.scale.floats * scale),
    )


def _scaled_map(chain: Chain, scale: Floats, source: Node, target: Floats, op: Population) -> Chain:
    """The map between units: weights times the source's scale, divided by the target's."""
    *moves, last = chain
    behind = pushed(tuple(moves), scale, source.type)
    if behind is None:
        raise AssertionError("uniform_nodes gave one scale to sources whose sums would mix them")
    if isinstance(last, Conv | Dense) and isinstance(last.weight, Linear):
        if group_scales(last, behind) is None:  # one step holds for one scale
            last = replace(last, weight=f32(last.weight.floats))
    match last:
        case Conv(weight=Factored() as weight) | Dense(weight=Factored() as weight):
            factors = _row_factors(last, behind, target, op)
            scaled: Op = replace(last, weight=weight.times(factors))
        case Conv(weight=weight, groups=groups):
            inputs = channel_scales(behind)
            if inputs is None:
                raise AssertionError("uniform_nodes gave one scale to sources of mixed channels")
            outputs = weight.shape[0]
            spatial = [1] * (len(weight.shape) - 2)
            rows = np.repeat(inputs.reshape(groups, -1), outputs // groups, axis=0)
            divisor = np.broadcast_to(target.reshape(-1), (outputs,)).reshape(-1, 1, *spatial)
            scaled = replace(
                last, weight=f32(weight.floats * rows.reshape(*rows.shape, *spatial) / divisor)
            )
        case Dense(weight=weight):
            divisor = np.broadcast_to(target, op.shape).reshape(-1, 1)
            scaled = replace(last, weight=f32(weight.floats * behind.reshape(-1) / divisor))
        case Scale(weight=weight):
            factor = np.broadcast_to(weight.floats, behind.shape) * behind
            factor = factor.reshape(op.shape) / target
            scaled = Scale(f32(compress(factor.reshape(behind.shape))))
        case _:
            raise AssertionError("the checker holds that a map ends in conv, dense or scale")
    return (*moves, scaled)


def _row_factors(last: Conv | Dense, behind: Floats, target: Floats, op: Population) -> Floats:
    """What each output's factor is multiplied by: (O)."""
    shared = group_scales(last, behind)
    if shared is None:
        raise AssertionError("uniform_nodes gave one scale to sources of such weights")
    outputs = len(last.weight.array)
    if isinstance(last, Dense):
        target = np.broadcast_to(target, op.shape)
    divisor = np.broadcast_to(target.reshape(-1), (outputs,))
    return np.repeat(shared, outputs // len(shared)) / divisor
