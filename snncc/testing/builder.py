"""Builds small integer networks with random weights.

Thresholds and biases are chosen so that neurons neither stay silent nor fire in every step; a test
holds the family to that, because silence agrees with everything.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from snncc_ir import (
    Binary,
    Floats,
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
    Model,
    Output,
    Population,
    RadixFire,
    Readout,
    Scale,
    SignedGradedIntegrateFire,
    SignedIntegrateFire,
    TimeToFirstSpike,
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


MOST_IN_A_BYTE = 127

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


@dataclass
class NetworkBuilder:
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
    only: int | None = None
    """Bits of all weights, in place of those that a network asks for; not of ttfs networks."""

    def input(self, *shape: int, name: str = "x") -> str:
        return self.builder.add(name, Input(shape, 0.125, LEVELS), []).name

    def weights(self, *shape: int, spread: int = 100) -> Tensor:
        if self.neuron == "ttfs":
            return self._log_weights(shape)
        bits = self.only or self.bits
        if bits == 8:
            spread = min(spread, MOST_IN_A_BYTE)
        if bits == 1:
            column = (shape[0], *[1] * (len(shape) - 1))
            alpha = i16(self.random.integers(spread // 4, spread + 1, column))
            return Binary(i8(self.random.choice([-1, 1], shape)), alpha)
        if bits == 4:
            column = (shape[0], *[1] * (len(shape) - 1))
            step = i16(self.random.integers(max(spread // 8, 1), max(spread // 4, 2), column))
            return Linear(i8(self.random.integers(-7, 8, shape)), step)
        numbers = self.random.integers(-spread, spread + 1, shape)
        dtype = {8: np.int8, 16: np.int16, 32: np.int32}[bits]
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
