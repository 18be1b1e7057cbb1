"""Coarser and coarser graphs: those that talk most become one vertex, in pairs.

Heavy-edge matching, as in multilevel partitioners (Karypis and Kumar, 1998).
"""

from dataclasses import dataclass

import numpy as np

from snncc_ir import Integers
from snncc_loihi.chance import scrambled
from snncc_loihi.swaps import Graph

COARSEST = 8
"""Vertices of the coarsest graph, at least: enough to tell two directions apart."""
MATCHINGS = 8
"""Rounds of matching before what is left is paired otherwise."""


@dataclass(frozen=True, eq=False)
class Level:
    """A graph and its pairs: group: (V), the vertex of the next coarser graph that holds each."""

    graph: Graph
    group: Integers


def coarsened(graph: Graph) -> list[Level]:
    """The graph itself, one of half the vertices, and so on to the coarsest."""
    levels: list[Level] = []
    while not levels or len(graph.host) >= 2 * COARSEST:
        partner = _matched(graph)
        count = len(partner)
        first = np.flatnonzero(np.arange(count) <= partner)
        group = np.empty(count, np.int64)
        group[first] = np.arange(len(first))
        group[partner[first]] = np.arange(len(first))
        levels.append(Level(graph, group))
        graph = graph.contracted(group, len(first))
    return levels


def _matched(graph: Graph) -> Integers:
    """The partner of each vertex, (V); at most one has none, and is its own."""
    count, rows, others = len(graph.host), graph.rows, graph.neighbor
    low, high = np.minimum(rows, others), np.maximum(rows, others)
    # equal edges in random order, the same from both ends, so that they do not form long chains
    salt = scrambled((low * count + high).astype(np.uint64))
    order = np.lexsort((salt, graph.messages))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) // 2  # both directions of an edge follow each other
    partner = np.full(count, -1)
    for _ in range(MATCHINGS):
        open_ = (partner[rows] < 0) & (partner[others] < 0)
        if not open_.any():
            break
        best = np.full(count, -1)
        np.maximum.at(best, rows[open_], rank[open_])
        mutual = open_ & (best[rows] == rank) & (best[others] == rank)
        partner[rows[mutual]] = others[mutual]
    left = np.flatnonzero(partner < 0)
    # those that are left have the same neighbors, often: beside whose pair would they be?
    best = np.full(count, -1)
    np.maximum.at(best, rows, rank)
    heaviest = np.full(count, count)
    top = best[rows] == rank
    heaviest[rows[top]] = np.minimum(others[top], partner[others[top]] % count)
    left = left[np.lexsort((left, heaviest[left]))]
    even = len(left) // 2 * 2
    partner[left[0:even:2]], partner[left[1:even:2]] = left[1:even:2], left[0:even:2]
    partner[left[even:]] = left[even:]
    return partner
