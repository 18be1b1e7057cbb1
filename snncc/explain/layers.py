"""What each layer loses: the chip's spikes beside the float network's numbers, layer by layer."""

from collections.abc import Callable, Mapping

import numpy as np

from snncc.explain.figures import LayerFigures, Layers
from snncc.explain.float_network import FloatNetwork, Values, frames
from snncc.explain.reasons import find, losses_of
from snncc.explain.sent import as_float32, sent_values
from snncc.explain.tally import Seen, Tally, decibels
from snncc.explain.twins import twins
from snncc_backends import Runner
from snncc_ir import Array, Batch, Floats, Graph, Node, NodeRunner, Spikes, ValueRunner
from snncc_ir.ops import AnyInput, Population, Relu

BATCH = 16
"""Samples whose every spike is held in memory."""
CUTS = 40
"""Layers, at most, from which on the float network takes over."""


def measure_layers(
    graph: Graph,
    runner: Runner,
    model: FloatNetwork,
    samples: Batch,
    labels: Array | None,
    progress: Callable[[int], None] = lambda done: None,
) -> Layers:
    """Runs `samples` (in the network's own numbers) on `runner`, and compares layer by layer.

    graph: the bundle's. model: as `float_network` has it; where it is another than that which was
    compiled, populations are matched as `twins` says. labels: (N,). progress: called with the
    samples done since the last call.
    """
    study = _Study(graph, model)
    count = len(next(iter(samples.values())))
    for start in range(0, count, BATCH):
        part = {name: array[start : start + BATCH] for name, array in samples.items()}
        truth = None if labels is None else labels[start : start + BATCH]
        study.add(runner, part, truth)
        progress(len(next(iter(part.values()))))
    return study.layers(count)


