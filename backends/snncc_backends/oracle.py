"""The numpy oracle as a runner: slow, and right by definition."""

from collections.abc import Callable

import numpy as np

from snncc_backends.batches import batches
from snncc_backends.protocol import Execution, Runner, checked_steps
from snncc_ir import (
    INTEGER,
    Array,
    Batch,
    FirstSpike,
    Graph,
    Integers,
    Oracle,
    Radix,
    check,
    digit_train,
    run_digits,
    run_phases,
    spike_train,
)  # fmt: skip

BATCH = 16


class OracleRunner(Runner):
    """Runs the bundle's network.sir with `snncc_ir.Oracle`."""

    description = "numpy oracle"

    def __init__(self, graph: Graph) -> None:
        """Raises SNN010 for a graph that is not at stage INTEGER."""
        check(graph, INTEGER)
        self._graph = graph

    def run(
        self,
        samples: Batch,
        steps: int | None = None,
        record: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Execution:
        steps = checked_steps(self._graph, steps)
        parts: list[Execution] = []
        for batch in batches(samples, BATCH, progress):
            if isinstance(self._graph.code, FirstSpike):
                parts.append(_phases(self._graph, self._graph.code, batch, record))
            elif isinstance(self._graph.code, Radix):
                parts.append(_digits(self._graph, self._graph.code, batch, record))
            else:
                parts.append(_steps(self._graph, batch, steps, record))
        return Execution.joined(parts)


def _steps(graph: Graph, samples: Batch, steps: int, record: bool) -> Execution:
    """A batch in the rate code."""
    sources = dict.fromkeys(node.inputs[0] for node in graph.outputs)
    totals: dict[str, list[Integers]] = {name: [] for name in sources}
    counts: dict[str, Integers] = {}
    spikes: dict[str, list[Array]] = {}
    for step in Oracle(graph).steps_of(samples, steps):
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
        steps,
        {name: np.stack(total, axis=1) for name, total in totals.items()},
        counts,
        spikes={name: np.stack(trains, axis=1) for name, trains in spikes.items()},
    )


def _phases(graph: Graph, code: FirstSpike, samples: Batch, record: bool) -> Execution:
    """A batch in the ttfs code."""
    phases = run_phases(graph, samples)
    fired = {name: slot < code.steps for name, slot in phases.slot.items()}
    return Execution(
        code.results,
        {name: total[:, None] for name, total in phases.totals(graph).items()},
        {name: spike.reshape(len(spike), -1).sum(1) for name, spike in fired.items()},
        spikes={name: spike_train(slot, code) for name, slot in phases.slot.items()}
        if record
        else {},
    )


def _digits(graph: Graph, code: Radix, samples: Batch, record: bool) -> Execution:
    """A batch in the radix code."""
    numbers = run_digits(graph, samples)
    trains = {name: digit_train(number, code) for name, number in numbers.number.items()}
    return Execution(
        code.results,
        {name: total[:, None] for name, total in numbers.totals(graph).items()},
        {
            name: train.reshape(len(train), -1).sum(1, dtype=np.int64)
            for name, train in trains.items()
        },
        spikes=trains if record else {},
    )
