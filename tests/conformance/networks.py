"""Small integer networks that between them use everything of the normal form.

Thresholds and biases are chosen so that neurons neither stay silent nor fire in every step; a test
holds the family to that, because silence agrees with everything.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from snncc_ir import (
    MOST_DIGITS,
    Binary,
    Floats,
    Graph,
    GraphBuilder,
    Linear,
    Log2,
    Origin,
    Source,
    Tensor,
    f32,
    i8,
    i16,
    i32,
)  # fmt: skip
from snncc_ir.ops import (
    Chain,
    Conv,
    Dense,
    GradedIntegrateFire,
    HardIntegrateFire,
    Input,
    IntegrateFire,
    MaxPool,
    Model,
    Output,
    Population,
    RadixFire,
    Readout,
    Scale,
    SignedGradedIntegrateFire,
    SignedIntegrateFire,
    SumPool,
    TimeToFirstSpike,
    View,
    chain_type,
)  # fmt: skip

STEPS = 10
MOST = 3
DELAY = 2
"""Steps that readouts leave out, in networks of `graded` neurons."""
LEVELS = 31
SAMPLES = 5
CONSTANT_BITS = 16
UNIT = 12
"""Of ttfs networks: a weight of 1 counts 2^12 in the accumulator."""


@dataclass
class _Builder:
    """Adds populations with random integer weights."""

    neuron: str
    random: np.random.Generator
    builder: GraphBuilder = field(default_factory=lambda: GraphBuilder("conformance"))
    bits: int = 16
    tau: int = 2
    resolution: int = 2
    levels: int = 15
    """Of ttfs networks: slots and weight levels an octave, magnitudes of a weight."""
    digits: int = 5
    """Of radix networks."""

    def input(self, *shape: int, name: str = "x") -> str:
        return self.builder.add(name, Input(shape, 0.125, LEVELS), []).name

    def weights(self, *shape: int, spread: int = 100) -> Tensor:
        if self.neuron == "ttfs":
            return self._log_weights(shape)
        if self.bits == 1:
            column = (shape[0], *[1] * (len(shape) - 1))
            alpha = i16(self.random.integers(spread // 4, spread + 1, column))
            return Binary(i8(self.random.choice([-1, 1], shape)), alpha)
        if self.bits == 4:
            column = (shape[0], *[1] * (len(shape) - 1))
            step = i16(self.random.integers(spread // 8, spread // 4, column))
            return Linear(i8(self.random.integers(-7, 8, shape)), step)
        numbers = self.random.integers(-spread, spread + 1, shape)
        dtype = {8: np.int8, 16: np.int16, 32: np.int32}[self.bits]
        return Tensor(numbers.astype(dtype))

    def _log_weights(self, shape: tuple[int, ...]) -> Log2:
        """Many of the larger magnitudes, some zeros, an exponent a channel."""
        steps = self.random.geometric(0.2, shape).clip(max=self.levels)
        signs = self.random.choice([-1, -1, 0, 1, 1], shape)
        fan_in = int(np.prod(shape[1:]))
        middle = self.resolution * (UNIT - 0.5 * np.log2(fan_in) + 1)
        each = (shape[0], *[1] * (len(shape) - 1))
        exponent = np.rint(middle + self.random.integers(-1, 2, each)).astype(np.int64)
        return Log2(i8(steps * signs), i16(exponent), self.resolution)

    def conv(
        self,
        outputs: int,
        inputs: int,
        kernel: tuple[int, ...],
        stride: tuple[int, ...] = (1, 1),
        pads: tuple[int, ...] = (1, 1, 1, 1),
        dilation: tuple[int, ...] = (1, 1),
        groups: int = 1,
        spread: int = 100,
    ) -> Conv:
        weight = self.weights(outputs, inputs // groups, *kernel, spread=spread)
        return Conv(weight, stride, pads, dilation, groups)

    def population(self, name: str, *sources: tuple[str, Chain], per_neuron: bool = False) -> str:
        """Spiking neurons with the shape of the first map's result."""
        kinds = [self.builder[source].type for source, _ in sources]
        shape = chain_type(sources[0][1], kinds[0]).shape
        axis = shape if per_neuron else (shape[0], *[1] * (len(shape) - 1))
        # a typical current: what a third of all sources, or a third of the levels, bring
        drive = sum(self._drive(source, chain) for source, chain in sources)
        theta = np.maximum(self.random.integers(30, 90, axis) * drive // 100, 1)
        bias = self.random.integers(-10, 40, axis) * drive // 200
        model: Model
        if self.neuron == "ttfs":
            sources = tuple((s, self._in_units(s, chain)) for s, chain in sources)
            drive = sum(self._drive(source, chain) for source, chain in sources)
            bias = self.random.integers(-10, 40, axis) * drive // 200
            table = np.exp2(-(np.arange(STEPS) + 0.5) / self.tau) * drive * 1.5
            model = TimeToFirstSpike(self.tau, i32(np.ceil(table)), CONSTANT_BITS)
        elif self.neuron == "radix":
            model = RadixFire(self.digits, i32(theta), i32(theta // 2))
        else:
            if "graded" in self.neuron:
                theta = np.maximum(theta // 2, 1)
            model = NEURONS[self.neuron](STEPS, i32(theta), i32(theta // 2))
            if isinstance(model, GradedIntegrateFire):
                model = replace(model, most=MOST)
        op = Population(shape, tuple(c for _, c in sources), i32(bias), model, f32(0.5))
        origin = Origin((Source("Relu", f"/{name}/*/ ??/ \\ ü"),), ("fuse",))
        return self.builder.add(name, op, [s for s, _ in sources], origin).name

    def _in_units(self, source: str, chain: Chain) -> Chain:
        """Weights of an input count for each of its units."""
        *moves, last = chain
        if not isinstance(self.builder[source].op, Input):
            return chain
        assert isinstance(last, Conv | Dense | Scale)
        assert isinstance(last.weight, Log2)
        less = self.resolution * LEVELS.bit_length()
        exponent = i16(last.weight.exponent.integers - less)
        return (*moves, replace(last, weight=replace(last.weight, exponent=exponent)))

    def _drive(self, source: str, chain: Chain) -> int:
        kind = self.builder[source].type
        magnitude = LEVELS // 3 if isinstance(self.builder[source].op, Input) else 1 / 3
        values: Floats = np.full((1, *kind.shape), magnitude)
        for op in chain:
            if isinstance(op, Conv | Dense | Scale):
                squared = type(op)(**{**op.__dict__, "weight": Tensor(op.weight.floats**2)})
                return int(np.sqrt(squared.evaluate((values**2,)).mean())) + 1
            values = op.evaluate((values,))
        raise AssertionError("a map ends in weights")

    def readout(self, source: str, *outputs: int, name: str = "y", chain: Chain = ()) -> None:
        size = chain_type(chain, self.builder[source].type).size
        maps = ((*chain, Dense(self.weights(*outputs, size))),)
        bias = i32(self.random.integers(-5, 6, outputs))
        delay = DELAY if self.neuron == "graded" else 0
        op = Population(outputs, maps, bias, Readout(i32(7), delay))
        self.builder.add(f"{name}.readout", op, [source])
        self.builder.add(name, Output(f32(0.25)), [f"{name}.readout"])


def _dense(b: _Builder) -> None:
    hidden = b.population("h", (b.input(20), (Dense(b.weights(33, 20)),)), per_neuron=True)
    last = b.population("k", (hidden, (Dense(b.weights(70, 33)),)))
    b.readout(last, 3)


def _conv(b: _Builder) -> None:
    x = b.input(3, 7, 6)
    a = b.population("a", (x, (b.conv(16, 3, (3, 3)),)))
    c = b.population("c", (a, (b.conv(20, 16, (3, 2), (2, 1), (0, 1, 1, 0)),)))
    d = b.population("d", (c, (b.conv(8, 20, (2, 2), (1, 1), (1, 1, 1, 1), (2, 2)),)))
    b.readout(d, 4)


def _wide(b: _Builder) -> None:
    x = b.input(1, 5, 5)
    a = b.population("a", (x, (b.conv(64, 1, (3, 3)),)))
    c = b.population("c", (a, (b.conv(33, 64, (1, 1), (1, 1), (0, 0, 0, 0)),)))
    d = b.population("d", (c, (b.conv(64, 33, (3, 3), (2, 2)),)))
    b.readout(d, 2)


def _grouped(b: _Builder) -> None:
    x = b.input(4, 6, 5)
    a = b.population("a", (x, (b.conv(12, 4, (3, 3), groups=2),)))
    c = b.population("c", (a, (b.conv(12, 12, (3, 3), groups=12),)))
    d = b.population("d", (c, (b.conv(24, 12, (3, 3), (2, 2), groups=12),)))
    b.readout(d, 3)


def _one_dimension(b: _Builder) -> None:
    x = b.input(2, 17)
    a = b.population("a", (x, (b.conv(9, 2, (5,), (2,), (2, 1), (1,)),)))
    c = b.population("c", (a, (b.conv(5, 9, (2,), (1,), (0, 2), (3,)),)))
    pooled = b.builder.add("m", MaxPool((2,), (2,), (0, 0)), [c]).name
    b.readout(pooled, 3)


def _residual(b: _Builder) -> None:
    """The shortcut of ResNet-20: every second position, and zeros for new channels."""
    a = b.population("a", (b.input(3, 6, 6), (b.conv(4, 3, (3, 3)),)))
    c = b.population("c", (a, (b.conv(8, 4, (3, 3), (2, 2)),)))
    index = np.full((8, 3, 3), -1, np.int32)
    index[2:6] = np.arange(144).reshape(4, 6, 6)[:, ::2, ::2]
    shortcut = (View(Tensor(index)), Scale(b.weights(8, 1, 1, spread=300)))
    d = b.population("d", (c, (b.conv(8, 8, (3, 3)),)), (a, shortcut))
    e = b.population("e", (d, (b.conv(8, 8, (3, 3)),)), (d, (Scale(b.weights(8, 1, 1)),)))
    b.readout(e, 3)


def _concat(b: _Builder) -> None:
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


def _maxpool(b: _Builder) -> None:
    b.digits = MOST_DIGITS
    a = b.population("a", (b.input(3, 8, 8), (b.conv(5, 3, (3, 3)),)))
    m = b.builder.add("m", MaxPool((2, 2), (2, 2), (0, 0, 0, 0)), [a]).name
    n = b.builder.add("n", MaxPool((3, 3), (1, 1), (1, 1, 1, 1)), [m]).name
    c = b.population("c", (n, (b.conv(6, 5, (3, 3)),)), (m, (b.conv(6, 5, (3, 3)),)))
    b.readout(c, 3)


def _average(b: _Builder) -> None:
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


def _views(b: _Builder) -> None:
    """Channels-last input, a dense layer behind another order, a reshaped convolution."""
    x = b.input(6, 5, 3)
    order = Tensor(np.arange(90, dtype=np.int32).reshape(6, 5, 3).transpose(2, 0, 1).copy())
    a = b.population("a", (x, (View(order), b.conv(4, 3, (3, 3)))))
    back = Tensor(np.arange(120, dtype=np.int32).reshape(4, 6, 5).transpose(1, 2, 0).copy())
    c = b.population("c", (a, (View(back), Dense(b.weights(12, 120)))))
    folded = Tensor(np.arange(12, dtype=np.int32).reshape(3, 2, 2))
    d = b.population("d", (c, (View(folded), b.conv(7, 3, (2, 2), pads=(0, 0, 1, 1)))))
    b.readout(d, 2, chain=(View(Tensor(np.arange(27, -1, -1, dtype=np.int32))),))


def _late_input(b: _Builder) -> None:
    """The input feeds a later population beside spikes, and two outputs are read."""
    x = b.input(2, 4, 4)
    a = b.population("a", (x, (b.conv(6, 2, (3, 3)),)))
    c = b.population("c", (a, (b.conv(5, 6, (3, 3)),)), (x, (b.conv(5, 2, (3, 3), spread=4),)))
    b.readout(c, 3)
    b.readout(a, 2, name="z")


def _spiking_output(b: _Builder) -> None:
    b.digits = MOST_DIGITS
    a = b.population("a", (b.input(2, 4, 5), (b.conv(3, 2, (3, 3)),)))
    order = Tensor(np.arange(60, dtype=np.int32).reshape(3, 4, 5).transpose(1, 2, 0).copy())
    b.builder.add("y", Output(f32(0.5), order), [a])


def _two_inputs(b: _Builder) -> None:
    x, z = b.input(7), b.input(2, 3, 3, name="z")
    a = b.population("a", (x, (Dense(b.weights(9, 7)),)))
    c = b.population("c", (z, (b.conv(9, 2, (3, 3), pads=(0, 0, 0, 0)),)))
    d = b.population("d", (a, (Dense(b.weights(8, 9)),)), (c, (Dense(b.weights(8, 9)),)))
    b.readout(d, 2)


def _wide_weights(b: _Builder) -> None:
    b.bits, b.tau, b.resolution, b.levels, b.digits = 32, 8, 4, 127, MOST_DIGITS
    _residual(b)


def _narrow_weights(b: _Builder) -> None:
    b.bits, b.tau, b.resolution, b.levels, b.digits = 8, 1, 1, 1, 1
    _conv(b)


def _spiking_classes(b: _Builder) -> None:
    """Classes are neurons that fire, read in another order."""
    a = b.population("a", (b.input(9), (Dense(b.weights(21, 9)),)))
    c = b.population("c", (a, (Dense(b.weights(17, 21)),)))
    d = b.population("d", (c, (Dense(b.weights(4, 17)),)))
    b.builder.add("y", Output(f32(0.5), Tensor(np.array([2, 0, 3, 1], np.int32))), [d])


def _binary_conv(b: _Builder) -> None:
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


def _binary_moves(b: _Builder) -> None:
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


def _binary_dense(b: _Builder) -> None:
    """More spikes at once than a byte counts, one dimension, and one factor for a whole layer."""
    b.bits = 1
    a = b.population("a", (b.input(1, 300), (b.conv(8, 1, (3,), (1,), (1, 1), (1,)),)))
    wide = b.weights(33, 2400)
    if isinstance(wide, Binary):
        wide = Binary(wide.signs, Tensor(wide.alpha.array[:1, :1]))
    c = b.population("c", (a, (Dense(wide),)), per_neuron=True)
    b.readout(c, 72)


def _repeated(b: _Builder) -> None:
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


def _linear(b: _Builder) -> None:
    """Integers of 4 bits, times a step for each channel: convolutions, shortcuts, dense layers."""
    b.bits, b.digits = 4, MOST_DIGITS
    _residual(b)


FAMILY: dict[str, Callable[[_Builder], None]] = {
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
NEURONS: dict[str, type[IntegrateFire]] = {
    model.name: model
    for model in (
        IntegrateFire,
        SignedIntegrateFire,
        GradedIntegrateFire,
        SignedGradedIntegrateFire,
        HardIntegrateFire,
    )
}


def network(name: str, neuron: str, seed: int = 0) -> Graph:
    """One network of the family, at stage INTEGER. neuron: of NEURONS, `ttfs` or `radix`."""
    builder = _Builder(neuron, np.random.default_rng([seed, list(FAMILY).index(name)]))
    FAMILY[name](builder)
    return builder.builder.graph()


def inputs(graph: Graph, count: int = SAMPLES, seed: int = 1) -> dict[str, NDArray[np.float32]]:
    """Numbers within and a little beyond the input's range."""
    random = np.random.default_rng(seed)
    return {
        node.name: (random.standard_normal((count, *node.type.shape)) * 1.5).astype(np.float32)
        for node in graph.inputs
    }
