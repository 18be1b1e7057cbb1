"""Core maps in the simulator against the oracle: every spike and potential of the normal form."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from snncc_backends import OracleRunner, Preprocessing
from snncc_ir import Graph, GraphBuilder, Tensor, i8
from snncc_ir.ops import Conv, Dense, Op, Population, Scale
from snncc_loihi.backend import MAP, LoihiBackend
from snncc_loihi.runner import MapRunner
from snncc_loihi.settings import settings_for
from tests.conformance.networks import FAMILY, inputs, network

STRICT = ("-O1", "-Wall", "-Wextra", "-pedantic", "-Werror", "-Wconversion", "-g",
          "-fsanitize=address,undefined", "-fno-sanitize-recover=all")  # fmt: skip


def written(graph: Graph, folder: Path, chip: str) -> Path:
    files = LoihiBackend().emit(graph, Preprocessing(), settings_for({"chip": chip}))
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return folder / MAP


def fitted(graph: Graph) -> Graph:
    """Its weights in the 8 bits that a chip has."""
    builder = GraphBuilder(graph.name)
    for node in graph:
        op = node.op
        if isinstance(op, Population):
            maps = tuple((*moves, _fitted(last)) for *moves, last in op.maps)
            op = replace(op, maps=maps)
        builder.add(node.name, op, node.inputs, node.origin)
    return builder.graph()


def _fitted(op: Op) -> Op:
    if isinstance(op, Conv | Dense | Scale) and isinstance(op.weight, Tensor):
        return replace(op, weight=i8(np.clip(op.weight.integers, -127, 127)))
    return op


@pytest.mark.parametrize("neuron", ["if", "signed-if", "graded", "signed-graded"])
@pytest.mark.parametrize("name", FAMILY)
def test_spike_for_spike(name: str, neuron: str, tmp_path: Path) -> None:
    graph = fitted(network(name, neuron))
    runner = MapRunner(written(graph, tmp_path, "loihi2"), graph, flags=STRICT)
    samples = inputs(graph)
    expected = OracleRunner(graph).run(samples, record=True)
    found = runner.run(samples, record=True)
    assert found.spikes.keys() == expected.spikes.keys()
    for node, spikes in expected.spikes.items():
        assert np.array_equal(found.spikes[node], spikes), node
        assert np.array_equal(found.spike_counts[node], expected.spike_counts[node]), node
    assert found.totals.keys() == expected.totals.keys()
    for node, totals in expected.totals.items():
        assert np.array_equal(found.totals[node], totals), node
