"""Simplifies the chain of linear ops from a source to a population into the normal form's map.

A map is any number of `view` and `sumpool`, then one `conv`, `dense` or `scale`. The rules below
each take two neighbors and give what stands for both; they are applied until none fits. What then
still is no map becomes one `dense` matrix, if that is small.
"""

from dataclasses import replace
from functools import reduce

import numpy as np

from snncc.passes.chain_views import conv_of_view, dense_of_view, flat_conv, taken, view_of_conv
from snncc_ir import Floats, Tensor, Type, f32
from snncc_ir.ops import (
    AvgPool,
    Conv,
    Dense,
    Op,
    Pad,
    Reshape,
    Scale,
    Slice,
    SumPool,
    Transpose,
    View,
    chain_type,
    index_of,
)  # fmt: skip

Chain = tuple[Op, ...]

MATRIX_LIMIT = 1 << 22
"""Most elements of a matrix that stands for a chain which no rule simplifies."""

_MOVES = (Pad, Reshape, Slice, Transpose)


def simplify(chain: Chain, source: Type) -> Chain | None:
    """The map that does what `chain` does to `source`; None if there is none of bearable size."""
    current = _split_averages(chain, source)
    current = _rewrite(current, source, keep_pads=True)
    current = _rewrite(current, source, keep_pads=False)
    if current and isinstance(current[-1], View):
        if current[-1].is_reshape(chain_type(current[:-1], source)):
            current = current[:-1]  # a population takes the result in row-major order
    if not current or isinstance(current[-1], View | SumPool):
        current = (*current, Scale(f32(np.ones((1,) * len(chain_type(current, source).shape)))))
    return current if is_map(current) else _matrix(chain, source)


def is_map(chain: Chain) -> bool:
    """Whether a chain is a map of the normal form."""
    *before, last = chain
    return isinstance(last, Conv | Dense | Scale) and all(
        isinstance(op, View | SumPool) for op in before
    )


def compress(values: Floats) -> Floats:
    """(C, *spatial) as (C, 1, …) where every channel is constant, else unchanged."""
    if values.ndim < 2:
        return values
    first = values[(slice(None), *[slice(0, 1)] * (values.ndim - 1))]
    return first if np.array_equal(np.broadcast_to(first, values.shape), values) else values


def _split_averages(chain: Chain, source: Type) -> Chain:
    """Every mean as a sum and a scale, so that integers stay integers."""
    result: list[Op] = []
    kind = source
    for op in chain:
        if isinstance(op, AvgPool):
            result.append(SumPool(op.kernel, op.stride, op.pads))
            result.append(Scale(f32(1 / op.divisor(kind.shape))))
        else:
            result.append(op)
        kind = op.output_type((kind,))
    return tuple(result)


def _rewrite(chain: Chain, source: Type, keep_pads: bool) -> Chain:
    """Applies the rules from the left until none fits.

    keep_pads: leave Pad as it is, so that a convolution may take it in before it becomes a view.
    """
    ops, position = list(chain), 0
    while position < len(ops):
        operand = chain_type(tuple(ops[:position]), source)
        single = _single(ops[position], operand, keep_pads)
        if single is not None:
            ops[position : position + 1] = single
            position = max(position - 1, 0)
            continue
        merged = _around_reshape(ops[position : position + 3], operand)
        if merged is not None:
            ops[position : position + 3] = merged
            continue
        if position + 1 < len(ops):
            pair = _pair(ops[position], ops[position + 1], operand)
            if pair is not None:
                ops[position : position + 2] = pair
                position = max(position - 1, 0)
                continue
        position += 1
    return tuple(ops)


def _single(op: Op, operand: Type, keep_pads: bool) -> list[Op] | None:
    """Rules for one op: moves become views, views that do nothing go."""
    if isinstance(op, _MOVES) and not (keep_pads and isinstance(op, Pad)):
        shape = op.output_type((operand,)).shape
        return [View(Tensor(index_of(op, (operand,)).astype(np.int32).reshape(shape)))]
    if isinstance(op, View) and op.index.shape == operand.shape and op.is_reshape(operand):
        return []
    if isinstance(op, Scale) and op.weight.is_splat and op.weight.floats.flat[0] == 1:
        return []
    return None


def _around_reshape(ops: list[Op], operand: Type) -> list[Op] | None:
    """A layer's own scale from behind a reshape, as where an axis of one is squeezed out."""
    match ops:
        case [Conv() | Dense() as layer, View() as view, Scale() as scale]:
            between = layer.output_type((operand,))
            if view.is_reshape(between):
                full = _full(scale, view.output_type((between,))).reshape(between.shape)
                merged = _pair(layer, Scale(f32(compress(full))), operand)
                return None if merged is None else [*merged, view]
    return None


