"""Which physical core holds which logical core: few messages · hops, then no overloaded link.

Two starts: logical cores in their order along a Hilbert curve, which fits layered networks (Jin et
al., ASPLOS 2023), and by the slowest modes of their traffic (`spectral.py`), which fits any. Both
are improved by swaps (`swaps.py`); the better one is taken.
"""

from collections.abc import Sequence

import numpy as np

from snncc_ir import Floats, Integers
from snncc_loihi.chance import Chance
from snncc_loihi.chip import Mesh
from snncc_loihi.curve import along_curve, along_rows
from snncc_loihi.routes import figures
from snncc_loihi.spectral import spectral
from snncc_loihi.swaps import Assignment, Graph, Space, descended, tempered
from snncc_loihi.tempering import together
from snncc_loihi.traffic import Traffic, Weights, chips_for, extent, stretched, tiles_of

ROUNDS = (100, 2000)
"""Rounds of swaps from each start, at least and at most."""
EACH = 30
"""Rounds for each core, at most: few cores are soon in their places."""
WORK = 120_000_000
"""Rounds · (cores + connections between them) from each start, about."""


def place(traffic: Traffic, mesh: Mesh, weights: Weights, seed: int = 0) -> Integers:
    """(N) physical cores (chip · cores + core), all different, on as few chips as can be.

    The energy of all hops is small: never more than by `row_major`, or `random_places` of the same
    seed. Of the placements of least energy it is that whose most loaded link has least to carry.
    The same for the same input on every computer. Raises ValueError for more cores than there are.
    """
    problem = _Problem(traffic, mesh, weights)
    starts = (problem.on_curve(), problem.by_modes(Chance(seed)))
    found = problem.improved(starts, Chance(seed))
    plain = [row_major(traffic.cores, mesh), random_places(traffic.cores, mesh, seed), *starts]
    return min([*found, *plain], key=problem.merit)


def row_major(cores: int, mesh: Mesh) -> Integers:
    """Logical cores in their order along the rows of tiles, chip after chip."""
    return along_rows(_chips(cores, mesh), mesh)[:cores]


def random_places(cores: int, mesh: Mesh, seed: int = 0) -> Integers:
    """Anywhere on as few chips as can be."""
    return Chance(seed).order(_chips(cores, mesh) * mesh.cores)[:cores]


def _chips(cores: int, mesh: Mesh) -> int:
    chips = chips_for(cores, mesh)
    if chips > mesh.most_chips:
        raise ValueError(f"{cores} cores need {chips} chips, should be {mesh.most_chips} or fewer")
    return chips


class _Problem:
    """One traffic on one mesh; vertices beyond the logical cores are cores that stay empty."""

    def __init__(self, traffic: Traffic, mesh: Mesh, weights: Weights) -> None:
        self._traffic, self._mesh, self._weights = traffic, mesh, weights
        chips = _chips(traffic.cores, mesh)
        self._cores = chips * mesh.cores
        self._curve = along_curve(chips, mesh)[: traffic.cores]
        column, row = tiles_of(np.arange(self._cores), mesh)
        x, y = stretched(chips, mesh, weights)
        width, height = extent(chips, mesh)
        grid = np.full((height, width, mesh.cores_per_tile), -1)
        grid[row, column, np.arange(self._cores) % mesh.cores_per_tile] = np.arange(self._cores)
        self._space = Space(x[column], y[row], column, row, grid)
        self._graph = self._graph_of(self._cores)

    def on_curve(self) -> Integers:
        return self._curve

    def by_modes(self, chance: Chance) -> Integers:
        """On the same cores as on the curve, which are compact."""
        if not self._traffic.cores:
            return self._curve
        graph = self._graph_of(self._traffic.cores)
        x, y = self._space.x[self._curve], self._space.y[self._curve]
        return self._curve[spectral(graph, x, y, chance)]

    def improved(self, starts: Sequence[Integers], chance: Chance) -> list[Integers]:
        """Each start for itself, with the same chances."""
        work = WORK // (len(self._graph.neighbor) + self._cores)
        rounds = min(max(work, ROUNDS[0]), ROUNDS[1], EACH * self._traffic.cores)
        given = [self._assignment(places) for places in starts]
        if self._space.grid.min(initial=0) < 0:
            chances = [chance.copied() for _ in given]
            pairs = zip(given, chances, strict=True)
            tried = [tempered(each, rounds, own) for each, own in pairs]
        else:
            tried = together(given, rounds, chance)
            chances = [chance.copied() for _ in given]
        best = [descended(now, own) for now, own in zip(tried, chances, strict=True)]
        return [each.place[: self._traffic.cores] for each in best]

    def merit(self, places: Integers) -> tuple[float, float]:
        """Smaller is better: energy of all hops, messages on the most loaded link."""
        found = figures(self._traffic, places, self._mesh, self._weights)
        return found.picojoules, found.busiest

    def _assignment(self, places: Integers) -> Assignment:
        free = np.setdiff1d(np.arange(self._cores), places, assume_unique=True)
        return Assignment(self._graph, self._space, np.concatenate((places, free)))

    def _graph_of(self, vertices: int) -> Graph:
        traffic = self._traffic
        host = np.zeros(vertices, np.int64)
        np.add.at(host, traffic.host_target, _units(traffic.host_messages, traffic))
        sent = _units(traffic.messages, traffic)
        return Graph.of(traffic.source, traffic.target, sent, host)


def _units(messages: Floats, traffic: Traffic) -> Integers:
    return (messages / traffic.unit).astype(np.int64)
