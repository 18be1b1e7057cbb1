"""Which kernel takes a projection: one that adds the weights of each spike, or one that multiplies
all weights, in 16 bits. Both give the same sums; what is chosen decides about time alone."""

from math import prod

import numpy as np

from snncc_c.weights import conv_order
from snncc_ir import Binary, FirstSpike, Floats, Integers, Log2, Node, Radix, Spikes, Type
from snncc_ir.ops import Chain, Conv, Dense, Input, Scale, SumPool

LANES = 16
"""Outputs in one vector of the dense kernels; see runtime/snncc_dense.h."""
LARGEST_FACTOR = (1 << 15) - 1
BY_SPIKES, BY_WEIGHTS = "SNNCC_BY_SPIKES", "SNNCC_BY_WEIGHTS"

# What kernels cost, in instructions as valgrind counts them for AVX2: ResNet-20, 32 time steps.
# A multiplication counts half, since vectors of 512 bits take a quarter of its instructions; a
# position is what its unforeseeable branches are worth, too.
FOR_A_WEIGHT = 0.06
FOR_A_SOURCE = 0.6
FOR_A_POSITION = 400.0
FOR_AN_OPERATION = 1.3


def can_multiply(chain: Chain, source: Node) -> bool:
    """Whether a dense kernel takes a map."""
    radix = isinstance(source.type, Spikes) and isinstance(source.type.code, Radix)
    return (
        not isinstance(chain[-1], Scale) and _fits(chain, source) and not (radix and _pools(chain))
    )


def kernel_of(chain: Chain, source: Node, density: float | None) -> str:
    """The kernel for a map from `source`.

    density: spikes that a source sends in a step (all digits of the radix code in one), on average
    of all sources and steps; None where it was not measured.
    """
    last = chain[-1]
    radix = isinstance(source.type, Spikes) and isinstance(source.type.code, Radix)
    if isinstance(last, Scale):
        return BY_WEIGHTS if radix and not _pools(chain) else BY_SPIKES
    if not can_multiply(chain, source):
        return BY_SPIKES
    if density is None or isinstance(source.op, Input):
        return BY_WEIGHTS
    by_weights, by_spikes = costs(chain, source.type, density)
    return BY_WEIGHTS if by_weights < by_spikes else BY_SPIKES


def costs(chain: Chain, kind: Type, density: float) -> tuple[float, float]:
    """Instructions, about, of one pass by weights and by spikes; density as in `kernel_of`."""
    positions, sources, weights = multiplications(chain, kind)
    if isinstance(chain[-1], Scale):
        return weights, weights
    # positions of which some channel sends, if they did so independently
    active = positions * (1 - (1 - min(density, 1.0)) ** (sources // positions))
    by_spikes = (
        FOR_A_SOURCE * sources + FOR_A_POSITION * active + FOR_AN_OPERATION * density * weights
    )
    return FOR_A_WEIGHT * weights, by_spikes


def multiplications(chain: Chain, kind: Type) -> tuple[int, int, int]:
    """Positions of the sources at the weights, sources, and products of all with all weights."""
    *moves, last = chain
    for op in moves:
        kind = op.output_type((kind,))
    results = prod(last.output_type((kind,)).shape)
    if isinstance(last, Conv):
        return prod(kind.shape[1:]), kind.size, results * prod(last.weight.shape[1:])
    return 1, kind.size, results * (kind.size if isinstance(last, Dense) else 1)


def _pools(chain: Chain) -> bool:
    return any(isinstance(op, SumPool) for op in chain)


def _fits(chain: Chain, source: Node) -> bool:
    """Whether weights, and what arrives at them, have 16 bits; no groups, and integers only."""
    last = chain[-1]
    if not isinstance(last, Conv | Dense) or isinstance(last.weight, Binary | Log2):
        return False
    if isinstance(last, Conv) and last.groups > 1:
        return False
    if last.weight.array.dtype.itemsize > 2:
        return False
    most = 0
    if isinstance(source.op, Input):
        most = source.op.levels or 1
    elif isinstance(source.type, Spikes):
        code = source.type.code
        if isinstance(code, FirstSpike):
            return False
        most = (1 << code.steps) - 1 if isinstance(code, Radix) else code.most
    pooled = prod(prod(op.window.kernel) for op in chain if isinstance(op, SumPool))
    return most * pooled <= LARGEST_FACTOR


def dense_order(matrix: Integers) -> Integers:
    """Weights (inputs, outputs) as the dense kernels take them."""
    return _in_vectors(matrix.T[:, None, :])


def conv_dense_order(conv: Conv) -> Integers:
    """Weights of a convolution without groups as the dense kernels take them."""
    rows = conv_order(conv)  # [ky][1][in][kx, last first][out]
    rows = rows[:, 0, :, ::-1].transpose(3, 0, 2, 1)  # [out][ky][kx][in]
    if conv.window.dilation[-1] == 1:
        return _in_vectors(rows.reshape(*rows.shape[:2], -1))
    return _in_vectors(rows.reshape(rows.shape[0], -1, rows.shape[3]))


def _in_vectors(runs: Integers) -> Integers:
    """(outputs, runs, length) as [outputs / 16][runs][pairs][16][2], padded with zeros."""
    outputs, count, length = runs.shape
    padded = np.pad(runs, ((0, -outputs % LANES), (0, 0), (0, length % 2)))
    return padded.reshape(-1, LANES, count, (length + 1) // 2, 2).transpose(0, 2, 3, 1, 4)


def box_size(op: Conv | Dense, kind: Type, target: tuple[int, int]) -> int:
    """Numbers in the box of a dense kernel, one more for runs of odd length.

    target: height and width of the result.
    """
    if isinstance(op, Dense):
        return kind.size + 1
    sides = []
    for i, outputs in enumerate(target[-op.window.rank :]):
        stride, kernel = op.window.stride[i], op.window.kernel[i]
        sides.append((outputs - 1) * stride + (kernel - 1) * op.window.dilation[i] + 1)
    return kind.shape[0] * prod(sides) + 1


def density_of(spikes: Floats, steps: int) -> float:
    """Spikes a neuron and step. spikes: of each neuron, of all steps."""
    return float(spikes.mean()) / steps if spikes.size else 0.0
