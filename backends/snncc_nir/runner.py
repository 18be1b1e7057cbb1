"""Runs `network.nir` of a bundle: samples to the integers that go in, spikes and sums back."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snncc_backends import Execution, Runner, batches, checked_steps
from snncc_ir import Array, Batch, Floats, Graph, Integers
from snncc_nir.library import FILE
from snncc_nir.simulator import Simulator

BATCH = 16


class NirRunner(Runner):
    """The file of one bundle, in snncc's own simulator of NIR."""

    description = "numpy simulator of network.nir"

    def __init__(self, folder: Path, graph: Graph) -> None:
        """Raises SNN054 without the package nir."""
        self._graph = graph
        self._simulator = Simulator(folder / FILE)

    def run(
        self,
        samples: Batch,
        steps: int | None = None,
        record: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Execution:
        steps = checked_steps(self._graph, steps)
        return Execution.joined(
            [self._batch(part, steps, record) for part in batches(samples, BATCH, progress)]
        )

    def _batch(self, samples: Batch, steps: int, record: bool) -> Execution:
        notes = self._simulator.notes
        inputs = {
            name: _integers(samples[str(note["node"])], note)
            for name, note in notes["inputs"].items()
        }
        count = len(next(iter(samples.values())))
        sent: dict[str, list[NDArray[np.int8]]] = {}
        counts: dict[str, Integers] = {}
        totals: dict[str, list[Integers]] = {}
        for index, values in enumerate(self._simulator.run(inputs, steps)):
            for name, note in notes["neurons"].items():
                spikes, node = values[name], str(note["node"])
                number = spikes.reshape(count, -1).sum(1).astype(np.int64)
                counts[node] = counts.get(node, np.int64(0)) + number
                if record:
                    sent.setdefault(node, []).append(spikes.astype(np.int8))
            done = set()
            for name, note in notes["outputs"].items():
                source = str(note["source"])
                if source in done:
                    continue
                done.add(source)
                given = np.broadcast_to(values[name], (count, *values[name].shape[1:]))
                skipped = index < int(str(note["skipped_steps"]))
                now = np.zeros(given.shape, np.int64) if skipped else given.astype(np.int64)
                sums = totals.setdefault(source, [])
                sums.append(now + (sums[-1] if sums else 0))
        return Execution(
            steps,
            {name: np.stack(total, axis=1) for name, total in totals.items()},
            counts,
            spikes={name: np.stack(trains, axis=1) for name, trains in sent.items()},
        )


def _integers(x: Array, note: dict[str, object]) -> Floats:
    """The numbers of an input, as the metadata says."""
    scale, levels = float(str(note["scale"])), int(str(note["levels"]))
    return np.clip(np.rint(x.astype(np.float64) / scale), -levels, levels)
