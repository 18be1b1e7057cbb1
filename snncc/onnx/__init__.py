"""The front end: an ONNX file becomes an IR graph at stage LOWERED.

reader (bytes) → simplify (constants, shapes) → lower (dispatch to ops/, a file an operator family).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snncc.onnx.lower import lower, lowerings
from snncc.onnx.quantizers import is_dynamic, settled
from snncc.onnx.reader import read_model
from snncc.onnx.simplify import simplify
from snncc_ir import LOWERED, Graph, check

DYNAMIC_NOTE = (
    "DynamicQuantizeLinear is left out: its scale depends on the sample, so that activations have "
    "no grid; weights keep theirs"
)


@dataclass(frozen=True)
class Imported:
    """A model's graph, and what the user should know of its import."""

    graph: Graph
    notes: tuple[str, ...]


def import_model(path: Path) -> Imported:
    """Imports an ONNX file; the graph is named as the file. Raises SNN001 to SNN006.

    SNN010 is raised for weights that overflow float32 on their way.
    """
    with np.errstate(all="ignore"):  # numbers that overflow are found by the checker, with a place
        model = read_model(path)
        dynamic = is_dynamic(model)
        model, notes = simplify(settled(model))
        graph, more = lower(model, path.stem)
    check(graph, LOWERED)
    return Imported(graph, (*notes, *more, *((DYNAMIC_NOTE,) if dynamic else ())))


__all__ = ["Imported", "import_model", "lowerings"]
