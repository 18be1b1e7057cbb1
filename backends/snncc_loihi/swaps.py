"""Placement by swaps: pairs trade places while that makes messages · distance smaller.

As in Jin et al. ("Mapping very large scale spiking neuron network to neuromorphic hardware", ASPLOS
2023) the forces of the traffic decide who wants to go where, many swaps are made at once, the best
first, and how many is adapted to what they really bring. Here a vertex tries places near where its
neighbors are (a column of one, a row of another, at random: around the median) and near its own.
All costs are integers, so that results are the same on every computer.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from snncc_ir import Integers
from snncc_loihi.chance import Chance

EXHAUSTIVE = 1 << 21
"""All pairs are tried where that takes at most so many operations a round."""
PATIENCE = 24
"""Rounds of descent that may pass without a gain of a thousandth."""
DESCENT = 2000
"""Rounds of descent, at most."""
TRIED = 3
"""Of so many wishes one is tried while tempering."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Undirected traffic between V vertices, as rows of neighbors, and that with the host.

    The neighbors of v are neighbor[start[v]:start[v + 1]], none of them v, with messages of both
    directions together. start: (V + 1), host: (V).
    """

    start: Integers
    neighbor: Integers
    messages: Integers
    host: Integers

    @staticmethod
    def of(source: Integers, target: Integers, messages: Integers, host: Integers) -> "Graph":
        """From directed traffic in any order, parallel edges and loops included."""
        count = len(host)
        kept = (source != target) & (messages > 0)
        one, other = source[kept], target[kept]
        keys = np.concatenate((one * count + other, other * count + one))
        sent = np.concatenate((messages[kept], messages[kept]))
        order = np.argsort(keys, kind="stable")
        keys, sent = keys[order], sent[order]
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        merged = np.add.reduceat(sent, first) if len(first) else sent
        rows, neighbor = np.divmod(keys[first], count)
        start = np.searchsorted(rows, np.arange(count + 1)).astype(np.int64)
        return Graph(start, neighbor, merged, host)

    @cached_property
    def rows(self) -> Integers:
        """The vertex of each entry of `neighbor`."""
        return np.repeat(np.arange(len(self.host)), self.degree)

    @cached_property
    def degree(self) -> Integers:
        """Neighbors of each vertex."""
        return np.diff(self.start)

    @cached_property
    def active(self) -> Integers:
        """Vertices with traffic."""
        return np.flatnonzero((self.degree > 0) | (self.host > 0)).astype(np.int64)

    @cached_property
    def before(self) -> Integers:
        """Messages of all entries before each one, and of all of them."""
        return np.concatenate((np.zeros(1, np.int64), np.cumsum(self.messages)))

    def contracted(self, group: Integers, count: int) -> "Graph":
        """The traffic between groups of vertices; group: (V) numbers below `count`."""
        half = self.rows < self.neighbor
        host = np.zeros(count, np.int64)
        np.add.at(host, group, self.host)
        return Graph.of(group[self.rows[half]], group[self.neighbor[half]],
                        self.messages[half], host)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Space:
    """Places of a mesh of H x W tiles.

    x, y: (P) coordinates in which distances are costs. column, row: (P) its tile. grid: (H, W, K)
    places of each tile, −1 where there is none.
    """

    x: Integers
    y: Integers
    column: Integers
    row: Integers
    grid: Integers


@dataclass(frozen=True, eq=False)
class Assignment:
    """place: (V) of each vertex, a permutation."""

    graph: Graph
    space: Space
    place: Integers

    def cost(self) -> int:
        """Messages · distance, exactly."""
        graph, x, y = self.graph, self.space.x[self.place], self.space.y[self.place]
        rows = graph.rows
        apart = abs(x[rows] - x[graph.neighbor]) + abs(y[rows] - y[graph.neighbor])
        return int((graph.messages * apart).sum()) // 2 + int((graph.host * (x + y)).sum())

    def changes(self, one: Integers, other: Integers) -> Integers:
        """By how much the cost grows when one[i] and other[i] trade places, each pair alone."""
        both = self._moved(np.concatenate((one, other)), np.concatenate((other, one)))
        return both[: len(one)] + both[len(one) :]

    def _moved(self, vertex: Integers, other: Integers) -> Integers:
        # what they send each other goes as far as before
        graph, space = self.graph, self.space
        here, there = self.place[vertex], self.place[other]
        x_here, y_here = space.x[here], space.y[here]
        x_there, y_there = space.x[there], space.y[there]
        degree = graph.degree[vertex]
        end = np.cumsum(degree)
        owner = np.repeat(np.arange(len(vertex)), degree)
        entry = (graph.start[vertex] - (end - degree))[owner]
        entry += np.arange(len(owner))
        near = graph.neighbor[entry]
        at = self.place[near]
        x, y = space.x[at], space.y[at]
        grows = abs(x - x_there[owner])
        grows -= abs(x - x_here[owner])
        grows += abs(y - y_there[owner])
        grows -= abs(y - y_here[owner])
        grows *= graph.messages[entry]
        grows[near == other[owner]] = 0
        sums = np.zeros(len(grows) + 1, np.int64)
        np.cumsum(grows, out=sums[1:])
        distance = x_there + y_there - x_here - y_here
        change: Integers = sums[end] - sums[end - degree] + graph.host[vertex] * distance
        return change

    def swapped(self, one: Integers, other: Integers) -> "Assignment":
        place = self.place.copy()
        place[one], place[other] = self.place[other], self.place[one]
        return replace(self, place=place)


def tempered(start: Assignment, rounds: int, chance: Chance) -> Assignment:
    """After rounds of swaps that may lose a little, and ever less: threshold accepting.

    (Dueck and Scheuer, 1990: annealing without exponentials.) At first a swap may lose what a
    vertex pays on average; the threshold falls to zero with the square of the time left. A random
    third of the wishes is tried in each round, so that few swaps disturb each other.
    `tempering.py` does the same faster, where every tile has all its places.
    """
    active = len(start.graph.active)
    if not active:
        return start
    now, heat = start, start.cost() // active
    for turn in range(rounds):
        left = rounds - turn
        one, other = _wishes(now, turn, chance)
        tried = chance.below(np.full(len(one), TRIED)) == 0
        one, other = best_first(
            now, one[tried], other[tried], heat * left * left // (rounds * rounds)
        )
        now = now.swapped(one, other)
    return now


def descended(start: Assignment, chance: Chance) -> Assignment:
    """After swaps that gain, until hardly any is found; never worse."""
    best, cost, share = start, start.cost(), 1.0
    count = len(start.place)
    every_pair = count * len(start.graph.neighbor) + count * count <= EXHAUSTIVE
    pairs = np.triu_indices(count, 1) if every_pair else None
    mark, waited = cost, 0
    for turn in range(DESCENT):
        one, other = best_first(best, *(pairs or _wishes(best, turn, chance)), 0)
        if len(one):
            best, gained, share = _swapped(best, cost, one, other, share)
            cost -= gained
        elif pairs is not None:
            break
        waited += 1
        if mark - cost > mark // 1000:
            mark, waited = cost, 0
        if waited > PATIENCE and pairs is None:
            break
    return best


def _wishes(now: Assignment, turn: int, chance: Chance) -> tuple[Integers, Integers]:
    """Each vertex with traffic and one that it would trade places with."""
    graph, space = now.graph, now.space
    vertex = graph.active
    if turn % 4 == 3:  # from where it is
        column, row = space.column[now.place[vertex]], space.row[now.place[vertex]]
    else:
        at = [_partner(now, vertex, chance) for _ in range(2)]
        column = np.where(at[0] < 0, 0, space.column[at[0]])
        row = np.where(at[1] < 0, 0, space.row[at[1]])
    reach = reach_of(turn)
    height, width, deep = space.grid.shape
    span = np.full(len(vertex), 2 * reach + 1)
    column = np.clip(column + chance.below(span) - reach, 0, width - 1)
    row = np.clip(row + chance.below(span) - reach, 0, height - 1)
    there = space.grid[row, column, chance.below(np.full(len(vertex), deep))]
    vertex_at = np.empty(len(now.place), np.int64)
    vertex_at[now.place] = np.arange(len(now.place))
    return vertex[there >= 0], vertex_at[there[there >= 0]]


def reach_of(turn: int) -> int:
    """How many tiles from where it looks a vertex may wish to be, in a round."""
    if turn % 4 == 3:
        return 1 if turn % 8 == 3 else 2
    return turn % 4


def _partner(now: Assignment, vertex: Integers, chance: Chance) -> Integers:
    """Places of random neighbors, by messages; −1: the host."""
    graph = now.graph
    sums = graph.before
    first, last = sums[graph.start[vertex]], sums[graph.start[vertex + 1]]
    chosen = first + chance.below(last - first + graph.host[vertex])
    entry = np.searchsorted(sums, chosen, side="right") - 1
    found = np.full(len(vertex), -1)
    inside = chosen < last
    found[inside] = now.place[graph.neighbor[entry[inside]]]
    return found


def best_first(
    now: Assignment, one: Integers, other: Integers, limit: int | Integers
) -> tuple[Integers, Integers]:
    """Pairs by which the cost grows less than `limit` (one for all, or each its own), the best
    first, each vertex in one only."""
    space, here, there = now.space, now.place[one], now.place[other]
    apart = (space.x[here] != space.x[there]) | (space.y[here] != space.y[there])
    one, other = one[apart], other[apart]
    change = now.changes(one, other)
    fine = change < (limit if isinstance(limit, int) else limit[apart])
    order = np.argsort(change[fine], kind="stable")
    one, other = one[fine][order], other[fine][order]
    best = np.full(len(now.place), len(one))
    rank = np.arange(len(one))
    np.minimum.at(best, one, rank)
    np.minimum.at(best, other, rank)
    free = (best[one] == rank) & (best[other] == rank)
    return one[free], other[free]


def _swapped(
    now: Assignment, cost: int, one: Integers, other: Integers, share: float
) -> tuple[Assignment, int, float]:
    """The best `share` of the swaps, and how much they gained; fewer while they would lose.

    Pairs that talk to each other may lose together what each would gain alone; one alone gains.
    """
    while True:
        count = max(1, int(len(one) * share))
        then = now.swapped(one[:count], other[:count])
        gained = cost - then.cost()
        if gained > 0:
            return then, gained, min(1.0, share * 1.5)
        share = count / 2 / len(one)
