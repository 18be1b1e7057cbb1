"""A family of small integer networks that between them use everything of the normal form."""

from collections.abc import Callable

import numpy as np

from snncc.testing.builder import SAMPLES, NetworkBuilder
from snncc.testing.events import random_events
from snncc_ir import MOST_DIGITS, Array, Binary, Graph, Tensor, f32
from snncc_ir.ops import Dense, EventInput, MaxPool, Output, Scale, SumPool, View


def _dense(b: NetworkBuilder) -> None:
    hidden = b.population("h", (b.input(20), (Dense(b.weights(33, 20)),)), per_neuron=True)
    last = b.population("k", (hidden, (Dense(b.weights(70, 33)),)))
    b.readout(last, 3)


def _conv(b: NetworkBuilder) -> None:
    x = b.input(3, 7, 6)
    a = b.population("a", (x, (b.conv(16, 3, (3, 3)),)))
    c = b.population("c", (a, (b.conv(20, 16, (3, 2), (2, 1), (0, 1, 1, 0)),)))
    d = b.population("d", (c, (b.conv(8, 20, (2, 2), (1, 1), (1, 1, 1, 1), (2, 2)),)))
    b.readout(d, 4)


def _wide(b: NetworkBuilder) -> None:
    x = b.input(1, 5, 5)
    a = b.population("a", (x, (b.conv(64, 1, (3, 3)),)))
    c = b.population("c", (a, (b.conv(33, 64, (1, 1), (1, 1), (0, 0, 0, 0)),)))
    d = b.population("d", (c, (b.conv(64, 33, (3, 3), (2, 2)),)))
    b.readout(d, 2)


def _grouped(b: NetworkBuilder) -> None:
    x = b.input(4, 6, 5)
    a = b.population("a", (x, (b.conv(12, 4, (3, 3), groups=2),)))
    c = b.population("c", (a, (b.conv(12, 12, (3, 3), groups=12),)))
    d = b.population("d", (c, (b.conv(24, 12, (3, 3), (2, 2), groups=12),)))
    b.readout(d, 3)


def _one_dimension(b: NetworkBuilder) -> None:
    x = b.input(2, 17)
    a = b.population("a", (x, (b.conv(9, 2, (5,), (2,), (2, 1), (1,)),)))
    c = b.population("c", (a, (b.conv(5, 9, (2,), (1,), (0, 2), (3,)),)))
    pooled = b.builder.add("m", MaxPool((2,), (2,), (0, 0)), [c]).name
    b.readout(pooled, 3)


def _residual(b: NetworkBuilder) -> None:
    """The shortcut of ResNet-20: every second position, and zeros for new channels."""
    a = b.population("a", (b.input(3, 6, 6), (b.conv(4, 3, (3, 3)),)))
    c = b.population("c", (a, (b.conv(8, 4, (3, 3), (2, 2)),)))
    index = np.full((8, 3, 3), -1, np.int32)
    index[2:6] = np.arange(144).reshape(4, 6, 6)[:, ::2, ::2]
    shortcut = (View(Tensor(index)), Scale(b.weights(8, 1, 1, spread=300)))
    d = b.population("d", (c, (b.conv(8, 8, (3, 3)),)), (a, shortcut))
    e = b.population("e", (d, (b.conv(8, 8, (3, 3)),)), (d, (Scale(b.weights(8, 1, 1)),)))
    b.readout(e, 3)


def _concat(b: NetworkBuilder) -> None:
    x = b.input(2, 5, 5)
    a = b.population("a", (x, (b.conv(3, 2, (3, 3)),)))
    c = b.population("c", (x, (b.conv(5, 2, (1, 1), (1, 1), (0, 0, 0, 0)),)))
    both = b.population("both", (a, (b.conv(8, 3, (3, 3)),)), (c, (b.conv(8, 5, (3, 3)),)))
    second = np.full((16, 5, 5), -1, np.int32)
    second[8:] = np.arange(200).reshape(8, 5, 5)
    first = second[::-1].copy()
    joined = b.population(
        "joined",
        (both, (View(Tensor(second)), Scale(b.weights(16, 1, 1)))),
        (both, (View(Tensor(first)), Scale(b.weights(16, 5, 5)))),
        per_neuron=True,
    )
    b.readout(joined, 2)


def _maxpool(b: NetworkBuilder) -> None:
    b.digits = MOST_DIGITS
    a = b.population("a", (b.input(3, 8, 8), (b.conv(5, 3, (3, 3)),)))
    m = b.builder.add("m", MaxPool((2, 2), (2, 2), (0, 0, 0, 0)), [a]).name
    n = b.builder.add("n", MaxPool((3, 3), (1, 1), (1, 1, 1, 1)), [m]).name
    c = b.population("c", (n, (b.conv(6, 5, (3, 3)),)), (m, (b.conv(6, 5, (3, 3)),)))
    b.readout(c, 3)


