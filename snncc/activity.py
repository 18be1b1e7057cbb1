"""Which neuron sends how many spikes, on some samples: measured on the C simulator."""

import tempfile
from pathlib import Path

import numpy as np

from snncc_backends import Execution, OracleRunner, Preprocessing, RateSettings, Runner, backend
from snncc_ir import Batch, Floats, Graph, Integers, SnnccError

AT_ONCE = 16
"""Samples whose every spike is held in memory."""


def measured_spikes(
    graph: Graph, preprocessing: Preprocessing, samples: Batch
) -> dict[str, Floats]:
    """Spikes of each neuron, a sample, by spiking node and flat; a graded spike is one.

    Without a C compiler the numpy oracle counts the same, slowly.
    """
    count = len(next(iter(samples.values())))
    with tempfile.TemporaryDirectory(prefix="snncc-") as folder:
        runner = simulator(graph, preprocessing, Path(folder))
        total: dict[str, Integers] = {}
        for start in range(0, count, AT_ONCE):
            part = {name: array[start : start + AT_ONCE] for name, array in samples.items()}
            for name, sent in _counted(runner.run(part, record=True)).items():
                total[name] = total.get(name, np.zeros(sent.size, np.int64)) + sent
    return {name: sent / count for name, sent in total.items()}


def sent_spikes(execution: Execution) -> dict[str, Floats]:
    """As `measured_spikes`, of an execution with all its spikes."""
    count = len(next(iter(execution.totals.values())))
    return {name: sent / count for name, sent in _counted(execution).items()}


def _counted(execution: Execution) -> dict[str, Integers]:
    return {
        name: np.count_nonzero(train, axis=(0, 1)).reshape(-1)
        for name, train in execution.spikes.items()
    }


def simulator(graph: Graph, preprocessing: Preprocessing, folder: Path) -> Runner:
    """The C simulator of a network for any target, built in `folder`; without a C compiler the
    numpy oracle."""
    target = backend("c")
    for name, content in target.emit(graph, preprocessing, RateSettings()).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    try:
        return target.load(folder, graph)
    except SnnccError as error:
        if any(diagnostic.code != "SNN052" for diagnostic in error.diagnostics):
            raise
        return OracleRunner(graph)
