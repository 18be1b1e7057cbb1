"""Populations of a rate code simulated over time in float32: fast enough for calibration.

Weights are rounded so that every sum is exact, in whatever order it is taken: what calibration
decides does not depend on the processor or on the number of threads. Spike semantics proper, in
integers, is `snncc_ir.spikes`; this is its rule for a network whose weights are not integers yet.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from snncc.passes.extents import extent
from snncc_ir import Array, NodeRunner, Spikes, Tensor, Type
from snncc_ir.ops import (
    Chain,
    Conv,
    Dense,
    HardIntegrateFire,
    IntegrateFire,
    MaxPool,
    Population,
    Scale,
)  # fmt: skip

Train = NDArray[np.int8]
"""Spikes of a batch over time: (steps, N, *shape)."""
Bias = NDArray[np.float32]
"""(C, 1, …), or one for each neuron."""
Drive = NDArray[np.float32]
"""Current of each step: (steps, N, *shape), or (1, N, *shape) when all steps have the same."""

EXACT_BITS = 24
"""Of a float32's significand: integers of so many bits, and sums of them, are exact."""
SOURCES_AT_ONCE = 1 << 24
"""Numbers that go through a map at once, about, which bounds the memory."""


def is_train(value: Array, kind: Type) -> bool:
    """Whether a value is a spike train, in place of numbers (N, *shape)."""
    return value.ndim == len(kind.shape) + 2


def mean_of(value: Array, kind: Type, first: int = 0) -> NDArray[np.float32]:
    """Spikes a step from step `first` on, or the numbers themselves: (N, *shape)."""
    if not is_train(value, kind):
        return value.astype(np.float32, copy=False)
    mean: NDArray[np.float32] = value[first:].mean(axis=0, dtype=np.float32)
    return mean


def drive_in_time(op: Population, types: Sequence[Type], arriving: Sequence[Array]) -> Drive:
    """What the maps of a population bring in each step, without its bias.

    types, arriving: of the sources; trains, or the numbers of an input.
    """
    unit = _unit(op, types)
    total: Drive | None = None
    for chain, kind, value in zip(op.maps, types, arriving, strict=True):
        if is_train(value, kind):
            part = _through(_rounded(chain, unit), kind, value.astype(np.int8, copy=False), op)
        else:
            numbers = reduce(lambda x, m: m.evaluate((x,)), chain, value.astype(np.float64))
            exact = np.rint(numbers / unit) * unit
            part = exact.astype(np.float32).reshape(1, len(value), *op.shape)
        total = part if total is None else total + part
    if total is None:
        raise AssertionError("the type rule holds that a population has a source")
    return total


def fire_in_time(model: IntegrateFire, drive: Drive, bias: Bias, steps: int) -> Train:
    """The spikes of a population; drive as from `drive_in_time`."""
    theta = model.theta.floats.astype(np.float32)
    most, signed = model.code.most, model.signed
    shape = drive.shape[1:]
    potential = np.broadcast_to(model.start.floats.astype(np.float32), shape).copy()
    count = np.zeros(shape, np.int16 if steps * most < 1 << 15 else np.int32)
    trains = np.empty((steps, *shape), np.int8)
    for step in range(steps):
        potential += drive[step % len(drive)]
        potential += bias
        if most > 1:
            number = np.floor(potential / theta)
            least = -np.minimum(count, most) if signed else 0
            spikes = np.clip(number, least, most).astype(np.int8)
        else:
            spikes = (potential >= theta).astype(np.int8)
            if signed:
                spikes -= (potential < 0) & (count > 0)
        if isinstance(model, HardIntegrateFire):
            potential *= 1 - spikes
        else:
            potential -= theta * spikes
        if signed:
            count += spikes
        trains[step] = spikes
    return trains


def pool_in_time(op: MaxPool, kind: Type, train: Train) -> Train:
    """What a max pool sends."""
    steps = len(train)
    sent = np.cumsum(train, axis=0, dtype=np.int32)
    flat = sent.reshape(-1, *kind.shape).astype(np.float32)
    largest = NodeRunner([op], [kind]).run([flat])
    by_step = largest.reshape(steps, -1, *largest.shape[1:])
    gained: Train = np.diff(by_step, axis=0, prepend=0).astype(np.int8)
    return gained


def _unit(op: Population, types: Sequence[Type]) -> float:
    """The power of two of which all weights are multiples, so that sums of them are exact."""
    reach = np.abs(np.broadcast_to(op.bias.floats, op.shape)).max() + 2.0
    for chain, kind in zip(op.maps, types, strict=True):
        if isinstance(kind, Spikes):
            most = np.full(kind.shape, float(kind.code.most))
            reach += extent(chain, most, op.shape).drive.max()
    return float(np.exp2(np.ceil(np.log2(reach)) + 1 - EXACT_BITS))


def _rounded(chain: Chain, unit: float) -> Chain:
    *moves, last = chain
    if not isinstance(last, Conv | Dense | Scale):
        raise AssertionError("the checker holds that a map ends in conv, dense or scale")
    weight = np.rint(last.weight.floats / unit) * unit
    return (*moves, replace(last, weight=Tensor(weight.astype(np.float32))))


def _through(chain: Chain, kind: Type, train: Train, op: Population) -> Drive:
    runner = NodeRunner(chain, [kind])
    flat = train.reshape(-1, *kind.shape)
    result = np.empty((len(flat), *op.shape), np.float32)
    each = max(1, SOURCES_AT_ONCE // max(kind.size, 1))
    for start in range(0, len(flat), each):
        part = flat[start : start + each].astype(np.float32)
        result[start : start + each] = runner.run([part]).reshape(-1, *op.shape)
    return result.reshape(*train.shape[:2], *op.shape)
