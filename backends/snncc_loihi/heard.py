"""In which tiles the atoms of a layer are heard: counted, for cuts by which a segment is tried.

Most maps connect boxes by axes: an atom hears another where its channels, its rows and its columns
each do. Then everything is counted by axes, and neither atoms nor edges are looked at. What a
source is heard in by several maps is counted by inclusion and exclusion. Other maps are counted
atom by atom.
"""

from dataclasses import dataclass
from math import prod

import numpy as np

from snncc_ir import Floats, Integers
from snncc_loihi.atoms import Atoms, Grid, LayerAtoms
from snncc_loihi.heard_sides import Question, Side, side_of

MOST_TERMS = 3
"""Maps of one source that are counted by inclusion and exclusion."""


@dataclass(frozen=True)
class Heard:
    """Of a source, by some of its edges. inputs: axons of each tile. outputs: of each tile, where
    the source is cut, too. messages: a sample, to other tiles than an atom's own."""

    inputs: Integers
    outputs: Integers | None
    messages: float


class Hearing:
    """Answers, remembered: many segments ask for the same."""

    def __init__(self, atoms: Atoms) -> None:
        self._atoms = atoms
        self._like: dict[Question, Question] = {}
        self._shapes: dict[tuple[object, ...], Question] = {}
        self._axons: dict[tuple[Question, Grid], tuple[Integers, Integers | None]] = {}
        self._asked: dict[tuple[int, tuple[int, ...], bool], Question] = {}
        self._sides: dict[tuple[Question, int, int], Side] = {}
        self._messages: dict[tuple[Question, Grid], float] = {}
        self._columns: dict[tuple[Question, int], Floats] = {}
        self._middles: dict[tuple[Question, Grid], tuple[int, int]] = {}
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
                if key not in self._asked:
                    self._asked[key] = Question(*key)
                    self._like[self._asked[key]] = self._first_like(self._asked[key])
                found.append(self._asked[key])
        return tuple(found)

    def _first_like(self, question: Question) -> Question:
        """The first question that has the same axons in every cut: of layers of the same shape,
        which are connected alike. Networks have many of those, in stages of equal layers."""
        found: list[object] = [question.inside, question.source < 0]
        for number in question.edges:
            edges, target = self._atoms.edges[number], self._atoms.layers
            if edges.axes is None:
                return question
            found += [edges.first, edges.source_sides, _shape(target[edges.target])]
            found += [(axis.shape, axis.tobytes()) for axis in edges.axes]
        if question.source >= 0:
            source = self._atoms.layers[question.source]
            found += [_shape(source), source.widths.tobytes(), source.layer.feedback]
        return self._shapes.setdefault(tuple(found), question)

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
        key = self._like[question], grid
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
        channels, rows, columns = (self._side(question, a, n).numbers for a, n in enumerate(cut))
        inputs = sum(
            each[i] * down[row] * along[column]
            for each, down, along in zip(channels[0], rows[0], columns[0], strict=True)
        )
        outputs = sum(
            each[i] * down[row] * along[column]
            for each, down, along in zip(channels[1], rows[1], columns[1], strict=True)
        )
        return inputs, outputs

    def grid(self, layer: int, grid: Grid) -> Grid | None:
        """`LayerAtoms.grid`, remembered."""
        key = layer, grid
        if key not in self._grids:
            self._grids[key] = self._atoms.layers[layer].grid(grid)
        return self._grids[key]

    def _cut_of(self, question: Question, grid: Grid) -> Grid | None:
        key = self._like[question], grid
        if key not in self._cuts:
            self._cuts[key] = self._cut(question, grid)
        return self._cuts[key]

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
        channels, rows = (self._side(question, axis, cut[axis]).times for axis in (0, 1))
        found = self._along_columns(question, cut[2]) @ rows[:, :, None]
        return float((channels * found[:, :, 0]).sum())

    def _along_columns(self, question: Question, parts: int) -> Floats:
        """(choices, channel groups, rows): the spikes of each, as `times` has them for columns."""
        key = question, parts
        if key not in self._columns:
            source = self._atoms.layers[question.source]
            times = self._side(question, 2, parts).times
            spikes = source.spikes.reshape(-1, source.sides[2]) @ times.T
            self._columns[key] = np.ascontiguousarray(spikes.T).reshape(-1, *source.sides[:2])
        return self._columns[key]

    def _by_axes(self, question: Question, grid: Grid, cut: Grid) -> Heard:
        key = self._like[question], grid
        if key not in self._axons:
            sides = tuple(self._side(question, axis, parts) for axis, parts in enumerate(cut))
            inputs = _products(*(side.inputs for side in sides))
            outputs = _products(*(side.outputs for side in sides)) if question.inside else None
            self._axons[key] = inputs, outputs
        inputs, outputs = self._axons[key]
        return Heard(inputs, outputs, self.messages(question, grid))

    def _side(self, question: Question, axis: int, parts: int) -> Side:
        key = self._like[question], axis, parts
        if key not in self._sides:
            self._sides[key] = side_of(self._atoms, question, axis, parts)
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


def _shape(atoms: LayerAtoms) -> tuple[Grid, int]:
    """All that a layer's cuts depend on."""
    return atoms.sides, atoms.layer.size


def _products(channels: Integers, rows: Integers, columns: Integers) -> Integers:
    """(choices, parts) each: of every tile, the sum of products."""
    positions = (rows[:, :, None] * columns[:, None]).reshape(len(rows), -1)
    found: Integers = channels.T @ positions
    return found.reshape(-1)
