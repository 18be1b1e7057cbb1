"""In which tiles the atoms of a layer are heard: counted, for cuts by which a segment is tried.

Most maps connect boxes by axes: an atom hears another where its channels, its rows and its columns
each do. Then everything is counted by axes, and neither atoms nor edges are looked at. What a
source is heard in by several maps is counted by inclusion and exclusion. Other maps are counted
atom by atom.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

import numpy as np

from snncc_ir import Floats, Integers
from snncc_loihi.atoms import Atoms, Axes, Grid, LayerAtoms, Truths

MOST_TERMS = 3
"""Maps of one source that are counted by inclusion and exclusion."""


@dataclass(frozen=True)
class Heard:
    """Of a source, by some of its edges. inputs: axons of each tile. outputs: of each tile, where
    the source is cut, too. messages: a sample, to other tiles than an atom's own."""

    inputs: Integers
    outputs: Integers | None
    messages: float


@dataclass(frozen=True)
class Question:
    """A source (−1: the input numbers), by which of its edges it is heard, and whether it is cut by
    the same grid."""

    source: int
    edges: tuple[int, ...]
    inside: bool


class Hearing:
    """Answers, remembered: many segments ask for the same."""

    def __init__(self, atoms: Atoms) -> None:
        self._atoms = atoms
        self._axes: dict[tuple[int, int, int], Truths] = {}
        self._found: dict[tuple[Question, Grid], Heard] = {}

    def questions(self, first: int, last: int) -> tuple[Question, ...]:
        """What layers first to last − 1, as a segment, ask for."""
        found = []
        for source in range(-1, last):
            numbers = tuple(
                number
                for number, edges in enumerate(self._atoms.edges)
                if edges.source == source and first <= edges.target < last
            )
            inside = first <= source < last
            if numbers or (inside and self._atoms.layers[source].layer.feedback):
                found.append(Question(source, numbers, inside))
        return tuple(found)

    def answer(self, question: Question, grid: Grid) -> Heard:
        """grid: cuts all layers that are asked for."""
        key = question, grid
        if key not in self._found:
            found = self._by_axes(question, grid)
            self._found[key] = found or self._by_atoms(question, grid)
        return self._found[key]

    def _by_axes(self, question: Question, grid: Grid) -> Heard | None:
        """None where it is more than boxes."""
        if question.source < 0:
            return None
        edges = [self._atoms.edges[number] for number in question.edges]
        source = self._atoms.layers[question.source]
        cuts = {self._atoms.layers[each.target].grid(grid) for each in edges}
        if question.inside:
            cuts.add(source.grid(grid))
        if len(cuts) != 1 or len(edges) + source.layer.feedback > MOST_TERMS:
            return None
        (cut,) = cuts
        if cut is None or prod(cut) != prod(grid):
            return None
        terms: list[Axes] = []
        for number, each in zip(question.edges, edges, strict=True):
            if each.axes is None:
                return None
            terms.append(self._tiles_of(number, each.axes, self._atoms.layers[each.target], cut))
        if question.inside and source.layer.feedback:
            terms.append(_own(source, cut))
        return _counted(source, terms, cut, question.inside)

    def _tiles_of(self, number: int, axes: Axes, target: LayerAtoms, cut: Grid) -> Axes:
        """Which atoms of a source are heard in which tiles, by axes."""
        found = []
        for axis, (heard, size, parts) in enumerate(zip(axes, target.sides, cut, strict=True)):
            key = number, axis, parts
            if key not in self._axes:
                starts = -(-np.arange(parts) * size // parts)
                self._axes[key] = np.logical_or.reduceat(heard, starts, axis=1)
            found.append(self._axes[key])
        channels, rows, columns = found
        return channels, rows, columns

    def _by_atoms(self, question: Question, grid: Grid) -> Heard:
        tiles = self._atoms.layers[question.source].tiles(grid) if question.inside else None
        layers = {self._atoms.edges[number].target for number in question.edges}
        cut = {i: found for i in layers if (found := self._atoms.layers[i].tiles(grid)) is not None}
        return heard_by_atoms(self._atoms, question, tiles, cut, prod(grid))


def heard_by_atoms(
    atoms: Atoms,
    question: Question,
    own: Integers | None,
    tiles: dict[int, Integers],
    number: int,
) -> Heard:
    """own: the tile of each of the source's atoms. tiles: of each atom, by layer that hears it."""
    source = None if question.source < 0 else atoms.layers[question.source]
    heard = np.zeros((atoms.inputs if source is None else source.count, number), np.bool_)
    for each in question.edges:
        edges = atoms.edges[each]
        heard[edges.sources, tiles[edges.target][edges.targets]] = True
    if source is None:
        return Heard(heard.sum(axis=0), None, 0.0)
    if own is not None and source.layer.feedback:
        heard[np.arange(len(own)), own] = True
    receivers = heard.sum(axis=1)
    inputs: Integers = source.sizes @ heard
    if own is None:
        return Heard(inputs, None, float(receivers @ source.spikes))
    outputs = np.bincount(own, receivers * source.sizes, number).astype(np.int64)
    receivers = receivers - heard[np.arange(len(own)), own]
    return Heard(inputs, outputs, float(receivers @ source.spikes))


def _own(source: LayerAtoms, cut: Grid) -> Axes:
    """Each atom in its own tile."""
    channels, rows, columns = (
        np.arange(parts) == part[:, None]
        for part, parts in zip(source.parts(cut), cut, strict=True)
    )
    return channels, rows, columns


def _subsets(terms: Sequence[Axes]) -> Iterator[tuple[int, Axes]]:
    """Sign and intersection of each choice of terms: their sum is the union."""
    for count in range(1, len(terms) + 1):
        for chosen in combinations(terms, count):
            channels, rows, columns = (
                np.logical_and.reduce(axis) if count > 1 else axis[0]
                for axis in zip(*chosen, strict=True)
            )
            yield (-1) ** (count + 1), (channels, rows, columns)


def _counted(source: LayerAtoms, terms: Sequence[Axes], cut: Grid, inside: bool) -> Heard:
    spikes = source.spikes.reshape(source.sides)
    widths = source.sizes[:: prod(source.sides[1:])]
    own = source.parts(cut) if inside else ()
    inputs, outputs, messages = np.zeros(cut, np.int64), np.zeros(cut, np.int64), 0.0
    for sign, axes in _subsets(terms):
        channels, rows, columns = axes
        inputs += sign * _outer(widths @ channels, rows.sum(axis=0), columns.sum(axis=0))
        receivers = [axis.sum(axis=1) for axis in axes]
        messages += sign * _times(spikes, receivers)
        if own:
            weighted = receivers[0] * widths, receivers[1], receivers[2]
            sums = (
                np.bincount(part, values, parts).astype(np.int64)
                for part, values, parts in zip(own, weighted, cut, strict=True)
            )
            outputs += sign * _outer(*sums)
            at_home = [axis[np.arange(len(part)), part] for axis, part in zip(axes, own, strict=True)]
            messages -= sign * _times(spikes, at_home)
    return Heard(inputs.reshape(-1), outputs.reshape(-1) if own else None, messages)


def _outer(channels: Integers, rows: Integers, columns: Integers) -> Integers:
    found: Integers = channels[:, None, None] * (rows[:, None] * columns)
    return found


def _times(spikes: Floats, axes: Sequence[Integers | Truths]) -> float:
    """Of each atom, its spikes times the product of a number for each axis."""
    channels, rows, columns = axes
    return float(channels @ ((spikes @ columns) @ rows))
