"""What a run gave, as an object: outputs in the network's own units, predictions, counts."""

import numpy as np

from snncc.early_exit import outputs_at
from snncc.notebook import compact
from snncc.words import large
from snncc_backends import Execution
from snncc_ir import Array, Floats, Graph, decode

SHOWN = 20
"""Predictions that a notebook shows of a result."""


class Result:
    """What a run gave: outputs in the network's own units after every step, and spike counts.

    Where samples end early, their outputs stay as they are at their ends.
    """

    def __init__(
        self, graph: Graph, execution: Execution, runner: str, notes: tuple[str, ...] = ()
    ) -> None:
        self.execution, self.runner, self._graph = execution, runner, graph
        self.notes = notes
        """What the user should know of the data, such as how many events were left out."""

    def outputs(self, steps: int | None = None) -> dict[str, Floats]:
        """Results by output name, (N, *shape), after `steps` steps (default: all)."""
        count = self.execution.steps if steps is None else steps
        if self.execution.steps_used is not None:
            return outputs_at(self._graph, self.execution, count)
        totals = {name: total[:, count - 1] for name, total in self.execution.totals.items()}
        return decode(self._graph, totals, count)

    def predictions(self, steps: int | None = None) -> Array:
        """Index of the largest number of the first output, (N,)."""
        first = next(iter(self.outputs(steps).values()))
        chosen: Array = first.reshape(len(first), -1).argmax(1)
        return chosen

    @property
    def steps(self) -> int:
        """Time steps (ttfs code: slots, radix code: digits) that were run."""
        code = self._graph.code
        return code.train if code is not None and code.results == 1 else self.execution.steps

    @property
    def mean_steps(self) -> float:
        """Time steps that a sample took, on average."""
        used = self.execution.steps_used
        return float(self.steps if used is None else np.mean(used))

    def _repr_html_(self) -> str:
        """For notebooks."""
        classes = self.predictions()
        tiles = [
            ("samples", f"{len(classes):,}", ""),
            ("steps", f"{self.mean_steps:.4g}", "on average"),
            ("spikes a sample", large(self.spikes_per_sample), ""),
        ]
        shown = ", ".join(map(str, classes[:SHOWN].tolist()))
        more = ", …" if len(classes) > SHOWN else ""
        return compact(f"Result of the {self.runner}", tiles, [f"predictions: {shown}{more}"])

    @property
    def spikes_per_sample(self) -> float:
        """Mean number of spikes that a sample causes."""
        return float(sum(np.mean(count) for count in self.execution.spike_counts.values()))
