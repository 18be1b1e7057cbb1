"""In which tiles the atoms of a layer are heard: counted, for cuts by which a segment is tried.

Most maps connect boxes by axes: an atom hears another where its channels, its rows and its columns
each do. Then everything is counted by axes, and neither atoms nor edges are looked at. What a
source is heard in by several maps is counted by inclusion and exclusion. Other maps are counted
atom by atom.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from snncc_ir import Floats, Integers
from snncc_loihi.atoms import Atoms, Grid, Truths

MOST_TERMS = 3
"""Maps of one source that are counted by inclusion and exclusion."""


@dataclass(frozen=True)
class Heard:
    """Of a source, by some of its edges. inputs: axons of each tile. outputs: of each tile, where
    the source is cut, too. messages: a sample, to other tiles than an atom's own."""

    inputs: Integers
    outputs: Integers | None
    messages: float


@dataclass(frozen=True, eq=False)
class Question:
    """A source (−1: the input numbers), by which of its edges it is heard, and whether it is cut by
    the same grid. Of the same questions there is one object."""

    source: int
    edges: tuple[int, ...]
    inside: bool


@dataclass(frozen=True)
class _Side:
    """What one axis gives to products, for one choice of the maps of a source, where all of them
    are heard. parts: that hear each channel group (row, column). at_home: whether its own does.
    inputs: channels (rows, columns) that each part hears; outputs: that it sends.
    """

    parts: Floats
    at_home: Floats
    inputs: Integers
    outputs: Integers


@dataclass(frozen=True)
class _Counts:
    """Of a side: inputs and outputs as plain numbers, for a look at a single tile."""

    inputs: list[int]
    outputs: list[int]


