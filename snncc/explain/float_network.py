"""The float network in normal form, whose layers can be run one by one on any numbers."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from snncc.onnx import import_model
from snncc.onnx.reader import model_digest
from snncc.passes.base import Context
from snncc.passes.manager import run_pipeline
from snncc.passes.registry import parse_pipeline
from snncc_backends import BundleFolder
from snncc_ir import NORMAL, Array, Batch, Graph, NodeRunner, fail
from snncc_ir.ops import AnyInput, EventInput, Output

Values = dict[str, Array]
"""By node, (N, *shape) float32, in the user's own numbers."""


def frames(graph: Graph, samples: Batch) -> Batch:
    """What the float network takes: samples as they are, and streams of events accumulated.

    graph: the bundle's.
    """
    ops = {node.name: node.op for node in graph.inputs}
    return {
        name: op.accumulated(array) if isinstance(op := ops[name], EventInput) else array
        for name, array in samples.items()
    }


class FloatNetwork:
    """Value semantics of a graph in normal form without scales, node by node.

    same: whether it is of the very file that the bundle was compiled from.
    """

    def __init__(self, graph: Graph, same: bool) -> None:
        self.graph, self.same = graph, same
        self._runners = {
            node.name: NodeRunner([node.op], [source.type for source in graph.operands(node)])
            for node in graph
            if not isinstance(node.op, AnyInput)
        }

    def node(self, name: str, values: Mapping[str, Array]) -> Array:
        """One node's result from given values of its sources."""
        return self._runners[name].run([values[source] for source in self.graph[name].inputs])

    def complete(self, given: Mapping[str, Array]) -> Values:
        """All nodes' values: those given, and what follows from them where none is given."""
        values = dict(given)
        for node in self.graph:
            if node.name not in values:
                values[node.name] = self.node(node.name, values)
        return values

    def run(self, samples: Batch) -> Values:
        """All nodes' values for samples by input name; of streams of events, see `frames`."""
        return self.complete({name: x.astype(np.float32) for name, x in samples.items()})

    @property
    def output(self) -> str:
        """The name of the first output."""
        return next(node.name for node in self.graph if isinstance(node.op, Output))


def float_network(bundle: BundleFolder, model: Path, samples: Batch) -> FloatNetwork:
    """The model as it was right before its numbers got scales and a code, by the bundle's passes.

    Nodes have the names that they have in the bundle. samples: some, for passes that look at data.
    Raises SNN001 to SNN007 for a model that cannot be imported, SNN030 when it has not the bundle's
    inputs.
    """
    imported = import_model(model, approximate=bundle.manifest.get("approximate") is True)
    names = {node.name for node in imported.graph.inputs}
    if names != set(samples):
        raise fail(
            "SNN030",
            f"the model has inputs {', '.join(sorted(names))}, "
            f"should have {', '.join(sorted(samples))} as the bundle",
            str(model),
            "the model that the bundle was compiled from, with --model",
        )
    pipeline = parse_pipeline(bundle.text("pipeline"))
    stages = [step.leaves for step in pipeline]
    front = pipeline[: stages.index(NORMAL) + 1] if NORMAL in stages else pipeline
    samples = frames(bundle.graph, samples)
    few = {name: array[:2] for name, array in samples.items()}
    graph = run_pipeline(imported.graph, front, Context(few), measure=False).graph
    return FloatNetwork(graph, model_digest(model) == bundle.table("model").get("sha256"))
