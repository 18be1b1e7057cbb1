"""The runner on a map made by hand: the network's own time, units and counts."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from snncc.testing import DELAY, SAMPLES, STEPS, inputs, network
from snncc_backends import OracleRunner, to_json
from snncc_ir import Graph, Integers, SnnccError
from snncc_ir.ops import GradedIntegrateFire, Population, Readout
from snncc_loihi.binary import map_bytes
from snncc_loihi.chip import load_chip
from snncc_loihi.connections import projection
from snncc_loihi.core_map import Core, CoreMap, Program
from snncc_loihi.energy import CHIP
from snncc_loihi.runner import MapRunner
from snncc_loihi.simulation import COUNTERS
from snncc_loihi.words import Words, pack
from tests.conformance.loihi_maps import Block, Format, encoded

CHIP_2 = load_chip("loihi2")
GRAPH = network("dense", "graded")
POPULATIONS = [node for node in GRAPH if isinstance(node.op, Population)]
NARROW, DENSE = Format(8, 0, 7, 0, 0, 0), Format(8, 0, 0, 0, 0, 0)
NONE: Words = np.zeros(0, np.uint64)


def by_hand(graph: Graph = GRAPH) -> CoreMap:
    """One core for each population; every other list is dense."""
    cores = list[Core]()
    for number, node in enumerate(POPULATIONS):
        assert isinstance(node.op, Population)
        model, (source,) = node.op.model, graph.operands(node)
        delay = model.delay if isinstance(model, Readout) else 0
        found = projection(node.op.maps[0], source.type)
        axons, words = [], list[int]()
        for i in range(source.type.size):
            mine = slice(found.rows[i], found.rows[i + 1])
            pairs = dict(
                zip(found.targets[mine].tolist(), found.weights[mine].tolist(), strict=True)
            )
            row = [(t, 0, w) for t, w in pairs.items()]
            if i % 2:
                row = [(0, 0, pairs.get(t, 0)) for t in range(node.type.size)]
            blocks: list[Block] = [(i % 2, row[at : at + 64]) for at in range(0, len(row), 64)]
            made = encoded(blocks, [NARROW, DENSE])
            axons.append((len(words), len(made), 0, int(number == 0)))
            words += made
        cores.append(_core(number, number + delay, axons, words))
    for number, node in enumerate(POPULATIONS[:-1]):
        size = np.arange(node.type.size)
        cores[number] = replace(cores[number], output_axons=pack("output_axon", {
            "compartment": size, "core": size * 0 + number + 1, "axon": size}))  # fmt: skip
    numbers = np.arange(20)
    host = pack("host_axon", {"input": numbers, "core": numbers * 0, "axon": numbers})
    return CoreMap(STEPS, CHIP_2.digest, tuple(cores), host, NONE, NONE)


def _core(
    number: int, first: int, axons: list[tuple[int, int, int, int]], words: list[int]
) -> Core:
    node = POPULATIONS[number]
    assert isinstance(node.op, Population)
    model, size = node.op.model, node.type.size
    spiking = isinstance(model, GradedIntegrateFire)
    theta = start = np.zeros(size, np.int64)
    if isinstance(model, GradedIntegrateFire):
        theta, start = (
            _each(tensor.integers, node.op.shape) for tensor in (model.theta, model.start)
        )
    levels, which = np.unique(np.maximum(theta - 1, 0), return_inverse=True)
    zero, one = np.zeros(size, np.int64), np.ones(1, np.int64)
    forms = [NARROW, DENSE]
    table = np.array(axons).T
    return Core(
        3 * number,
        pack("compartment", {
            "bias": _each(node.op.bias.integers, node.op.shape), "profile": zero,
            "threshold": which.reshape(-1), "start": start}),
        pack("label", {"neuron": np.arange(size), "population": zero + number, "lane": zero}),
        pack("profile", {
            "program": one * (Program.FIRE_SUBTRACT if spiking else Program.INTEGRATE),
            "bias_exponent": one * 0, "signed": one * 0, "first_step": one * first,
            "most": one * (model.most if isinstance(model, GradedIntegrateFire) else 0),
            "current_decay": one * 4095, "potential_decay": one * 0, "refractory": one}),
        pack("threshold", {"mantissa": levels}),
        pack("format", {name: np.array([getattr(f, name) for f in forms])
            for name in vars(NARROW)}),
        pack("input_axon", dict(zip(("pointer", "words", "base", "held"), table, strict=True))),
        np.array(words, np.uint64),
        NONE,
    )  # fmt: skip


def _each(numbers: Integers, shape: tuple[int, ...]) -> Integers:
    return np.broadcast_to(numbers, shape).reshape(-1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "map.bin").write_bytes(map_bytes(by_hand()))
    (tmp_path / "chip.json").write_bytes(CHIP_2.content)
    names = [{"name": node.name} for node in POPULATIONS]
    (tmp_path / "cores.json").write_bytes(to_json({"populations": names, "unit": 1}))
    return tmp_path


@pytest.mark.parametrize("steps", [None, 1, 4])
def test_as_the_oracle(folder: Path, steps: int | None) -> None:
    batch = inputs(GRAPH)
    expected = OracleRunner(GRAPH).run(batch, steps, record=True)
    runner = MapRunner(folder / "map.bin", GRAPH)
    found = runner.run(batch, steps, record=True)
    assert found.steps == expected.steps
    assert found.totals.keys() == expected.totals.keys()
    for name, total in expected.totals.items():
        assert np.array_equal(found.totals[name], total)
        assert not found.totals[name][:, :DELAY].any()
    assert found.spikes.keys() == expected.spikes.keys()
    for name, spikes in expected.spikes.items():
        assert np.array_equal(found.spikes[name], spikes)
        assert spikes.any() or steps == 1
        assert np.array_equal(found.spike_counts[name], expected.spike_counts[name])
    assert not runner.run(batch, steps).spikes


def test_counts_and_estimate(folder: Path) -> None:
    """Every spike of h is a message to k, and its row of weights there; and so on."""
    batch = inputs(GRAPH)
    runner = MapRunner(folder / "map.bin", GRAPH, costs="sana-fe")
    found = runner.run(batch, record=True)
    first, second, last = (node.name for node in POPULATIONS)
    for source, target in ((first, second), (second, last)):
        node = GRAPH[target]
        assert isinstance(node.op, Population)
        (source_node,) = GRAPH.operands(node)
        rows = np.diff(projection(node.op.maps[0], source_node.type).rows)
        events = (found.spikes[source] != 0).sum(axis=1)
        assert np.array_equal(found.synaptic_operations[target], events @ rows)
        assert np.array_equal(found.activity[source]["spikes"], events.sum(axis=1))
        assert np.array_equal(found.activity[target]["received"], events.sum(axis=1))
    assert found.activity[CHIP]["steps"].tolist() == [STEPS + 2] * SAMPLES
    by_core = runner.core_activity(batch)
    for counter in COUNTERS:
        for i, node in enumerate(POPULATIONS):
            assert np.array_equal(by_core[counter][:, i], found.activity[node.name][counter])
    estimate = runner.estimate(found)
    assert estimate is not None
    assert "'loihi2', costs 'sana-fe', simulated, not measured" in estimate.assumptions
    costs = CHIP_2.costs["sana-fe"]
    spikes = sum(found.activity[node.name]["spikes"].mean() for node in POPULATIONS)
    assert estimate.parts["spikes"] == pytest.approx(1e-6 * spikes * costs.spike.picojoule)
    assert estimate.microjoules == pytest.approx(sum(estimate.layers.values()))
    assert estimate.milliseconds == pytest.approx(1e-9 * found.activity[CHIP]["picoseconds"].mean())


def test_files_that_do_not_fit(folder: Path) -> None:
    def refused(code: str, said: str, graph: Graph = GRAPH, costs: str | None = None) -> None:
        with pytest.raises(SnnccError, match=said) as caught:
            MapRunner(folder / "map.bin", graph, costs=costs)
        assert caught.value.diagnostics[0].code == code

    refused("SNN042", "has no costs 'free'", costs="free")
    refused("SNN060", "should be in the network", network("conv", "graded"))
    cores = folder / "cores.json"
    table = json.loads(cores.read_bytes())
    cores.write_bytes(to_json({**table, "populations": table["populations"][:2]}))
    refused("SNN060", "there is a population 2, should be below 2")
    cores.write_bytes(to_json({**table, "costs": "dear"}))
    refused("SNN042", "has no costs 'dear'")
    for wrong in (
        b"[]",
        b"{",
        to_json({**table, "costs": 3}),
        to_json({"populations": [], "unit": 1}),
    ):
        cores.write_bytes(wrong)
        refused("SNN060", "should have populations")
    cores.write_bytes(to_json({**table, "unit": 0}))
    refused("SNN060", "a unit of 1 or more")
    cores.write_bytes(to_json({**table, "populations": table["populations"][::-1]}))
    refused("SNN060", "for each of its")
    cores.write_bytes(to_json({**table, "unit": 3}))
    with pytest.raises(SnnccError, match="no multiple of 3"):
        MapRunner(folder / "map.bin", GRAPH).run(inputs(GRAPH))
    cores.write_bytes(to_json(table))
    (folder / "chip.json").write_bytes(load_chip("loihi1").content)
    refused("SNN060", "made for another chip than 'loihi1'")
    (folder / "chip.json").unlink()
    refused("SNN060", "cannot be read")


def test_a_number_that_may_leave_its_range(folder: Path) -> None:
    """A map whose potentials may overflow is not run."""
    made = by_hand()
    core = made.cores[0]
    far = {**core.compartment_fields, "start": core.compartment_fields["start"] * 0 + (1 << 23) - 1}
    cores = (replace(core, compartments=pack("compartment", far)), *made.cores[1:])
    thresholds = pack("threshold", {"mantissa": core.threshold_mantissas * 0 + (1 << 31)})
    cores = (replace(cores[0], thresholds=thresholds), *cores[1:])
    (folder / "map.bin").write_bytes(map_bytes(replace(made, cores=cores)))
    with pytest.raises(SnnccError, match="potentials") as caught:
        MapRunner(folder / "map.bin", GRAPH).run(inputs(GRAPH))
    assert caught.value.diagnostics[0].code == "SNN060"
