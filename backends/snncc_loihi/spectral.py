"""A placement from the slowest modes of the traffic: cores that talk much get like coordinates.

The coordinates are the second and third eigenvectors of the random walk on the graph, found on a
coarse graph first and refined from level to level (Koren, Carmel and Harel, "ACE", 2002), by
Chebyshev polynomials of the walk. Cores and places are then matched by halving both, again and
again; a few steps of the walk from those places, and another matching, straighten what the modes
bend. Floating-point sums are made in one order only, so that results are the same on every
computer.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from snncc_ir import Floats, Integers
from snncc_loihi.chance import Chance
from snncc_loihi.clusters import coarsened
from snncc_loihi.swaps import Graph

STEPS = 1000
"""Steps of the walk at each level, about."""
DEGREE = 200
"""Largest degree of a polynomial."""
STRAIGHTEN = (50, 30, 20, 14, 10) * 2
"""Steps before each new matching."""


@dataclass(frozen=True, eq=False)
class _Walk:
    """A random walk on a graph that stays half of the time."""

    graph: Graph

    @cached_property
    def mass(self) -> Floats:
        return np.maximum(self._degree, 1.0)

    @cached_property
    def _degree(self) -> Floats:
        graph = self.graph
        degree = np.bincount(graph.rows, graph.messages.astype(np.float64), len(graph.host))
        return degree.astype(np.float64)

    @cached_property
    def _shares(self) -> tuple[Integers, Floats]:
        rows = self.graph.rows
        return rows, self.graph.messages / self.mass[rows]

    def step(self, numbers: Floats) -> Floats:
        """(V) to (V): half of each number, half of the mean of its neighbors'."""
        rows, shares = self._shares
        near = np.bincount(rows, shares * numbers[self.graph.neighbor], len(numbers))
        return np.where(self._degree > 0, 0.5 * (numbers + near), numbers)

    def steps(self, numbers: Floats, count: int) -> Floats:
        for _ in range(count):
            numbers = self.step(numbers)
        return numbers

    def product(self, one: Floats, other: Floats) -> float:
        """The inner product in which the walk is symmetric."""
        # from first to last: np.sum adds in an order that depends on the processor
        return float(np.cumsum(self.mass * one * other)[-1])

    def slow_modes(self, modes: list[Floats], chance: Chance) -> list[Floats]:
        """Two vectors (V) nearer to the slowest modes than those given."""
        done = 0
        while done < STEPS:
            last = modes[-1]
            slowness = self.product(last, self.step(last)) / self.product(last, last)
            # everything faster than this is damped; T_n grows like cosh(2n √beyond) above it
            bound = max(1 - 2 * (1 - slowness), 0.1)
            beyond = max((1 - bound) / bound, 1e-9)
            degree = int(min(max(3 / beyond**0.5, 2), DEGREE))
            axes = [np.ones(len(last))]
            for mode in modes:
                mode = self._chebyshev(mode, bound, degree)
                for axis in axes * 2:  # twice, because once leaves rounding errors
                    mode = mode - axis * (self.product(axis, mode) / self.product(axis, axis))
                length = self.product(mode, mode) ** 0.5
                axes.append(mode / length if length > 1e-6 else _noise(len(mode), chance))
            modes = axes[1:]
            done += degree
        return modes

    def _chebyshev(self, mode: Floats, bound: float, degree: int) -> Floats:
        before, now = mode, self.step(mode) * (2 / bound) - mode
        for _ in range(degree - 1):
            before, now = now, 2 * (self.step(now) * (2 / bound) - now) - before
        return now


def spectral(graph: Graph, x: Integers, y: Integers, chance: Chance) -> Integers:
    """Which of as many places, at (x, y), each vertex gets, (V)."""
    levels = coarsened(graph)
    count = int(levels[-1].group.max()) + 1
    modes = [_noise(count, chance) for _ in range(2)]
    for level in reversed(levels):
        modes = _Walk(level.graph).slow_modes([mode[level.group] for mode in modes], chance)
    if np.ptp(y) > np.ptp(x):
        modes.reverse()
    found = best = matched(modes[0], modes[1], x, y)
    least, walk = _distance(graph, x[best], y[best]), _Walk(graph)
    for steps in STRAIGHTEN:
        along = [walk.steps(axis[found].astype(np.float64), steps) for axis in (x, y)]
        found = matched(along[0], along[1], x, y)
        distance = _distance(graph, x[found], y[found])
        if distance < least:
            best, least = found, distance
    return best


def matched(u: Floats, v: Floats, x: Integers, y: Integers) -> Integers:
    """Places for vertices such that x is ordered like u and y like v, as far as can be; (V).

    The places are halved across their longer side, the vertices by the coordinate of that side,
    until every part is one.
    """
    count = len(u)
    vertex, place = np.arange(count), np.arange(count)
    bounds = np.array([0, count])
    while (np.diff(bounds) > 1).any():
        size, first = np.diff(bounds), bounds[:-1]
        part = np.repeat(np.arange(len(size)), size)
        wide, high = (
            np.maximum.reduceat(axis[place], first) - np.minimum.reduceat(axis[place], first)
            for axis in (x, y)
        )
        flat = (wide >= high)[part]
        place = _sorted(place, x, y, flat, part)
        vertex = _sorted(vertex, u, v, flat, part)
        bounds = np.sort(np.concatenate((bounds, (first + size // 2)[size > 1])))
    found = np.empty(count, np.int64)
    found[vertex] = place
    return found


def _sorted(
    items: Integers,
    along: Integers | Floats,
    across: Integers | Floats,
    flat: np.typing.NDArray[np.bool_],
    part: Integers,
) -> Integers:
    one, other = along[items], across[items]
    order = np.lexsort((np.where(flat, other, one), np.where(flat, one, other), part))
    return items[order]


def _distance(graph: Graph, x: Integers, y: Integers) -> int:
    rows, other = graph.rows, graph.neighbor
    apart = abs(x[rows] - x[other]) + abs(y[rows] - y[other])
    return int((graph.messages * apart).sum()) // 2 + int((graph.host * (x + y)).sum())


def _noise(count: int, chance: Chance) -> Floats:
    return (chance.below(np.full(count, 1 << 20)) - (1 << 19)) / float(1 << 20)
