"""The front end: an ONNX file becomes an IR graph at stage LOWERED.

reader (bytes) → simplify (constants, shapes) → lower (dispatch to ops/, a file an operator family).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snncc.onnx.lower import lower, lowerings
from snncc.onnx.reader import read_model
from snncc.onnx.simplify import simplify
from snncc_ir import LOWERED, Graph, check


@dataclass(frozen=True)
class Imported:
    """A model's graph, and what the user should know of its import."""

    graph: Graph
    notes: tuple[str, ...]


def import_model(path: Path, approximate: bool = False, neurons: bool = True) -> Imported:
    """Imports an ONNX file; the graph is named as the file. Raises SNN001 to SNN006.

    approximate: Sigmoid, Tanh, Gelu and their like become sums of clipped ramps, and the notes say
    so; else they are refused. neurons: a network without any is refused, as nothing would spike.

    SNN010 is raised for weights that overflow float32 on their way.
    """
    with np.errstate(all="ignore"):  # numbers that overflow are found by the checker, with a place
        model, notes = simplify(read_model(path))
        graph, more = lower(model, path.stem, approximate, neurons)
    check(graph, LOWERED)
    return Imported(graph, (*notes, *more))


__all__ = ["Imported", "import_model", "lowerings"]
