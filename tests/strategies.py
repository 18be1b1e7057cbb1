"""Random graphs for property tests: lowered networks of every op, built step by step."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from snncc_ir import Current, Floats, Graph, GraphBuilder, Origin, Source, Tensor, f32
from snncc_ir.ops import (
    Add,
    Affine,
    AvgPool,
    Concat,
    Conv,
    Dense,
    Input,
    MaxPool,
    Neuron,
    Op,
    Output,
    Pad,
    Quantize,
    Relu,
    Reshape,
    Scale,
    Slice,
    SumPool,
    Transpose,
    TtfsRelu,
)  # fmt: skip


def weights(random: np.random.Generator, *shape: int) -> Floats:
    """Normal, of a size that keeps activations about 1."""
    fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 1
    drawn: Floats = random.standard_normal(shape) / np.sqrt(fan_in)
    return drawn


def binary(random: np.random.Generator, *shape: int) -> Floats:
    """±alpha, with an alpha for each output channel."""
    fan_in = int(np.prod(shape[1:]))
    alpha = (0.5 + random.random((shape[0], *[1] * (len(shape) - 1)))) / np.sqrt(fan_in)
    drawn: Floats = random.choice([-1.0, 1.0], shape) * alpha
    return drawn


def on_grid(random: np.random.Generator, *shape: int) -> Floats:
    """Integers of 4 bits, times a step for each output channel."""
    steps = (0.5 + random.random((shape[0], *[1] * (len(shape) - 1)))) / np.prod(shape[1:])
    drawn: Floats = random.integers(-7, 8, shape) * steps
    return drawn


def powers(random: np.random.Generator, *shape: int) -> Floats:
    """±c·2^(e/2), some of them 0."""
    exponents = random.integers(-5, 1, shape) / 2
    values: Floats = np.exp2(exponents) * random.choice([-1.0, 1.0, 1.0, 0.0], shape)
    return values * (0.2 + random.random())


class _Grower:
    """Adds random layers behind a value; `grids`: some of them as of a quantized network."""

    def __init__(self, draw: st.DrawFn, grids: bool) -> None:
        self.draw, self.grids = draw, grids
        self.random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        self.builder = GraphBuilder(draw(st.sampled_from(["net", 'a "b"', "ü/…"])))
        self.count = 0

    def add(self, op: Op, *inputs: str) -> str:
        self.count += 1
        name = f"{op.name}{self.count}" if self.draw(st.booleans()) else f"layer {self.count};"
        source = Source(op.name.title(), f"/{name}/")
        return self.builder.add(name, op, inputs, Origin((source,))).name

    def shape(self, value: str) -> tuple[int, ...]:
        return self.builder[value].type.shape

    def kernel(self, *shape: int) -> Tensor:
        """Weights, of which some are ±alpha, on a grid, or powers."""
        kind = self.draw(st.sampled_from([weights, weights, binary, on_grid, powers]))
        return f32(kind(self.random, *shape))

    def conv(self, value: str) -> str:
        channels, *spatial = self.shape(value)
        rank = len(spatial)
        groups = self.draw(st.sampled_from([g for g in (1, 2, channels) if channels % g == 0]))
        outputs = groups * self.draw(st.integers(1, 3))
        kernel = [self.draw(st.integers(1, min(3, size))) for size in spatial]
        dilation = tuple(
            self.draw(st.integers(1, 2)) if (k - 1) * 2 < size else 1
            for k, size in zip(kernel, spatial, strict=True)
        )
        op = Conv(
            self.kernel(outputs, channels // groups, *kernel),
            tuple(self.draw(st.integers(1, 2)) for _ in spatial),
            tuple(self.draw(st.integers(0, 1)) for _ in range(2 * rank)),
            dilation,
            groups,
            f32(weights(self.random, outputs)) if self.draw(st.booleans()) else None,
        )
        return self.add(op, value)

    def grid(self, value: str, signed: bool) -> str:
        """Rounds to 4 or 8 bits; from 0 on, that is a ReLU."""
        levels = self.draw(st.sampled_from([15, 255]))
        low, high = (-levels // 3, levels - levels // 3) if signed else (0, levels)
        step = (2.0 + self.random.random()) / levels
        rounding = self.draw(st.sampled_from(["even", "even", "even", "floor"]))
        return self.add(Quantize(f32(step), low, high, rounding), value)

    def maybe_grid(self, value: str) -> str:
        return self.grid(value, True) if self.grids and self.draw(st.booleans()) else value

    def neurons(self, value: str) -> str:
        if self.grids and self.draw(st.integers(0, 3)) == 0:
            trained = TtfsRelu(f32(1.5 + self.random.random()), slots=24, tau=4, offset=0.5)
            return self.add(Neuron(trained), value)
        if self.grids and self.draw(st.booleans()):
            value = self.add(Neuron(Relu()), value) if self.draw(st.booleans()) else value
            return self.grid(value, self.draw(st.booleans()) and value.startswith("neuron"))
        ceiling = f32(2.0) if self.draw(st.integers(0, 3)) == 0 else None
        return self.add(Neuron(Relu(ceiling)), value)

    def affine(self, value: str) -> str:
        channels, *spatial = self.shape(value)
        shape = (channels, *[1] * len(spatial))
        scale = 0.5 + self.random.random(shape)
        return self.add(Affine(f32(scale), f32(weights(self.random, *shape))), value)

    def pooled(self, value: str, op: type[AvgPool] | type[MaxPool] | type[SumPool]) -> str:
        spatial = self.shape(value)[1:]
        kernel = tuple(min(2, size) for size in spatial)
        pads = tuple(self.draw(st.integers(0, k - 1)) for k in (*kernel, *kernel))
        stride = tuple(self.draw(st.integers(1, 2)) for _ in kernel)
        if op is AvgPool:
            return self.add(AvgPool(kernel, stride, pads, self.draw(st.booleans())), value)
        return self.add(op(kernel, stride, pads), value)

    def view(self, value: str) -> str:
        shape = self.shape(value)
        rank = len(shape)
        match self.draw(st.sampled_from(["transpose", "pad", "slice", "reshape"])):
            case "transpose":
                return self.add(Transpose(tuple(self.draw(st.permutations(range(rank))))), value)
            case "pad":
                pads = tuple(self.draw(st.integers(0, 1)) for _ in range(2 * rank))
                return self.add(Pad(pads), value)
            case "slice":
                starts = tuple(self.draw(st.integers(0, size - 1)) for size in shape)
                steps = tuple(self.draw(st.integers(1, 2)) for _ in shape)
                return self.add(Slice(starts, shape, steps), value)
        return self.add(Reshape((shape[0] * shape[1], *shape[2:])), value) if rank > 2 else value

    def branch(self, value: str) -> str:
        """A residual sum, or a concat, of two ways."""
        if self.draw(st.booleans()):
            channels, *spatial = self.shape(value)
            ones = (1,) * len(spatial)
            kernel = f32(weights(self.random, channels, channels, *ones))
            other = self.add(Conv(kernel, ones, (0,) * 2 * len(ones), ones), value)
            return self.add(Add(), other, value)
        return self.add(Concat(0), value, self.neurons(value))

    def scaled(self, value: str) -> str:
        return self.add(Scale(f32(0.5 + self.random.random(self.shape(value)))), value)


@st.composite
def lowered_graphs(draw: st.DrawFn, grids: bool = False) -> Graph:
    """A network of one input and up to three layers of neurons, ending in a dense layer.

    grids: of some, numbers are rounded between layers.
    """
    grower = _Grower(draw, grids and draw(st.booleans()))
    rank = draw(st.integers(1, 2))
    shape = (draw(st.integers(1, 4)), *(draw(st.integers(3, 6)) for _ in range(rank)))
    value = grower.maybe_grid(grower.add(Input(shape)))
    for _ in range(draw(st.integers(1, 3))):
        value = grower.conv(value)
        if draw(st.booleans()):
            value = grower.affine(value)
        value = grower.maybe_grid(value)
        if draw(st.booleans()):
            value = grower.view(value)
        if draw(st.booleans()) and isinstance(grower.builder[value].type, Current):
            value = grower.neurons(value)
            value = draw(st.sampled_from([
                grower.branch,
                grower.view,
                grower.scaled,
                lambda v: grower.pooled(v, AvgPool),
                lambda v: grower.pooled(v, SumPool),
                lambda v: grower.pooled(v, MaxPool),
                lambda v: v,
            ]))(value)  # fmt: skip
        else:
            value = grower.pooled(value, MaxPool) if draw(st.booleans()) else value
        value = grower.neurons(value)
    size = grower.builder[value].type.size
    value = grower.add(Dense(grower.kernel(draw(st.integers(1, 4)), size)), value)
    grower.add(Output(), value)
    return grower.builder.graph()


def samples(graph: Graph, count: int = 6, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Normally distributed inputs."""
    random = np.random.default_rng(seed)
    return {
        node.name: random.standard_normal((count, *node.type.shape)).astype(np.float32)
        for node in graph.inputs
    }
