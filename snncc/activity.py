"""Which neuron sends how many spikes, on some samples: as the oracle would count them, but fast."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from snncc.passes.in_time import fire_exactly, pool_in_time
from snncc_backends import Execution, OracleRunner, Preprocessing, RateSettings, Runner, backend
from snncc_ir import Analog, Array, Batch, Floats, Graph, Integers, Rate, SnnccError
from snncc_ir.ops import EventInput, Input, IntegrateFire, MaxPool, Population

AT_ONCE = 16
"""Samples whose every spike is held in memory."""


def measured_spikes(
    graph: Graph, preprocessing: Preprocessing, samples: Batch
) -> dict[str, Floats]:
    """Spikes of each neuron, a sample, by spiking node and flat; a graded spike is one.

    Where integers are small enough, layer after layer over time; else by the C simulator, and
    without a C compiler by the numpy oracle, slowly.
    """
    count = len(next(iter(samples.values())))
    total: dict[str, Integers] = {}
    runner: Runner | None = None
    trains: Mapping[str, Array] | None
    with tempfile.TemporaryDirectory(prefix="snncc-") as folder:
        for start in range(0, count, AT_ONCE):
            part = {name: array[start : start + AT_ONCE] for name, array in samples.items()}
            trains = None if runner else trains_of(graph, part)
            if trains is None:
                runner = runner or simulator(graph, preprocessing, Path(folder))
                trains = runner.run(part, record=True).spikes
            for name, sent in _counted(trains).items():
                total[name] = total.get(name, np.zeros(sent.size, np.int64)) + sent
    return {name: sent / count for name, sent in total.items()}


def sent_spikes(execution: Execution) -> dict[str, Floats]:
    """As `measured_spikes`, of an execution with all its spikes."""
    count = len(next(iter(execution.totals.values())))
    return {name: sent / count for name, sent in _counted(execution.spikes).items()}


def _counted(trains: Mapping[str, Array]) -> dict[str, Integers]:
    return {
        name: np.count_nonzero(train, axis=(0, 1)).reshape(-1) for name, train in trains.items()
    }


def trains_of(graph: Graph, samples: Batch) -> dict[str, Array] | None:
    """The oracle's spikes, (N, steps, *shape) by node; None where float32 would not be exact."""
    if not isinstance(graph.code, Rate):
        return None
    values: dict[str, Array] = {}
    for node in graph:
        types = tuple(source.type for source in graph.operands(node))
        match node.op:
            case Input() as op:
                numbers = samples[node.name].astype(np.float64)
                values[node.name] = op.quantize(numbers).astype(np.float64)
            case EventInput() as op:
                values[node.name] = op.sent(samples[node.name]).astype(np.int8)
            case Population(model=IntegrateFire()) as op:
                arriving = [values[name] for name in node.inputs]
                train = fire_exactly(op, types, arriving, graph.code.steps)
                if train is None:
                    return None
                values[node.name] = train
            case MaxPool() as op:
                source = values[node.inputs[0]].astype(np.int8, copy=False)
                values[node.name] = pool_in_time(op, types[0], source)
    analog = {node.name for node in graph.inputs if isinstance(node.type, Analog)}
    return {name: value for name, value in values.items() if name not in analog}


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