class Hearing:
    """Answers, remembered: many segments ask for the same."""

    def __init__(self, atoms: Atoms) -> None:
        self._atoms = atoms
        self._asked: dict[tuple[int, tuple[int, ...], bool], Question] = {}
        self._sides: dict[tuple[Question, int, int], tuple[_Side, ...]] = {}
        self._messages: dict[tuple[Question, Grid], float] = {}
        self._columns: dict[tuple[Question, int, int], tuple[Floats, Floats]] = {}
        self._middles: dict[tuple[Question, Grid], tuple[int, int]] = {}
        self._counts: dict[tuple[Question, int, int], tuple[_Counts, ...]] = {}
        self._cuts: dict[tuple[Question, Grid], Grid | None] = {}
        self._grids: dict[tuple[int, Grid], Grid | None] = {}
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
                key = source, numbers, inside
                found.append(self._asked.setdefault(key, Question(*key)))
        return tuple(found)

    def least(self, question: Question) -> tuple[float, int]:
        """Messages from outside and axons of all tiles, at least: every source that is heard, is
        in one tile."""
        found = [self._atoms.edges[number].heard for number in question.edges]
        if question.source < 0:
            return 0.0, len(np.unique(np.concatenate(found)))
        source = self._atoms.layers[question.source]
        heard = np.full(source.count, question.inside and source.layer.feedback)
        for each in found:
            heard[each] = True
        axons = int(source.sizes[heard].sum())
        # what is sent within a segment takes an axon on both sides
        return (0.0, 2 * axons) if question.inside else (float(source.spikes[heard].sum()), axons)

    def answer(self, question: Question, grid: Grid) -> Heard:
        """grid: cuts all layers that are asked for."""
        key = question, grid
        if key not in self._found:
            cut = self._cut_of(question, grid)
            if cut is None:
                self._found[key] = self._by_atoms(question, grid)
            else:
                self._found[key] = self._by_axes(question, grid, cut)
        return self._found[key]

    def in_the_middle(self, question: Question, grid: Grid) -> tuple[int, int]:
        """Axons of the middle tile: inputs, and outputs to other tiles of the segment."""
        key = question, grid
        if key not in self._middles:
            self._middles[key] = self._in_the_middle(question, grid)
        return self._middles[key]

    def _in_the_middle(self, question: Question, grid: Grid) -> tuple[int, int]:
        cut, tile = self._cut_of(question, grid), middle(grid)
        if cut is None:
            found = self.answer(question, grid)
            outputs = 0 if found.outputs is None else int(found.outputs[tile])
            return int(found.inputs[tile]), outputs
        i, row, column = place_of(tile, cut)
        inputs = outputs = 0
        of_axes = zip(*(self._counts_of(question, a, n) for a, n in enumerate(cut)), strict=True)
        for sign, (channels, rows, columns) in zip(SIGNS, of_axes, strict=False):
            inputs += sign * channels.inputs[i] * rows.inputs[row] * columns.inputs[column]
            if question.inside:
                outputs += sign * channels.outputs[i] * rows.outputs[row] * columns.outputs[column]
        return inputs, outputs

    def grid(self, layer: int, grid: Grid) -> Grid | None:
        """`LayerAtoms.grid`, remembered."""
        key = layer, grid
        if key not in self._grids:
            self._grids[key] = self._atoms.layers[layer].grid(grid)
        return self._grids[key]

    def _cut_of(self, question: Question, grid: Grid) -> Grid | None:
        key = question, grid
        if key not in self._cuts:
            self._cuts[key] = self._cut(question, grid)
        return self._cuts[key]

    def _counts_of(self, question: Question, axis: int, parts: int) -> "tuple[_Counts, ...]":
        key = question, axis, parts
        if key not in self._counts:
            self._counts[key] = tuple(
                _Counts(side.inputs.tolist(), side.outputs.tolist())
                for side in self._of_axis(question, axis, parts)
            )
        return self._counts[key]

    def _cut(self, question: Question, grid: Grid) -> Grid | None:
        """The one grid of all layers; None where things are not to be counted by axes."""
        edges = [self._atoms.edges[number] for number in question.edges]
        if any(each.axes is None for each in edges):
            return None
        source = None if question.source < 0 else self._atoms.layers[question.source]
        again = question.inside and source is not None and source.layer.feedback
        if len(edges) + again > (MOST_TERMS if source else 1):
            return None
        cuts = {self.grid(each.target, grid) for each in edges}
        if question.inside and source is not None:
            cuts.add(self.grid(question.source, grid))
        cut = cuts.pop()
        return None if cuts or cut is None or prod(cut) != prod(grid) else cut

    def messages(self, question: Question, grid: Grid) -> float:
        """Those of the answer alone."""
        key = question, grid
        if key not in self._messages:
            cut = self._cut_of(question, grid)
            self._messages[key] = (
                self.answer(question, grid).messages
                if cut is None
                else self._messages_by_axes(question, cut)
            )
        return self._messages[key]

    def _messages_by_axes(self, question: Question, cut: Grid) -> float:
        """Spikes times the tiles that hear them, the own one left out."""
        if question.source < 0:
            return 0.0
        found = 0.0
        sides = (self._of_axis(question, axis, parts) for axis, parts in enumerate(cut))
        of_axes = zip(SIGNS, zip(*sides, strict=True), strict=False)
        for term, (sign, (channels, rows, _)) in enumerate(of_axes):
            heard, at_home = self._along_columns(question, cut[2], term)
            found += sign * float(channels.parts @ (heard @ rows.parts))
            if question.inside:
                found -= sign * float(channels.at_home @ (at_home @ rows.at_home))
        return found

    def _along_columns(self, question: Question, parts: int, term: int) -> tuple[Floats, Floats]:
        """The spikes of each channel group and row, times the parts of columns that hear them, and
        where that is their own."""
        key = question, parts, term
        if key not in self._columns:
            source = self._atoms.layers[question.source]
            spikes = source.spikes.reshape(source.sides)
            side = self._of_axis(question, 2, parts)[term]
            self._columns[key] = spikes @ side.parts, spikes @ side.at_home
        return self._columns[key]

    def _by_axes(self, question: Question, grid: Grid, cut: Grid) -> Heard:
        inputs, outputs = np.zeros(cut, np.int64), np.zeros(cut, np.int64)
        sides = (self._of_axis(question, axis, parts) for axis, parts in enumerate(cut))
        for sign, of_axes in zip(SIGNS, zip(*sides, strict=True), strict=False):
            channels, rows, columns = of_axes
            inputs += _outer(sign * channels.inputs, rows.inputs, columns.inputs)
            if question.inside:
                outputs += _outer(sign * channels.outputs, rows.outputs, columns.outputs)
        sent = outputs.reshape(-1) if question.inside else None
        return Heard(inputs.reshape(-1), sent, self.messages(question, grid))

    def _of_axis(self, question: Question, axis: int, parts: int) -> tuple[_Side, ...]:
        """For each choice of edges, in the order of SIGNS."""
        key = question, axis, parts
        if key not in self._sides:
            terms = []
            for number in question.edges:
                edges = self._atoms.edges[number]
                starts = -(-np.arange(parts) * edges.target_sides[axis] // parts)
                assert edges.axes is not None, "all are to be counted by axes"
                terms.append(np.logical_or.reduceat(edges.axes[axis], starts, axis=1))
            own, widths = np.zeros(0, np.int64), np.ones(1, np.int64)
            if question.source >= 0:
                source = self._atoms.layers[question.source]
                own = source.parts((parts, parts, parts))[axis]
                if question.inside and source.layer.feedback:
                    terms.append(np.arange(parts) == own[:, None])
                if axis == 0:
                    widths = source.widths
            self._sides[key] = tuple(
                _side(heard, own, widths, question.inside) for heard in _choices(terms)
            )
        return self._sides[key]

    def _by_atoms(self, question: Question, grid: Grid) -> Heard:
        tiles = self._atoms.layers[question.source].tiles(grid) if question.inside else None
        layers = {self._atoms.edges[number].target for number in question.edges}
        cut = {i: found for i in layers if (found := self._atoms.layers[i].tiles(grid)) is not None}
        return heard_by_atoms(self._atoms, question, tiles, cut, prod(grid))


def middle(grid: Grid) -> int:
    """The tile in the middle."""
    return (grid[0] // 2 * grid[1] + grid[1] // 2) * grid[2] + grid[2] // 2


def place_of(tile: int, cut: Grid) -> tuple[int, int, int]:
    """Which part of channels, rows and columns a tile has."""
    return tile // cut[2] // cut[1], tile // cut[2] % cut[1], tile % cut[2]


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
        sources, targets = edges.pairs
        heard[sources, tiles[edges.target][targets]] = True
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


SIGNS = (1, 1, -1, 1, -1, -1, 1)
"""Of the choices of one, two or three terms, as `_choices` has them: their sum is the union."""


def _choices(terms: Sequence[Truths]) -> Iterator[Truths]:
    """What all terms of a choice hear, for all choices."""
    found: list[Truths] = []
    for term in terms:
        found += [term, *(each & term for each in found)]
    return iter(found)


def _side(heard: Truths, own: Integers, widths: Integers, inside: bool) -> _Side:
    """heard: (channels, rows or columns; parts)."""
    parts = heard.sum(axis=1)
    widths = widths if len(widths) == len(parts) else np.full(len(parts), widths[0])
    inputs: Integers = widths @ heard
    if not inside:
        return _Side(parts.astype(np.float64), np.zeros(len(parts)), inputs, parts)
    outputs = np.bincount(own, parts * widths, heard.shape[1]).astype(np.int64)
    at_home = heard[np.arange(len(own)), own]
    return _Side(parts.astype(np.float64), at_home.astype(np.float64), inputs, outputs)


def _outer(channels: Integers, rows: Integers, columns: Integers) -> Integers:
    found: Integers = channels[:, None, None] * (rows[:, None] * columns)
    return found
