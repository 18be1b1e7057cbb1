"""Core maps in their simulator against the oracle: every spike and potential; all of the normal
form, on chips so small that layers are cut into tiles."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncc.testing import FAMILY, NEURONS, inputs, network
from snncc.testing.forms import spiking_inputs
from snncc_backends import OracleRunner, Preprocessing
from snncc_ir import Graph, Node, SnnccError, i8, i32
from snncc_ir.ops import Conv, Dense, IntegrateFire, Op, Population, Scale
from snncc_loihi import LoihiBackend
from snncc_loihi.chip import load_chip
from snncc_loihi.runner import MapRunner
from snncc_loihi.settings import LoihiSettings

CHIP = LoihiBackend()
STRICT = ("-O1", "-Wall", "-Wextra", "-pedantic", "-Werror", "-Wconversion")
SANITIZED = (*STRICT, "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def small_chip(folder: Path, name: str, **limits: int) -> Path:
    """A built-in chip with less in a core."""
    table = json.loads(load_chip(name).content)
    for key, value in limits.items():
        table["limits"][key] = {"value": value, "source": "assumption: small, for a test"}
    table["name"] = "small"
    path = folder / "small.json"
    path.write_text(json.dumps(table), encoding="utf-8")
    return path


def mapped(graph: Graph, folder: Path, chip: str) -> MapRunner:
    chosen = LoihiSettings(chip=chip, costs="davies-2018")
    found = list(CHIP.check(graph, chosen))
    if found:
        raise SnnccError(found)
    for name, content in CHIP.emit(graph, Preprocessing(), chosen).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return MapRunner(folder / "loihi" / "map.bin", graph, flags=SANITIZED)


def agree(graph: Graph, runner: MapRunner, seed: int = 1) -> None:
    samples = inputs(graph, seed=seed)
    expected = OracleRunner(graph).run(samples, record=True)
    found = runner.run(samples, record=True)
    assert found.steps == expected.steps
    for name, spikes in expected.spikes.items():
        assert np.array_equal(found.spikes[name], spikes), name
        assert np.array_equal(found.spike_counts[name], expected.spike_counts[name]), name
    for name, totals in expected.totals.items():
        assert np.array_equal(found.totals[name], totals), name


def coarse(graph: Graph) -> Graph:
    """Thresholds of 7 bits and an exponent."""

    def rewrite(node: Node) -> Node:
        if not isinstance(node.op, Population) or not isinstance(node.op.model, IntegrateFire):
            return node
        theta = node.op.model.theta.integers
        shift = np.maximum(np.floor(np.log2(theta)).astype(np.int64) - 6, 0)
        model = replace(node.op.model, theta=i32(theta >> shift << shift))
        return replace(node, op=replace(node.op, model=model))

    return graph.rewritten(rewrite)


def narrow(name: str, neuron: str, seed: int = 0, less: int = 0) -> Graph:
    """A network of the family, weights clipped to 8 bits, and all numbers so many bits less."""

    def rewrite(node: Node) -> Node:
        if not isinstance(node.op, Population):
            return node
        maps = tuple((*chain[:-1], clipped(chain[-1], less)) for chain in node.op.maps)
        op = replace(node.op, maps=maps, bias=i32(node.op.bias.integers >> less))
        if isinstance(op.model, IntegrateFire):
            theta = np.maximum(op.model.theta.integers >> less, 1)
            op = replace(op, model=replace(op.model, theta=i32(theta), start=i32(theta // 2)))
        return replace(node, op=op)

    return network(name, neuron, seed).rewritten(rewrite)


def clipped(last: Op, less: int) -> Op:
    assert isinstance(last, Conv | Dense | Scale)
    weight = np.clip(last.weight.integers, -127, 127)
    return replace(last, weight=i8(np.sign(weight) * (abs(weight) >> less)))


SOME = [
    (name, list(NEURONS)[(i + k) % len(NEURONS)]) for i, name in enumerate(FAMILY) for k in (0, 2)
]
"""Each network with two models; `test_kit.py` runs them all, in cores of full size."""


@pytest.mark.parametrize(("name", "neuron"), SOME)
def test_spike_for_spike_on_loihi2(name: str, neuron: str, tmp_path: Path) -> None:
    """In cores of few compartments."""
    graph = narrow(name, neuron)
    few = small_chip(tmp_path, "loihi2", compartments=100)
    agree(graph, mapped(graph, tmp_path, str(few)))


@pytest.mark.parametrize("neuron", ["if", "hard-if"])
@pytest.mark.parametrize("name", FAMILY)
def test_spike_for_spike_on_loihi1(name: str, neuron: str, tmp_path: Path) -> None:
    """Behind spiking inputs; with thresholds that a synapse to itself can have."""
    graph = coarse(spiking_inputs(narrow(name, neuron, less=4)))
    few = small_chip(tmp_path, "loihi1", thresholds=500, compartments=200)
    agree(graph, mapped(graph, tmp_path, str(few)))


@given(
    st.sampled_from(list(FAMILY)),
    st.sampled_from(list(NEURONS)),
    st.integers(2, 1000),
    st.integers(24, 200),
)
@settings(deadline=None, max_examples=12)
def test_other_weights_and_cores(
    tmp_path_factory: pytest.TempPathFactory, name: str, neuron: str, seed: int, size: int
) -> None:
    folder = tmp_path_factory.mktemp("loihi")
    graph = narrow(name, neuron, seed)
    few = small_chip(folder, "loihi2", compartments=size)
    agree(graph, mapped(graph, folder, str(few)), seed)


def test_the_family_is_alive_on_a_chip() -> None:
    """Clipped weights and coarse thresholds leave networks that spike, and not always."""
    for name in FAMILY:
        graph = coarse(spiking_inputs(narrow(name, "if", less=4)))
        execution = OracleRunner(graph).run(inputs(graph), record=True)
        for node, spikes in execution.spikes.items():
            assert 0.01 < np.mean(spikes != 0) < 0.95, (name, node)