class _Study:
    """Adds up batches."""

    def __init__(self, graph: Graph, reference: FloatNetwork) -> None:
        self._graph, self._reference = graph, reference
        self._twin = twins(graph, reference.graph)
        self._nodes = [node for node in graph if node.name in self._twin]
        self._tallies = {
            name: Tally(graph[name], _ceiling(reference.graph[twin]))
            for name, twin in self._twin.items()
        }
        self._closed = ValueRunner(graph, [node.name for node in self._nodes])
        self._closed_noise = {node.name: 0.0 for node in self._nodes}
        self._alone = {
            node.name: NodeRunner([node.op], [source.type for source in graph.operands(node)])
            for node in self._nodes
        }
        self._spikes: dict[str, int] = {}
        self._operations: dict[str, int] = {}
        out = reference.graph[reference.output].type.shape
        self._classes = len(out) == 1 and out[0] > 1
        every = -(-len(self._nodes) // CUTS)
        self._cuts = [node.name for node in self._nodes[::-1][::every]][::-1]
        self._right = {name: np.zeros(2, np.int64) for name in ("", *self._cuts)}
        self._float_right = 0
        self._labeled = False

    def add(self, runner: Runner, samples: Batch, labels: Array | None) -> None:
        graph, reference = self._graph, self._reference
        execution = runner.run(samples, record=True)
        sent = sent_values(graph, execution, samples)
        for counts, total in (
            (execution.spike_counts, self._spikes),
            (execution.synaptic_operations, self._operations),
        ):
            for name, count in counts.items():
                total[name] = total.get(name, 0) + int(count.sum())
        wanted = reference.run(frames(graph, samples))
        chip = self._chip_values(sent, wanted)
        closed = self._closed.run(samples)
        for node in self._nodes:
            if node.name not in sent:
                continue
            scale = node.op.scale.floats if isinstance(node.op, Population) else 1.0
            due = reference.node(self._twin[node.name], chip).astype(np.float64)
            alone = self._alone[node.name].run(self._units(node, sent)).astype(np.float64) * scale
            at_twin = wanted[self._twin[node.name]].astype(np.float64)
            seen = Seen(sent[node.name], due, at_twin, alone)
            self._tallies[node.name].add(seen)
            gap = closed[node.name].astype(np.float64) * scale - seen.wanted
            self._closed_noise[node.name] += float(np.sum(np.square(gap)))
        if self._classes:
            self._take_over(chip, wanted, labels)

    def _units(self, node: Node, sent: Mapping[str, Floats]) -> list[Array]:
        """What arrives at a population, in units of its sources' scales."""
        return [self._unit(source, sent) for source in self._graph.operands(node)]

    def _unit(self, node: Node, sent: Mapping[str, Floats]) -> Array:
        match node.op:
            case Population(scale=scale):
                return np.asarray(sent[node.name] / scale.floats, np.float32)
            case AnyInput(scale=unit):
                return np.asarray(sent[node.name] / unit, np.float32)
        # a max pool, which counts in its source's units
        operands = [self._unit(source, sent) for source in self._graph.operands(node)]
        result = node.op.evaluate(tuple(x.astype(np.float64) for x in operands))
        return result.astype(np.float32)

    def _chip_values(self, sent: Mapping[str, Floats], wanted: Values) -> Values:
        """Of all nodes of the float network that populations read."""
        values: Values = {}
        numbers = as_float32(sent)
        given = {self._twin.get(name, name): value for name, value in numbers.items()}
        for node in self._reference.graph:
            if node.name in given:
                values[node.name] = given[node.name]
            elif node.inputs:  # what the chip does exactly, such as a maximum
                values[node.name] = self._reference.node(node.name, values)
            else:
                values[node.name] = wanted[node.name]
        return values

    def _take_over(self, chip: Values, wanted: Values, labels: Array | None) -> None:
        """The float network from each cut on, and how often it is right."""
        reference = self._reference
        truth = wanted[reference.output].argmax(1)
        if labels is not None:
            self._labeled = True
            self._float_right += int(np.count_nonzero(truth == labels))
        given = {node.name: chip[node.name] for node in reference.graph.inputs}
        self._count("", given, truth, labels)
        for node in self._nodes:
            twin = self._twin[node.name]
            given[twin] = chip[twin]
            if node.name in self._cuts:
                self._count(node.name, given, truth, labels)

    def _count(self, cut: str, given: Values, truth: Array, labels: Array | None) -> None:
        chosen = self._reference.complete(given)[self._reference.output].argmax(1)
        right = 0 if labels is None else np.count_nonzero(chosen == labels)
        self._right[cut] += np.array([np.count_nonzero(chosen == truth), right])

    def layers(self, count: int) -> Layers:
        rows = tuple(
            self._row(node, count) for node in self._nodes if self._tallies[node.name].samples
        )
        accuracy = self._float_right / count if self._labeled else None
        return Layers(rows, count, self._reference.same, accuracy, *self._shares("", count))

    def _shares(self, cut: str, count: int) -> tuple[float | None, float | None]:
        if not self._classes or cut not in self._right:
            return None, None
        agreed, right = self._right[cut] / count
        return float(agreed), float(right) if self._labeled else None

    def _row(self, node: Node, count: int) -> LayerFigures:
        tally = self._tallies[node.name]
        op = node.op
        if not isinstance(op, Population):
            raise AssertionError("only populations are tallied")
        spiking = isinstance(node.type, Spikes)
        scale = float(np.mean(np.abs(op.scale.floats)))
        code = node.type.code if isinstance(node.type, Spikes) else None
        most = getattr(code, "most", 1)
        operations = self._operations.get(node.name, 0) if self._operations else None
        agreement, accuracy = self._shares(node.name, count)
        return LayerFigures(
            name=node.name,
            origin=" + ".join(map(str, node.origin.sources)),
            kind="spiking" if spiking else "readout",
            code=code.name if code else "",
            neurons=node.type.size,
            scale=scale,
            largest=scale * most if spiking else None,
            snr=decibels(tally.signal, tally.noise),
            snr_closed=decibels(tally.signal, self._closed_noise[node.name]),
            snr_own=decibels(tally.due, tally.own),
            losses=losses_of(tally),
            gain=tally.gain,
            clipped=tally.over / tally.size,
            dead=len(tally.dead) if spiking else 0,
            dead_in_float=tally.dead_in_float,
            saturated=tally.saturated if spiking else 0,
            spikes=self._spikes.get(node.name, 0) / count,
            synaptic_operations=None if operations is None else operations / count,
            agreement=agreement,
            accuracy=accuracy,
            finding=find(tally),
        )


def _ceiling(node: Node) -> Floats | None:
    model = node.op.model if isinstance(node.op, Population) else None
    if isinstance(model, Relu) and model.ceiling is not None:
        return model.ceiling.floats
    return None
