"""Populations of a rate code simulated over time in float32: fast enough for calibration.

Weights and biases are rounded so that every sum is exact, in whatever order it is taken: what
calibration decides does not depend on the processor or on the number of threads. Spike semantics
proper, in integers, is `snncc_ir.spikes`; this is its rule for a network whose weights are not
integers yet.

Samples go through a population in small blocks, some steps at a time, so that currents stay in the
processor's caches and memory holds nothing but spikes, a byte each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from snncc.passes.soma import Numbers, Soma
from snncc_ir import Array, Code, Floats, NodeRunner, Rate, Spikes, Tensor, Type, cores, f32, spread
from snncc_ir.ops import (
    Chain,
    Conv,
    Dense,
    IntegrateFire,
    MaxPool,
    Population,
    Readout,
    Scale,
    SumPool,
)  # fmt: skip

Train = NDArray[np.int8]
"""Spikes of a batch over time: (N, steps, *shape)."""
Bias = NDArray[np.float32]
"""(C, 1, …), or one for each neuron."""
Drive = NDArray[np.float32]
"""Current of each step: (N, steps, *shape), or (N, 1, *shape) when all steps have the same."""

LARGEST_BYTE = 127
EXACT_BITS = 24
"""Of a float32's significand: integers of so many bits, and sums of them, are exact."""
NEURONS_AT_ONCE = 1 << 17
"""Neurons of all samples of a block, about: steps of fewer cost Python more than the processor."""
NUMBERS_AT_ONCE = 1 << 19
"""Numbers that go through a map at once, about: as many as caches hold."""


def settles_soon(code: Code | None) -> bool:
    """Whether neurons take back in a step, with graded spikes, what they sent too much.

    Calibration has less to find out about them, and finds it on fewer samples and places:
    ResNet-20's signal to noise, 23 and 20 dB at 16 and 8 steps, stays within the 0.4 dB by which
    other samples differ. With `if` it would lose up to 0.6 dB, with `graded` up to 1.4.
    """
    return isinstance(code, Rate) and code.signed and code.most > 1


def is_train(value: Array, kind: Type) -> bool:
    """Whether a value is a spike train, in place of numbers (N, *shape)."""
    return value.ndim == len(kind.shape) + 2


def mean_of(value: Array, kind: Type, first: int = 0) -> NDArray[np.float32]:
    """Spikes a step from step `first` on, or the numbers themselves: (N, *shape)."""
    if not is_train(value, kind):
        return value.astype(np.float32, copy=False)
    if not isinstance(kind, Spikes):
        raise AssertionError("trains are of spikes")
    few = LARGEST_BYTE // kind.code.most
    total = np.zeros((len(value), *kind.shape), np.float32)
    steps = range(first, value.shape[1])
    for step in steps[::few]:
        # so many spikes fit a byte, in which they are counted fastest
        part = value[:, step : min(step + few, steps.stop)]
        total += np.add.reduce(part, axis=1, dtype=np.int8)
    total /= np.float32(len(steps))
    return total


