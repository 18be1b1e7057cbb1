"""A population's currents over time at some of its places: enough to decide on its channels by.

What calibration decides of a channel rests on means over samples and places. A grid of places, in
each sample another one, shows as much of them as all places do, for a fraction of the work: a
convolution of larger stride over the same spikes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from snncc.passes.in_time import LARGEST_BYTE, Currents, Drive, settles_soon
from snncc.passes.soma import Soma
from snncc_ir import Array, Type, spread
from snncc_ir.ops import Conv, IntegrateFire, Op, Population, Scale, Sizes, Window

PLACES = 1 << 10
"""Neurons of a channel that are looked at, over all samples, about; more where steps are few, and
neurons do not settle soon."""
STEPS = 1 << 15
"""Of a channel's neurons, all told, which are then looked at."""
CURRENTS = 1 << 25
"""Currents that are kept at most, over all steps: of many channels or steps, fewer places."""
LEAST_SAMPLES = 16
"""Where a grid of places cannot be had, samples are left out instead, and so many are kept."""
NEURONS_AT_ONCE = 1 << 17
"""Neurons that are simulated at once, about."""

Number = TypeVar("Number", bound=np.generic)
Column = NDArray[np.float32]
"""A number for each channel, (C, 1); or for each neuron, (C, P)."""