def _average(b: NetworkBuilder) -> None:
    a = b.population("a", (b.input(3, 8, 8), (b.conv(16, 3, (3, 3)),)))
    pool = SumPool((2, 2), (2, 2), (0, 0, 0, 0))
    overlapping = SumPool((3, 3), (2, 2), (1, 1, 1, 1))
    c = b.population("c", (a, (pool, b.conv(8, 16, (3, 3)))))
    d = b.population("d", (a, (overlapping, Scale(b.weights(16, 1, 1)))))
    e = b.population(
        "e",
        (d, (b.conv(8, 16, (1, 1), pads=(0, 0, 0, 0)),)),
        (c, (Scale(b.weights(8, 1, 1)),)),
    )
    b.readout(e, 5, chain=(SumPool((4, 4), (1, 1), (0, 0, 0, 0)),))


def _views(b: NetworkBuilder) -> None:
    """Channels-last input, a dense layer behind another order, a reshaped convolution."""
    x = b.input(6, 5, 3)
    order = Tensor(np.arange(90, dtype=np.int32).reshape(6, 5, 3).transpose(2, 0, 1).copy())
    a = b.population("a", (x, (View(order), b.conv(4, 3, (3, 3)))))
    back = Tensor(np.arange(120, dtype=np.int32).reshape(4, 6, 5).transpose(1, 2, 0).copy())
    c = b.population("c", (a, (View(back), Dense(b.weights(12, 120)))))
    folded = Tensor(np.arange(12, dtype=np.int32).reshape(3, 2, 2))
    d = b.population("d", (c, (View(folded), b.conv(7, 3, (2, 2), pads=(0, 0, 1, 1)))))
    b.readout(d, 2, chain=(View(Tensor(np.arange(27, -1, -1, dtype=np.int32))),))


def _late_input(b: NetworkBuilder) -> None:
    """The input feeds a later population beside spikes, and two outputs are read."""
    x = b.input(2, 4, 4)
    a = b.population("a", (x, (b.conv(6, 2, (3, 3)),)))
    c = b.population("c", (a, (b.conv(5, 6, (3, 3)),)), (x, (b.conv(5, 2, (3, 3), spread=4),)))
    b.readout(c, 3)
    b.readout(a, 2, name="z")


def _spiking_output(b: NetworkBuilder) -> None:
    b.digits = MOST_DIGITS
    a = b.population("a", (b.input(2, 4, 5), (b.conv(3, 2, (3, 3)),)))
    order = Tensor(np.arange(60, dtype=np.int32).reshape(3, 4, 5).transpose(1, 2, 0).copy())
    b.builder.add("y", Output(f32(0.5), order), [a])


def _two_inputs(b: NetworkBuilder) -> None:
    x, z = b.input(7), b.input(2, 3, 3, name="z")
    a = b.population("a", (x, (Dense(b.weights(9, 7)),)))
    c = b.population("c", (z, (b.conv(9, 2, (3, 3), pads=(0, 0, 0, 0)),)))
    d = b.population("d", (a, (Dense(b.weights(8, 9)),)), (c, (Dense(b.weights(8, 9)),)))
    b.readout(d, 2)


def _wide_weights(b: NetworkBuilder) -> None:
    b.bits, b.tau, b.resolution, b.levels, b.digits = 32, 8, 4, 127, MOST_DIGITS
    _residual(b)


def _narrow_weights(b: NetworkBuilder) -> None:
    b.bits, b.tau, b.resolution, b.levels, b.digits = 8, 1, 1, 1, 1
    _conv(b)


def _spiking_classes(b: NetworkBuilder) -> None:
    """Classes are neurons that fire, read in another order."""
    a = b.population("a", (b.input(9), (Dense(b.weights(21, 9)),)))
    c = b.population("c", (a, (Dense(b.weights(17, 21)),)))
    d = b.population("d", (c, (Dense(b.weights(4, 17)),)))
    b.builder.add("y", Output(f32(0.5), Tensor(np.array([2, 0, 3, 1], np.int32))), [d])


def _binary_conv(b: NetworkBuilder) -> None:
    """Rows of bits of every length: runs of taps, more than a block, strides, dilations, groups."""
    b.bits = 1
    x = b.input(3, 7, 6)
    a = b.population("a", (x, (b.conv(20, 3, (3, 3)),)))
    c = b.population("c", (a, (b.conv(70, 20, (1, 1), pads=(0, 0, 0, 0)),)))
    d = b.population("d", (c, (b.conv(12, 70, (3, 2), (2, 1), (0, 1, 1, 0), groups=2),)))
    e = b.population("e", (d, (b.conv(24, 12, (2, 2), (1, 1), (1, 1, 1, 1), (2, 2), groups=12),)))
    beside = b.conv(16, 24, (2, 3), pads=(1, 1, 0, 1))
    f = b.population("f", (e, (b.conv(16, 24, (3, 3)),)), (e, (beside,)))
    b.readout(f, 3)