def _pair(first: Op, second: Op, operand: Type) -> list[Op] | None:
    """Rules for two neighbors; `operand` is what `first` takes."""
    between = first.output_type((operand,))
    match first, second:
        case Pad(pads), Conv() if not any(_channel_pads(pads)):
            return [replace(second, pads=_joined_pads(pads, second.pads))]
        case View(index), View(outer):
            return [View(Tensor(taken(index.array, outer)))]
        case View(), Dense():
            return [dense_of_view(first, second, operand)]
        case View(), Conv():
            flat = flat_conv(first, second, operand)
            return conv_of_view(first, second, operand) if flat is None else [flat]
        case Dense(), View(index) if not second.is_reshape(between):
            rows = np.concatenate([first.weight.floats, np.zeros((1, operand.size))])
            return [Dense(f32(rows[index.array.reshape(-1)])), Reshape(index.shape)]
        case Conv(), View():
            return view_of_conv(first, second, between)
        case Scale(), Scale(weight):
            return [Scale(f32(compress(_full(first, operand) * weight.floats)))]
        case Scale(), View(index):
            moved = View(index).evaluate((_full(first, operand)[None],))[0]
            return [second, Scale(f32(compress(moved)))]
        case Scale(), SumPool() | Conv():
            factors = _per_channel(first, operand)
            if factors is None:
                return None
            if isinstance(second, SumPool):
                return [second, Scale(f32(factors.reshape(-1, *[1] * (len(operand.shape) - 1))))]
            return [_scaled_inputs(second, factors)]
        case Scale(), Dense(weight):
            return [Dense(f32(weight.floats * _full(first, operand).reshape(-1)))]
        case Conv(weight=weight), Scale():
            factors = _per_channel(second, between)
            if factors is None:
                return None
            spread = factors.reshape(-1, *[1] * (len(weight.shape) - 1))
            return [replace(first, weight=f32(weight.floats * spread))]
        case Dense(weight), Scale():
            return [Dense(f32(weight.floats * _full(second, between).reshape(-1, 1)))]
        case Dense(weight), Dense(outer):
            return [Dense(f32(outer.floats @ weight.floats))]
        case Conv(), Conv():
            return _conv_of_conv(first, second)
        case Conv(), SumPool() if _is_pointwise(first) and not any(second.pads):
            return [second, first]
    return None


def _channel_pads(pads: tuple[int, ...]) -> tuple[int, int]:
    return pads[0], pads[len(pads) // 2]


def _joined_pads(outer: tuple[int, ...], inner: tuple[int, ...]) -> tuple[int, ...]:
    half = len(outer) // 2
    spatial = (*outer[1:half], *outer[half + 1 :])
    return tuple(a + b for a, b in zip(spatial, inner, strict=True))


def _full(scale: Scale, operand: Type) -> Floats:
    return np.broadcast_to(scale.weight.floats, operand.shape)


def _per_channel(scale: Scale, operand: Type) -> Floats | None:
    values = compress(_full(scale, operand))
    uniform = values.ndim == 1 or all(size == 1 for size in values.shape[1:])
    return values.reshape(-1) if uniform else None


def _scaled_inputs(conv: Conv, factors: Floats) -> Conv:
    weight = conv.weight.floats
    per_group = factors.reshape(conv.groups, -1)
    rows = np.repeat(per_group, weight.shape[0] // conv.groups, axis=0)
    return replace(conv, weight=f32(weight * rows.reshape(*rows.shape, *[1] * (weight.ndim - 2))))


def _is_pointwise(conv: Conv) -> bool:
    ones = (1,) * conv.window.rank
    return conv.window.kernel == ones and conv.stride == ones and not any(conv.pads)


def _conv_of_conv(first: Conv, second: Conv) -> list[Op] | None:
    if first.groups != 1 or second.groups != 1:
        return None
    inner, outer = first.weight.floats, second.weight.floats
    rank = first.window.rank
    if _is_pointwise(second):
        pointwise = outer.reshape(outer.shape[:2])
        return [replace(first, weight=f32(np.tensordot(pointwise, inner, axes=1)))]
    if _is_pointwise(first):
        pointwise = inner.reshape(inner.shape[:2])
        product = np.tensordot(outer, pointwise, axes=((1,), (0,)))
        return [replace(second, weight=f32(np.moveaxis(product, 1 + rank, 1)))]
    return None


def _matrix(chain: Chain, source: Type) -> Chain | None:
    """The whole chain as one matrix."""
    size = chain_type(chain, source).size
    if size * source.size > MATRIX_LIMIT:
        return None
    columns = []
    for start in range(0, source.size, 64):
        units = np.eye(source.size)[start : start + 64].reshape(-1, *source.shape)
        result = reduce(lambda x, op: op.evaluate((x,)), chain, units)
        columns.append(result.reshape(len(units), -1))
    return (Dense(f32(np.concatenate(columns).T)),)
