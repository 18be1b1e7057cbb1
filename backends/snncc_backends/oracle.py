"""The numpy oracle as a runner: slow, and right by definition."""

from collections.abc import Callable

import numpy as np

from snncc_backends.protocol import Execution, Runner, checked_steps
from snncc_ir import Array, Batch, Graph, Integers, Oracle

BATCH = 16


class OracleRunner(Runner):
    """Runs the bundle's network.sir with `snncc_ir.Oracle`."""

    description = "numpy oracle"

    def __init__(self, graph: Graph) -> None:
        self._oracle = Oracle(graph)

    def run(
        self,
        samples: Batch,
        steps: int | None = None,
        record: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Execution:
        steps = checked_steps(self._oracle.graph, steps)
        count = len(next(iter(samples.values())))
        parts: list[Execution] = []
        for start in range(0, count, BATCH):
            batch = {name: array[start : start + BATCH] for name, array in samples.items()}
            parts.append(self._batch(batch, steps, record))
            if progress:
                progress(min(BATCH, count - start))
        return Execution(
            parts[0].steps,
            {k: np.concatenate([p.totals[k] for p in parts]) for k in parts[0].totals},
            {k: np.concatenate([p.spike_counts[k] for p in parts]) for k in parts[0].spike_counts},
            spikes={k: np.concatenate([p.spikes[k] for p in parts]) for k in parts[0].spikes},
        )

    def _batch(self, samples: dict[str, Array], steps: int, record: bool) -> Execution:
        graph = self._oracle.graph
        sources = dict.fromkeys(node.inputs[0] for node in graph.outputs)
        totals: dict[str, list[Integers]] = {name: [] for name in sources}
        counts: dict[str, Integers] = {}
        spikes: dict[str, list[Array]] = {}
        for step in self._oracle.steps_of(samples, steps):
            for name, sent in step.spikes.items():
                number = np.abs(sent).reshape(len(sent), -1).sum(1)
                counts[name] = counts.get(name, np.int64(0)) + number
                if record:
                    spikes.setdefault(name, []).append(sent.astype(np.int8))
            for name, total in totals.items():
                if name in step.potentials:
                    total.append(step.potentials[name])
                else:
                    total.append(step.spikes[name] + (total[-1] if total else 0))
        return Execution(
            len(next(iter(totals.values()))),
            {name: np.stack(total, axis=1) for name, total in totals.items()},
            counts,
            spikes={name: np.stack(trains, axis=1) for name, trains in spikes.items()},
        )
