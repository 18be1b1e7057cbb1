"""What is heard of a source, axis by axis, where boxes are connected by axes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from snncc_ir import Floats, Integers
from snncc_loihi.atoms import Atoms, Truths


@dataclass(frozen=True, eq=False)
class Question:
    """A source (−1: the input numbers), by which of its edges it is heard, and whether it is cut by
    the same grid. Of the same questions there is one object."""

    source: int
    edges: tuple[int, ...]
    inside: bool


@dataclass(frozen=True)
class Side:
    """What one axis gives to products, for all choices of the maps of a source: what all of them
    hear. Rows are choices; those of channels have the choice's sign.

    inputs: channels (rows, columns) that each part hears; outputs: that it sends. times: by how
    much the spikes of each channel group (row, column) are multiplied: parts that hear it, and in
    as many rows again, subtracted, whether its own does. numbers: inputs and outputs, plain ones.
    """

    inputs: Integers
    outputs: Integers
    times: Floats
    numbers: tuple[list[list[int]], list[list[int]]]


def side_of(atoms: Atoms, question: Question, axis: int, parts: int) -> Side:
    """What is heard along an axis that is cut into so many parts."""
    terms = []
    for number in question.edges:
        edges = atoms.edges[number]
        assert edges.axes is not None, "all are to be counted by axes"
        starts = _starts(edges.target_sides[axis], parts)
        terms.append(np.logical_or.reduceat(edges.axes[axis], starts, axis=1))
    source = None if question.source < 0 else atoms.layers[question.source]
    inside = question.inside and source is not None
    own = np.zeros(0, np.int64)
    if inside and source is not None:
        side = source.sides[axis]
        own = np.arange(side) * parts // side
        if source.layer.feedback:
            terms.append(np.arange(parts) == own[:, None])
    heard = np.stack(list(_choices(terms)))
    hearing = heard.sum(axis=2)
    widths = np.ones(heard.shape[1], np.int64)
    if axis == 0 and source is not None:
        widths = source.widths
    signs = np.array(SIGNS[: len(heard)])[:, None] if axis == 0 else 1
    inputs = signs * (widths @ heard)
    outputs, times = np.zeros((len(heard), parts), np.int64), hearing
    if inside:
        sent = hearing * widths
        outputs = signs * np.add.reduceat(sent, _starts(heard.shape[1], parts), axis=1)
        at_home = heard[:, np.arange(len(own)), own]
        times = np.concatenate([hearing, -at_home.astype(np.int64) if axis == 0 else at_home])
    if axis == 0:
        times = times * np.tile(signs, (1 + inside, 1))
    return Side(inputs, outputs, times.astype(np.float64), (inputs.tolist(), outputs.tolist()))


SIGNS = (1, 1, -1, 1, -1, -1, 1)
"""Of the choices of one, two or three terms, as `_choices` has them: their sum is the union."""


def _choices(terms: Sequence[Truths]) -> Iterator[Truths]:
    """What all terms of a choice hear, for all choices."""
    found: list[Truths] = []
    for term in terms:
        found += [term, *(each & term for each in found)]
    return iter(found)


def _starts(side: int, parts: int) -> Integers:
    """The first channel group (row, column) of each part."""
    return -(-np.arange(parts) * side // parts)
