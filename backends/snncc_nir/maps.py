"""A projection's chain of maps as NIR's nodes: pools, Flatten, and one node with the weights.

NIR has no indices. Views before a dense layer go into its matrix; others are not carried.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Floats, Shape, Type
from snncc_ir.ops import Chain, Conv, Dense, Scale, SumPool, View

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class Part:
    """One node: its kind in NIR, and its parameters by their names there.

    takes_bias: `channel` (one a channel), `neuron` (one each), or nothing.
    """

    kind: str
    parameters: dict[str, object]
    takes_bias: str = ""


def misfits(chain: Chain, source: Type, shape: Shape) -> Iterator[str]:
    """Why NIR cannot carry a chain into a population of `shape`; nothing if it can."""
    *moves, last = chain
    kind: Type = source
    viewed = False
    for op in moves:
        if isinstance(op, SumPool):
            if viewed:
                yield "a sum pool behind a view"
            yield from _uneven(op.pads, "a sum pool's padding")
        elif isinstance(op, View):
            viewed = True
            if not isinstance(last, Dense):
                yield f"a view before a {last.name} that is no flatten"
        kind = op.output_type((kind,))
    if isinstance(last, Conv):
        yield from _uneven(last.pads, "a convolution's padding")
        if len(set(last.weight.shape[2:])) > 1:
            yield f"a kernel of {' × '.join(map(str, last.weight.shape[2:]))}, not square"
    found = last.output_type((kind,)).shape
    if found != shape:
        yield f"a result of shape {list(found)} in a population of shape {list(shape)}"


def _uneven(pads: Sequence[int], what: str) -> Iterator[str]:
    half = len(pads) // 2
    if pads[:half] != pads[half:]:
        yield f"{what} of {list(pads)}, not the same on both sides"


def takes_bias(chain: Chain, shape: Shape) -> str:
    """What the chain's last node can hold: see `Part`."""
    match chain[-1]:
        case Conv():
            return "channel"
        case Dense():
            return "neuron"
        case Scale(weight) if _per_channel(weight.array.shape, shape):
            return "channel"
    return ""


def _per_channel(weight: Shape, shape: Shape) -> bool:
    """Whether one-to-one weights are a convolution of 1 × 1, a channel each."""
    return len(shape) in (2, 3) and (1, *weight)[-(len(shape) - 1) :] == (1,) * (len(shape) - 1)


def parts(chain: Chain, source: Type, pools: str) -> list[Part]:
    """The nodes of a chain without misfits, in order; biases are not in them yet."""
    *moves, last = chain
    kind: Type = source
    found: list[Part] = []
    for i, op in enumerate(moves):
        if isinstance(op, View):
            return [*found, *_dense(last, moves[i:], kind)]
        if isinstance(op, SumPool):
            found.append(_pool(op, kind.shape, pools))
        kind = op.output_type((kind,))
    match last:
        case Conv():
            return [*found, _conv(last, kind.shape)]
        case Dense():
            return [*found, *_dense(last, [], kind)]
        case Scale(weight):
            return [*found, _scale(weight.floats, kind.shape)]
    raise AssertionError("a chain ends in weights")


def _dense(last: object, views: Sequence[object], kind: Type) -> list[Part]:
    """The matrix of a dense layer on what was before `views`."""
    assert isinstance(last, Dense)
    kinds = [kind]
    for view in views:
        assert isinstance(view, View)
        kinds.append(view.output_type((kinds[-1],)))
    matrix = last.weight.floats
    for view, before in zip(reversed(views), reversed(kinds[:-1]), strict=True):
        assert isinstance(view, View)
        rows = np.zeros((before.size + 1, len(matrix)))  # index -1, a zero, is the last row
        np.add.at(rows, view.index.integers.reshape(-1), matrix.T)
        matrix = rows[:-1].T
    found = [Part("Affine", {"weight": np.ascontiguousarray(matrix, np.float32)}, "neuron")]
    if len(kind.shape) > 1:
        flatten = {"input_type": np.array(kind.shape), "start_dim": 0, "end_dim": -1}
        found.insert(0, Part("Flatten", flatten))
    return found


def _pool(op: SumPool, shape: Shape, pools: str) -> Part:
    half = len(op.pads) // 2
    if pools == "sum" and half == 2:
        return Part(
            "SumPool2d",
            {
                "kernel_size": np.array(op.kernel),
                "stride": np.array(op.stride),
                "padding": np.array(op.pads[:half]),
            },
        )
    ones = np.ones((shape[0], 1, *op.kernel), np.float32)
    return _convolution(ones, op.stride, op.pads[:half], (1,) * half, shape[0], shape)


def _conv(op: Conv, shape: Shape) -> Part:
    half = len(op.pads) // 2
    weight = op.weight.floats.astype(np.float32)
    return _convolution(weight, op.stride, op.pads[:half], op.dilation, op.groups, shape)


def _scale(weight: Floats, shape: Shape) -> Part:
    if not _per_channel(weight.shape, shape):
        return Part("Scale", {"scale": np.broadcast_to(weight, shape).astype(np.float32)})
    channels, rank = shape[0], len(shape) - 1
    column = np.broadcast_to(weight, (channels, *[1] * rank)).astype(np.float32)
    one, none = (1,) * rank, (0,) * rank
    return _convolution(column[:, None], one, none, one, channels, shape)


def _convolution(
    weight: Numbers,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    shape: Shape,
) -> Part:
    """Conv1d or Conv2d, without bias, of what has `shape`.

    Groups are written out, with zeros between them: nir's own check of shapes takes none.
    """
    channels, each, outputs = shape[0], weight.shape[1], len(weight) // groups
    full = np.zeros((len(weight), channels, *weight.shape[2:]), np.float32)
    for group in range(groups):
        rows = slice(group * outputs, (group + 1) * outputs)
        full[rows, group * each : (group + 1) * each] = weight[rows]
    parameters: dict[str, object] = {"weight": full, "groups": 1}
    moves = {"stride": stride, "padding": padding, "dilation": dilation, "input_shape": shape[1:]}
    for name, sizes in moves.items():
        parameters[name] = tuple(sizes) if len(shape) == 3 else int(sizes[0])
    return Part(f"Conv{len(shape) - 1}d", parameters, "channel")