@dataclass(frozen=True)
class Sampled:
    """P neurons of each channel. currents: (steps or 1, C, P), without bias; wanted: (C, P)."""

    currents: Drive
    bias: Column
    wanted: NDArray[np.float32]
    steps: int

    def sent(self, model: IntegrateFire, theta: Column, start: Column, moved: Column) -> Column:
        """Spikes of each neuron in all steps, (C, P). moved: what is added to biases."""
        channels, places = self.wanted.shape
        total = np.zeros((channels, places), np.float32)
        each = max(1, NEURONS_AT_ONCE // places)
        bias = self.bias + moved
        few = LARGEST_BYTE // model.code.most
        # in one thread: steps are so short that threads would mostly wait for each other
        for first in range(0, channels, each):
            own = slice(first, first + each)
            counted = total[own]
            soma = Soma(model, theta[own], start[own], counted.shape)
            spikes = np.empty(counted.shape, np.int8)
            for first_step in range(0, self.steps, few):
                sent = np.zeros(counted.shape, np.int8)
                for step in range(first_step, min(first_step + few, self.steps)):
                    soma.step(self.currents[step % len(self.currents), own], spikes, bias[own])
                    sent += spikes
                counted += sent
        return total


def sampled(
    op: Population,
    types: Sequence[Type],
    arriving: Sequence[Array],
    wanted: NDArray[np.float32],
    steps: int,
) -> Sampled:
    """Of a population for what arrives: trains, or numbers, N samples. wanted: (N, *shape)."""
    channels = op.shape[0]
    settled = isinstance(op.model, IntegrateFire) and settles_soon(op.model.code)
    wished = PLACES if settled else max(PLACES, STEPS // steps)
    places = max(1, min(wished, CURRENTS // (channels * steps)))
    apart = _spacing(op, len(wanted), places)
    if apart > 1:
        grid = _Grid(apart, op.shape[1:])
        lasts = [chain[-1] for chain in op.maps]
        types = [grid.source(last, kind) for last, kind in zip(lasts, types, strict=True)]
        arriving = [grid.seen(last, value) for last, value in zip(lasts, arriving, strict=True)]
        wanted = grid.places(wanted)
        maps = tuple((grid.map(last),) for last in lasts)
        op = replace(op, shape=wanted.shape[1:], maps=maps)
    else:
        count = max(LEAST_SAMPLES, places * channels // int(np.prod(op.shape)))
        every = max(1, len(wanted) // count)
        arriving, wanted = [value[::every] for value in arriving], wanted[::every]
    currents = Currents(op, types, arriving, bias=False)
    kept = np.empty((currents.steps, channels, wanted[:, 0].size), np.float32)
    by_sample = kept.reshape(currents.steps, channels, len(wanted), -1)

    def work(block: tuple[int, int]) -> None:
        step = 0
        for part in currents.of(*block):
            columns = np.moveaxis(part, 0, 2).reshape(part.shape[1], channels, len(part), -1)
            by_sample[step : step + part.shape[1], :, slice(*block)] = columns
            step += part.shape[1]

    spread(work, currents.blocks)
    columns = np.moveaxis(wanted, 0, 1).reshape(channels, -1)
    return Sampled(kept, _bias(op, len(wanted)), columns, steps)


def _bias(op: Population, samples: int) -> Column:
    """(C, 1), or (C, P) where a channel has several."""
    channels = op.shape[0]
    bias = op.bias.floats.astype(np.float32)
    if bias.size in (1, channels):
        return np.broadcast_to(bias.reshape(-1, 1), (channels, 1))
    each = np.broadcast_to(bias, op.shape).reshape(channels, 1, -1)
    return np.broadcast_to(each, (channels, samples, each.shape[-1])).reshape(channels, -1)


def _spacing(op: Population, samples: int, places: int) -> int:
    """How far apart places can be so that of all samples `places` are left; 1 for all places."""
    spatial = op.shape[1:]
    if not spatial or op.bias.array.size not in (1, op.shape[0]):
        return 1
    for chain in op.maps:
        match chain:
            case (Conv(weight=weight),) if len(weight.shape) == len(spatial) + 2:
                if weight.shape[0] != op.shape[0]:
                    return 1
            case (Scale(weight=weight),) if weight.array.size in (1, op.shape[0]):
                pass
            case _:
                return 1
    apart = 1
    while samples * np.prod([size // (apart + 1) for size in spatial]) >= places:
        apart += 1
    return apart


@dataclass(frozen=True)
class _Grid:
    """Every `apart`-th place along each axis of `spatial`, from where depends on the sample."""

    apart: int
    spatial: Sizes

    @property
    def counts(self) -> Sizes:
        return tuple(size // self.apart for size in self.spatial)

    def first(self, sample: int) -> Sizes:
        """Its first place along each axis."""
        return tuple(sample // self.apart**axis % self.apart for axis in range(len(self.spatial)))

    def places(self, values: NDArray[Number]) -> NDArray[Number]:
        """(N, …, *spatial) at the places: (N, …, *counts)."""
        between = values.ndim - 1 - len(self.spatial)
        result = np.empty((*values.shape[: 1 + between], *self.counts), values.dtype)
        for sample, value in enumerate(values):
            axes = zip(self.first(sample), self.counts, strict=True)
            taken = (slice(first, first + count * self.apart, self.apart) for first, count in axes)
            result[sample] = value[(*[slice(None)] * between, *taken)]
        return result

    def seen(self, last: Op, values: NDArray[Number]) -> NDArray[Number]:
        """What a map's places see of its source (N, …, *spatial), with what padding adds."""
        if not isinstance(last, Conv):
            return self.places(values)
        window, between = last.window, values.ndim - 1 - len(self.spatial)
        result = np.zeros((*values.shape[: 1 + between], *self._sizes(window)), values.dtype)
        for sample, value in enumerate(values):
            whole = [slice(None)] * between
            to, of = [*whole], [*whole]
            for axis, first in enumerate(self.first(sample)):
                begin = first * window.stride[axis] - window.pads[axis]
                end = min(begin + result.shape[1 + between + axis], value.shape[between + axis])
                of.append(slice(max(begin, 0), end))
                to.append(slice(max(-begin, 0), end - begin))
            result[sample][tuple(to)] = value[tuple(of)]
        return result

    def source(self, last: Op, kind: Type) -> Type:
        """The type of what `seen` gives."""
        sizes = self._sizes(last.window) if isinstance(last, Conv) else self.counts
        return kind.with_shape((kind.shape[0], *sizes))

    def map(self, last: Op) -> Op:
        """From what `seen` gives to the places."""
        if not isinstance(last, Conv):
            return last
        stride = tuple(self.apart * size for size in last.stride)
        return replace(last, stride=stride, pads=(0,) * len(last.pads))

    def _sizes(self, window: Window) -> Sizes:
        axes = zip(self.counts, window.stride, window.extent, strict=True)
        return tuple((count - 1) * self.apart * stride + extent for count, stride, extent in axes)
