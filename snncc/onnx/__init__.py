"""The front end: an ONNX file becomes an IR graph at stage LOWERED.

reader (bytes) → simplify (constants, shapes) → lower (dispatch to ops/, a file an operator family).
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snncc.onnx.constants import Constants
from snncc.onnx.ends import Result
from snncc.onnx.lower import Trained, lower, lowerings
from snncc.onnx.reader import Model, read_model
from snncc.onnx.simplify import needs_no_folding, simplify
from snncc_ir import LOWERED, Graph, SnnccError, Stopwatch, check


@dataclass(frozen=True)
class Imported:
    """A model's graph, and what the user should know of its import.

    results: what each output of the graph stands for in the model. trained: by coding, settings
    that the network was trained for, such as {"ttfs": {"steps": 12, "tau": 2, "offset": 0.0}}.
    """

    graph: Graph
    results: tuple[Result, ...]
    notes: tuple[str, ...]
    trained: Trained


def import_model(
    path: Path,
    approximate: bool = False,
    needs_neurons: bool = True,
    watch: Stopwatch | None = None,
) -> Imported:
    """Imports an ONNX file; the graph is named as the file. Raises SNN001 to SNN006.

    approximate: Sigmoid, Tanh, Gelu and their like become sums of clipped ramps, and the notes say
    so; else they are refused. needs_neurons: a network without any is refused, as nothing would
    spike. watch: gets the stages read, simplify and lower.

    SNN010 is raised for weights that overflow float32 on their way.
    """
    watch = watch or Stopwatch()
    with np.errstate(all="ignore"):  # numbers that overflow are found by the checker, with a place
        with watch.stage("read"):
            model = read_model(path)
        if needs_no_folding(model.proto):
            # folding takes a second, most of it the import of its library; what fails without it
            # is tried again with it
            with suppress(SnnccError):
                return _imported(model, path.stem, approximate, needs_neurons, watch, fold=False)
        return _imported(model, path.stem, approximate, needs_neurons, watch, fold=True)


def _imported(
    model: Model, name: str, approximate: bool, needs_neurons: bool, watch: Stopwatch, fold: bool
) -> Imported:
    with watch.stage("simplify"):
        proto, notes = simplify(model.proto, model.stored, fold)
    with watch.stage("lower"):
        constants = Constants(model.opset, model.stored)
        lowered = lower(proto, constants, name, approximate, needs_neurons)
        check(lowered.graph, LOWERED)
    return Imported(lowered.graph, lowered.results, (*notes, *lowered.notes), lowered.trained)


__all__ = ["Imported", "Trained", "import_model", "lowerings"]