def _binary_moves(b: NetworkBuilder) -> None:
    """Behind sums, views and both; from the input; and one bit beside sixteen."""
    b.bits = 1
    x = b.input(2, 8, 8)
    a = b.population("a", (x, (b.conv(5, 2, (3, 3)),)))
    pool = SumPool((3, 3), (2, 2), (1, 1, 1, 1))
    beside = b.conv(9, 2, (2, 2), (2, 2), (0, 0, 0, 0))
    c = b.population("c", (a, (pool, b.conv(9, 5, (3, 3)))), (x, (beside,)))
    d = b.population("d", (c, (pool, b.conv(18, 9, (3, 3), groups=9))))
    order = Tensor(np.arange(72, dtype=np.int32).reshape(18, 2, 2).transpose(1, 2, 0).copy())
    dense, pooled = Dense(b.weights(13, 72)), Dense(b.weights(13, 36))
    e = b.population("e", (d, (View(order), dense)), (c, (pool, pooled)))
    b.bits = 16
    f = b.population("f", (e, (Dense(b.weights(8, 13)),)))
    b.bits = 1
    b.readout(f, 3)


def _binary_dense(b: NetworkBuilder) -> None:
    """More spikes at once than a byte counts, one dimension, and one factor for a whole layer."""
    b.bits = 1
    a = b.population("a", (b.input(1, 300), (b.conv(8, 1, (3,), (1,), (1, 1), (1,)),)))
    wide = b.weights(33, 2400)
    if isinstance(wide, Binary):
        wide = Binary(wide.signs, Tensor(wide.alpha.array[:1, :1]))
    c = b.population("c", (a, (Dense(wide),)), per_neuron=True)
    b.readout(c, 72)


def _repeated(b: NetworkBuilder) -> None:
    """What resizing, transposed convolutions and comparisons of neighbors make of one source."""
    b.digits = MOST_DIGITS
    a = b.population("a", (b.input(2, 4, 3), (b.conv(4, 2, (3, 3)),)))
    places = np.arange(48, dtype=np.int32).reshape(4, 4, 3)
    twice = Tensor(places.repeat(2, 1).repeat(2, 2))
    spread = np.full((4, 7, 5), -1, np.int32)
    spread[:, ::2, ::2] = places
    c = b.population("c", (a, (View(twice), b.conv(4, 4, (3, 3), (2, 2)))))
    d = b.population("d", (a, (View(Tensor(spread)), b.conv(8, 4, (2, 2), groups=4))))
    first, second = (Tensor(places[:, :, i : i + 2].copy()) for i in (0, 1))
    ways = (View(first), Scale(b.weights(4, 1, 1))), (View(second), Scale(b.weights(4, 1, 1)))
    more = b.population("more", (a, ways[0]), (a, ways[1]))
    windows = Tensor(places[:, [0, 1, 1, 2, 2, 3]].reshape(4, -1)[:, :18].copy())
    relay = b.population("relay", (c, (View(windows), Scale(b.weights(4, 1)))))
    m = b.builder.add("m", MaxPool((3,), (3,), (0, 0)), [relay]).name
    e = b.population(
        "e",
        (d, (Dense(b.weights(9, 384)),)),
        (more, (Dense(b.weights(9, 32)),)),
        (m, (Dense(b.weights(9, 24)),)),
    )
    b.readout(e, 3)


def _linear(b: NetworkBuilder) -> None:
    """Integers of 4 bits, times a step for each channel: convolutions, shortcuts, dense layers."""
    b.bits, b.digits = 4, MOST_DIGITS
    _residual(b)


FAMILY: dict[str, Callable[[NetworkBuilder], None]] = {
    "dense": _dense,
    "conv": _conv,
    "wide": _wide,
    "grouped": _grouped,
    "one-dimension": _one_dimension,
    "residual": _residual,
    "concat": _concat,
    "maxpool": _maxpool,
    "average": _average,
    "views": _views,
    "late-input": _late_input,
    "spiking-output": _spiking_output,
    "two-inputs": _two_inputs,
    "wide-weights": _wide_weights,
    "narrow-weights": _narrow_weights,
    "spiking-classes": _spiking_classes,
    "binary-conv": _binary_conv,
    "binary-moves": _binary_moves,
    "binary-dense": _binary_dense,
    "linear": _linear,
    "repeated": _repeated,
}


def family() -> tuple[str, ...]:
    """Names of the networks, for `network`."""
    return tuple(FAMILY)


def network(name: str, neuron: str, seed: int = 0, bits: int | None = None) -> Graph:
    """One network of the family, at stage INTEGER.

    neuron: of NEURONS, `ttfs` or `radix`. bits: of all weights, 1 (`Binary`), 4 (`Linear`), 8, 16
    or 32, in place of the network's own; ttfs networks have weights of their own in any case.
    """
    builder = NetworkBuilder(
        neuron, np.random.default_rng([seed, list(FAMILY).index(name)]), only=bits
    )
    FAMILY[name](builder)
    return builder.builder.graph()


def inputs(graph: Graph, count: int = SAMPLES, seed: int = 1) -> dict[str, Array]:
    """Numbers within and a little beyond the input's range; likewise numbers of events, int8."""
    random = np.random.default_rng(seed)
    return {
        node.name: random_events(node.op, count, random)
        if isinstance(node.op, EventInput)
        else (random.standard_normal((count, *node.type.shape)) * 1.5).astype(np.float32)
        for node in graph.inputs
    }