class Currents:
    """What the maps of a population bring in each step; with its bias, or without one."""

    def __init__(
        self, op: Population, types: Sequence[Type], arriving: Sequence[Array], bias: bool = True
    ) -> None:
        """types, arriving: of the sources; trains, or the numbers of an input, N samples each."""
        self.shape = op.shape
        self.samples = len(arriving[0])
        unit = _unit(op, types)
        self._trains: list[Train] = []
        self._types: list[Type] = []
        maps: list[Chain] = []
        constant = np.zeros((1, *op.shape))
        if bias:
            constant = np.rint(np.broadcast_to(op.bias.floats, op.shape) / unit)[None]
        for chain, kind, value in zip(op.maps, types, arriving, strict=True):
            if is_train(value, kind):
                maps.append(_rounded(chain, unit))
                self._types.append(kind)
                self._trains.append(value.astype(np.int8, copy=False))
            else:
                constant = constant + _numbers(chain, value, op) / unit
        self.exact = unit <= 1 and float(np.abs(constant).max()) * unit < 1 << EXACT_BITS - 1
        """Whether nothing was rounded, given integer weights and inputs."""
        self.largest = float(np.abs(constant).max()) * unit + _reach(op, types)
        """A bound of the current of any neuron in a step."""
        # (N, *shape), or (1, *shape) where it is the same for all samples
        self._constant = (np.rint(constant) * unit).astype(np.float32)
        self.steps = self._trains[0].shape[1] if maps else 1
        self._size = max([int(np.prod(op.shape)), *(kind.size for kind in self._types)])
        self._runner: NodeRunner | None = None
        if maps:
            zero = f32(np.zeros(1, np.float32))
            summed = replace(op, maps=tuple(maps), bias=zero, model=Readout())
            self._runner = NodeRunner([summed], self._types, threads=1)

    @property
    def blocks(self) -> list[tuple[int, int]]:
        """Samples (from, to) that are to be looked at together."""
        each = max(1, min(NEURONS_AT_ONCE // self._size, -(-self.samples // cores())))
        return [(s, min(s + each, self.samples)) for s in range(0, self.samples, each)]

    def of(self, start: int, end: int) -> Iterator[Drive]:
        """(count, steps, *shape) of samples `start` to `end`, some steps after the other."""
        constant = self._constant if len(self._constant) == 1 else self._constant[start:end]
        constant = np.broadcast_to(constant, (end - start, *self.shape))[:, None]
        if self._runner is None:
            yield constant
            return
        even = not constant.any()
        each = max(1, NUMBERS_AT_ONCE // (self._size * (end - start)))
        for step in range(0, self.steps, each):
            parts = [train[start:end, step : step + each] for train in self._trains]
            count = parts[0].shape[1]
            flat = [part.astype(np.float32).reshape(-1, *part.shape[2:]) for part in parts]
            result = self._runner.run(flat).reshape(end - start, count, *self.shape)
            if not even:
                result += constant
            yield result


def fire(op: Population, types: Sequence[Type], arriving: Sequence[Array], steps: int) -> Train:
    """The spikes of a population for what arrives: trains, or the numbers of an input."""
    return _fired(op, Currents(op, types, arriving), steps)


def fire_exactly(
    op: Population, types: Sequence[Type], arriving: Sequence[Array], steps: int
) -> Train | None:
    """The spikes that the oracle sends, for integers; None where they are too large for float32."""
    currents = Currents(op, types, arriving)
    return _fired(op, currents, steps, exact=True) if currents.exact else None


def _fired(op: Population, currents: Currents, steps: int, exact: bool = False) -> Train:
    if not isinstance(op.model, IntegrateFire):
        raise AssertionError("the neurons are of the rate code")
    model = op.model
    theta: Numbers = np.broadcast_to(model.theta.floats, op.shape).copy()
    start: Numbers = np.broadcast_to(model.start.floats, op.shape).copy()
    highest = float(np.abs(start).max() + np.abs(theta).max()) + steps * currents.largest
    # of integers below 2^24, float32 holds sums and products, and no quotient is rounded up to a
    # whole number that it does not reach
    if not exact or highest < 1 << EXACT_BITS:
        theta, start = theta.astype(np.float32), start.astype(np.float32)
    train = np.empty((currents.samples, steps, *op.shape), np.int8)

    def work(block: tuple[int, int]) -> None:
        sent = np.empty((block[1] - block[0], *op.shape), np.int8)
        soma = Soma(model, theta, start, sent.shape)
        step = 0
        for part in currents.of(*block):
            for t in range(part.shape[1] if currents.steps > 1 else steps):
                soma.step(part[:, t % part.shape[1]], sent)
                train[block[0] : block[1], step] = sent
                step += 1

    spread(work, currents.blocks)
    return train


def pool_in_time(op: MaxPool, kind: Type, train: Train) -> Train:
    """What a max pool sends."""
    runner = NodeRunner([op], [kind], threads=1)
    steps = train.shape[1]
    each = max(1, NUMBERS_AT_ONCE // (steps * kind.size))
    gained = np.empty((len(train), steps, *op.output_type((kind,)).shape), np.int8)

    def work(start: int) -> None:
        part = train[start : start + each]
        sent = np.cumsum(part, axis=1, dtype=np.float32)
        largest = runner.run([sent.reshape(-1, *kind.shape)])
        by_step = largest.reshape(len(part), steps, *largest.shape[1:])
        gained[start : start + each] = np.diff(by_step, axis=1, prepend=np.float32(0))

    spread(work, range(0, len(train), each))
    return gained


def _unit(op: Population, types: Sequence[Type]) -> float:
    """The power of two of which all weights are multiples, so that sums of them are exact."""
    reach = float(np.abs(op.bias.floats).max()) + 2.0
    for chain, kind in zip(op.maps, types, strict=True):
        if isinstance(kind, Spikes):
            reach += kind.code.most * _largest(chain)
    return float(np.exp2(np.ceil(np.log2(reach)) + 1 - EXACT_BITS))


def _reach(op: Population, types: Sequence[Type]) -> float:
    """A bound of what spikes bring to a neuron in a step."""
    kinds = zip(op.maps, types, strict=True)
    return sum(k.code.most * _largest(chain) for chain, k in kinds if isinstance(k, Spikes))


def _largest(chain: Chain) -> float:
    """A bound of what a map makes of ones, with whatever signs."""
    largest = 1.0
    for op in chain:
        if isinstance(op, SumPool):
            largest *= float(np.prod(op.kernel))
        elif isinstance(op, Conv | Dense | Scale):
            weight = np.abs(op.weight.array, dtype=np.float64)
            rows = weight if isinstance(op, Scale) else weight.reshape(len(weight), -1).sum(axis=1)
            largest *= float(rows.max(initial=0.0))
    return largest


def _rounded(chain: Chain, unit: float) -> Chain:
    *moves, last = chain
    if not isinstance(last, Conv | Dense | Scale):
        raise AssertionError("the checker holds that a map ends in conv, dense or scale")
    weight = np.rint(last.weight.floats / unit) * unit
    return (*moves, replace(last, weight=Tensor(weight.astype(np.float32))))


def _numbers(chain: Chain, value: Array, op: Population) -> Floats:
    """What a map makes of the numbers of an input, (N, *shape)."""
    result = reduce(lambda x, m: m.evaluate((x,)), chain, value.astype(np.float64))
    return result.reshape(len(value), *op.shape)
