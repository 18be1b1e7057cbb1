"""Threshold accepting of several placements of one traffic at once, with all chances drawn before.

Rounds are small steps of a few dozen vertices each, in which numpy takes longer to be called than
to work. Who wishes to be near whom does not depend on where vertices are, and so is drawn for many
rounds together; and placements that start elsewhere go through the same rounds side by side.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from snncc_ir import Integers
from snncc_loihi.chance import Chance
from snncc_loihi.swaps import TRIED, Assignment, Graph, Space, best_first, reach_of

AT_ONCE = 1 << 16
"""Numbers that are drawn together, about."""


def together(starts: Sequence[Assignment], rounds: int, chance: Chance) -> list[Assignment]:
    """What `swaps.tempered` makes of each start, with a chance of its own in the same state.

    starts: of one graph and one space, whose tiles have all their places. chance: in the end in the
    state in which each of those would be.
    """
    graph, space = starts[0].graph, starts[0].space
    active, count = graph.active, len(starts[0].place)
    if not len(active):
        return list(starts)
    heats = [start.cost() // len(active) for start in starts]
    shift = np.repeat(np.arange(len(starts)) * count, count)
    now = Assignment(
        _side_by_side(graph, len(starts)),
        _repeated(space, len(starts)),
        np.concatenate([start.place for start in starts]) + shift,
    )
    place, held = now.place, np.empty(len(now.place), np.int64)
    held[place] = np.arange(len(place))
    # the host is one vertex more, which stays in tile (0, 0)
    column, row = (np.append(each, 0) for each in (now.space.column, now.space.row))
    height, width, _ = space.grid.shape
    for turn, wish in enumerate(_wishes(graph, space, len(starts), rounds, chance)):
        at = np.append(place, len(place))
        x = np.minimum(np.maximum(column[at[wish.beside_x]] + wish.x, 0), width - 1)
        y = np.minimum(np.maximum(row[at[wish.beside_y]] + wish.y, 0), height - 1)
        other = held[space.grid[y, x, wish.deep] + shift[wish.vertex]]
        left = rounds - turn
        limits = np.array([heat * left * left // (rounds * rounds) for heat in heats])
        one, other = best_first(now, wish.vertex, other, limits[wish.start])
        place[one], place[other] = place[other], place[one]
        held[place[one]], held[place[other]] = one, other
    parts = place.reshape(len(starts), count) - shift.reshape(len(starts), count)
    return [replace(start, place=part) for start, part in zip(starts, parts, strict=True)]


@dataclass(frozen=True, eq=False)
class _Wishes:
    """Of a round. start, vertex: who tries one; (N). beside_x, beside_y: vertices whose column and
    row it looks at; x, y: steps from there; deep: which of the tile's places."""

    start: Integers
    vertex: Integers
    beside_x: Integers
    beside_y: Integers
    x: Integers
    y: Integers
    deep: Integers


def _wishes(
    graph: Graph, space: Space, starts: int, rounds: int, chance: Chance
) -> Iterator[_Wishes]:
    """Of every round, those that are tried; drawn as `swaps.tempered` draws them."""
    active, count, deep = graph.active, len(graph.host), space.grid.shape[2]
    first, last = graph.before[graph.start[active]], graph.before[graph.start[active + 1]]
    total = last - first + graph.host[active]
    each = max(AT_ONCE // (6 * len(active)), 1)
    for begin in range(0, rounds, each):
        turns = range(begin, min(begin + each, rounds))
        draws = [4 if turn % 4 == 3 else 6 for turn in turns]
        drawn = chance.drawn(sum(draws), len(active))
        ends = np.cumsum(draws)
        # the last four of a round: steps along x and y, which place of a tile, and who tries
        tried = drawn[ends - 1] % TRIED == 0
        places = drawn[ends - 2] % deep
        reach = np.array([reach_of(turn) for turn in turns])[:, None]
        x, y = (drawn[ends - back] % (2 * reach + 1) - reach for back in (4, 3))
        beside = np.broadcast_to(active, (2, len(turns), len(active))).copy()
        far = np.flatnonzero(np.array(draws) == 6)
        for which, back in enumerate((6, 5)):
            chosen = first + drawn[ends[far] - back] % total
            entry = np.searchsorted(graph.before, chosen.reshape(-1), side="right") - 1
            inside = chosen < last
            found = np.full(chosen.shape, -1)
            found[inside] = graph.neighbor[entry.reshape(chosen.shape)[inside]]
            beside[which, far] = found
        every = np.broadcast_to(tried[:, None], (len(turns), starts, len(active)))
        turn, start, who = np.nonzero(every)
        shift = start * count
        wishes = _Wishes(
            start,
            active[who] + shift,
            *(np.where((at := near[turn, who]) < 0, starts * count, at + shift) for near in beside),
            *(each[turn, who] for each in (x, y, places)),
        )
        bounds = np.searchsorted(turn, np.arange(len(turns) + 1)).tolist()
        for one, next_one in pairwise(bounds):
            yield _Wishes(*(each[one:next_one] for each in vars(wishes).values()))


def _side_by_side(graph: Graph, times: int) -> Graph:
    """A graph several times, with no traffic between."""
    count = len(graph.host)
    return Graph(
        np.concatenate([[0], *(graph.start[1:] + i * len(graph.neighbor) for i in range(times))]),
        np.concatenate([graph.neighbor + i * count for i in range(times)]),
        np.tile(graph.messages, times),
        np.tile(graph.host, times),
    )


def _repeated(space: Space, times: int) -> Space:
    """Places several times; the grid is that of the first."""
    x, y, column, row = (
        np.tile(each, times) for each in (space.x, space.y, space.column, space.row)
    )
    return Space(x, y, column, row, space.grid)
