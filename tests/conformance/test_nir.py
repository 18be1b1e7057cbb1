"""The simulator of network.nir against the oracle: every spike, every potential, every step."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from snncc.testing import FAMILY, STEPS, inputs, network
from snncc_backends import OracleRunner, Preprocessing
from snncc_ir import Graph, GraphBuilder, SnnccError, i32
from snncc_ir.ops import IntegrateFire, Population
from snncc_nir.backend import NirBackend
from snncc_nir.library import FILE
from snncc_nir.settings import NirSettings

CARRIED = (
    "dense", "wide", "grouped", "average", "late-input", "two-inputs", "binary-moves",
    "binary-dense",
)  # fmt: skip


def from_zero(graph: Graph) -> Graph:
    """The same network, whose neurons start at 0."""
    builder = GraphBuilder(graph.name)
    for node in graph:
        op = node.op
        if isinstance(op, Population) and isinstance(op.model, IntegrateFire):
            start = i32(np.zeros_like(op.model.start.integers))
            op = replace(op, model=replace(op.model, start=start))
        builder.add(node.name, op, list(node.inputs), node.origin)
    return builder.graph()


def write(graph: Graph, folder: Path, pools: str = "sum") -> bytes:
    pytest.importorskip("nir", reason="the extra snncc[nir] is not installed")
    settings = NirSettings(steps=STEPS, pools=pools)
    (content,) = NirBackend().emit(graph, Preprocessing(), settings).values()
    (folder / FILE).write_bytes(content)
    return content


@pytest.mark.parametrize("neuron", ["if", "hard-if"])
@pytest.mark.parametrize("name", CARRIED)
def test_spikes_are_equal(name: str, neuron: str, tmp_path: Path) -> None:
    graph = from_zero(network(name, neuron))
    write(graph, tmp_path, "conv" if neuron == "hard-if" else "sum")
    samples = inputs(graph)
    expected = OracleRunner(graph).run(samples, record=True)
    found = NirBackend().load(tmp_path, graph).run(samples, record=True)
    assert found.spikes.keys() == expected.spikes.keys()
    for node, spikes in expected.spikes.items():
        assert np.array_equal(found.spikes[node], spikes), node
        assert np.array_equal(found.spike_counts[node], expected.spike_counts[node]), node
    for node, totals in expected.totals.items():
        assert np.array_equal(found.totals[node], totals), node


@pytest.mark.parametrize("name", FAMILY)
def test_all_others_are_refused(name: str) -> None:
    """The rules are about what cannot be written, and about nothing else."""
    graph, settings = from_zero(network(name, "if")), NirSettings(steps=STEPS)
    found = list(NirBackend().check(graph, settings))
    assert bool(found) == (name not in CARRIED)
    assert all(finding.code == "SNN041" and finding.hint for finding in found)


@pytest.mark.parametrize(
    ("neuron", "words"), [("signed-if", "are signed-if"), ("if", "start at a potential"),
                          ("ttfs", "the code is ttfs")]
)  # fmt: skip
def test_neurons_that_nir_does_not_have(neuron: str, words: str) -> None:
    found = list(NirBackend().check(network("dense", neuron), NirSettings(steps=STEPS)))
    assert any(words in finding.message for finding in found)


def test_ties_need_no_rule(tmp_path: Path) -> None:
    """A threshold is never met exactly: with ≥ in place of > the file says the same."""
    graph = from_zero(network("dense", "if"))
    write(graph, tmp_path)
    import nir

    read = nir.read(tmp_path / FILE)
    biases = [node.bias for node in read.nodes.values() if isinstance(node, nir.Affine)]
    assert [bool(np.all(bias % 1 == 2.0**-4)) for bias in biases] == [True, True, False]


def test_bytes_are_the_same(tmp_path: Path) -> None:
    graph = from_zero(network("average", "if"))
    assert write(graph, tmp_path) == write(graph, tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"x" * 4096])
def test_a_damaged_file(content: bytes, tmp_path: Path) -> None:
    graph = from_zero(network("dense", "if"))
    write(graph, tmp_path)
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(SnnccError, match="SNN051"):
        NirBackend().load(tmp_path, graph)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nir", None)
    backend, graph = NirBackend(), from_zero(network("dense", "if"))
    assert not list(backend.check(graph, NirSettings(steps=STEPS)))
    with pytest.raises(SnnccError, match="SNN054"):
        backend.emit(graph, Preprocessing(), NirSettings(steps=STEPS))
    with pytest.raises(SnnccError, match="SNN054"):
        backend.load(tmp_path, graph)


def test_settings() -> None:
    with pytest.raises(SnnccError, match="SNN042"):
        NirSettings(pools="max")
