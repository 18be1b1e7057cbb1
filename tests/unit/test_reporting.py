"""What a report measures and draws, piece by piece; tests/e2e/test_report.py has it as a whole."""

from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

import snncc
from snncc.reporting.exits import margin_curve
from snncc.reporting.facts import facts_of
from snncc.reporting.folder import beside, check_report_place
from snncc.reporting.lanes import edges, ordered
from snncc.reporting.layers import layer_graph, layer_rows
from snncc.reporting.measured import measure_vectors
from snncc.reporting.neurobench import events_of, operations
from snncc.reporting.trains import histogram
from snncc_backends import Column, Execution, Section, to_json
from snncc_ir import Array, FirstSpike, Graph, Node, Radix, SnnccError, i16
from snncc_ir.ops import Conv, Dense, Population
from snncc_ttfs28.format import Ttfs28Format
from snncc_ttfs28.reader import read_image
from snncc_ttfs28.sections import MEASURED, layer_times
from tests.e2e.models import MODELS, samples
from tests.strategies import lowered_graphs


@cache
def made(folder: Path, name: str, target: str, coding: str, steps: int = 24) -> snncc.Bundle:
    """A small network, compiled once."""
    build, shape = MODELS[name]
    return snncc.compile(
        build(folder),
        target=target,
        calibration=samples(folder / f"{name}.npz", shape),
        settings={"coding": coding, "steps": steps},
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reporting")


def recorded(bundle: snncc.Bundle, shape: tuple[int, ...]) -> tuple[Execution, dict[str, Array]]:
    inputs = np.random.default_rng(3).integers(-16, 17, (5, *shape)).astype(np.float32) / 16
    return bundle.run(inputs, record=True).execution, {"x": inputs}


@pytest.mark.parametrize(("coding", "steps"), [("rate", 6), ("radix", 3), ("ttfs", 12)])
def test_effective_operations_are_counted_one_by_one(folder: Path, coding: str, steps: int) -> None:
    """Every pair of a spike and a weight of a small network, in plain loops."""
    bundle = made(folder, "mlp", "c", coding, steps=steps)
    graph = bundle.graph
    execution, inputs = recorded(bundle, (4,))
    macs, acs, dense = operations(graph, events_of(graph, execution, inputs))
    first, last = (node for node in graph if isinstance(node.op, Population))
    weights = []
    for node in (first, last):
        assert isinstance(node.op, Population)
        end = node.op.maps[0][-1]
        assert isinstance(end, Dense)
        weights.append(end.weight.array)
    expected_macs = expected_acs = 0
    numbers = graph.inputs[0].op.quantize(inputs["x"].astype(np.float64))  # type: ignore[attr-defined]
    for sample, out, given_ in product(range(5), range(6), range(4)):
        expected_macs += bool(numbers[sample, given_]) and bool(weights[0][out, given_])
    train = execution.spikes[first.name]
    for sample, step, out, given_ in product(range(5), range(steps), range(3), range(6)):
        expected_acs += bool(train[sample, step, given_]) and bool(weights[1][out, given_])
    assert macs * 5 == pytest.approx(expected_macs)
    assert acs * 5 == pytest.approx(expected_acs)
    assert dense == 6 * 4 + steps * 3 * 6


def test_operations_are_those_that_the_simulator_counts(folder: Path) -> None:
    """Convolutions, strides, pooling and a padded shortcut, without weights of zero."""
    bundle = made(folder, "residual", "c", "rate", steps=4)
    graph = bundle.graph
    rows = layer_rows(graph, bundle.run(np.zeros((1, 2, 6, 6), np.float32)).execution, None)
    execution, inputs = recorded(bundle, (2, 6, 6))
    events = events_of(graph, execution, inputs)
    macs, acs, dense = operations(graph, events)
    counted = sum(float(np.mean(each)) for each in execution.synaptic_operations.values())
    zeros = sum(row.zero_weights for row in rows)
    assert zeros > 0  # dyadic weights
    assert macs + acs < counted
    full = operations(_without_zeros(graph), events)
    assert full[0] + full[1] == pytest.approx(counted)
    busiest = {node.name: np.full(node.type.shape, 4.0) for node in graph}
    busiest["x"] = np.ones((2, 6, 6))
    assert sum(operations(_without_zeros(graph), busiest)[:2]) == dense


def _without_zeros(graph: Graph) -> Graph:
    """Weights of zero become one."""

    def rewrite(node: Node) -> Node:
        if not isinstance(node.op, Population):
            return node
        maps = []
        for *moves, last in node.op.maps:
            if isinstance(last, Conv | Dense):
                array = np.where(last.weight.array == 0, 1, last.weight.array)
                last = replace(last, weight=i16(array))
            maps.append((*moves, last))
        return replace(node, op=replace(node.op, maps=tuple(maps)))

    return graph.rewritten(rewrite)


def test_a_margin_of_the_curve_is_what_early_exit_gives(folder: Path) -> None:
    bundle = made(folder, "mlp", "c", "rate", steps=12)
    inputs = np.random.default_rng(5).integers(-16, 17, (64, 4)).astype(np.float32) / 16
    labels = np.random.default_rng(6).integers(0, 3, 64)
    full = bundle.run(inputs)
    curve = margin_curve(bundle.graph, full.execution, labels)
    assert curve[-1].mean_steps == 12
    assert curve[-1].same.value == 1
    assert [at.mean_steps for at in curve] == sorted(at.mean_steps for at in curve)
    for at in curve[:: max(len(curve) // 3, 1)]:
        ended = bundle.run(inputs, early_exit=at.margin)
        assert ended.mean_steps == at.mean_steps
        assert at.same.value == np.mean(ended.predictions() == full.predictions())
        assert at.accuracy is not None
        assert at.accuracy.value == np.mean(ended.predictions() == labels)


@pytest.mark.parametrize(("coding", "steps"), [("rate", 6), ("radix", 3), ("ttfs", 12)])
def test_histograms_hold_every_neuron(folder: Path, coding: str, steps: int) -> None:
    bundle = made(folder, "mlp", "c", coding, steps=steps)
    execution, _ = recorded(bundle, (4,))
    found = histogram(bundle.graph, execution)
    assert found.counts.sum() + found.silent.sum() == 5 * 6
    (train,) = execution.spikes.values()
    fires = train.any(axis=1)
    assert found.silent.sum() == np.count_nonzero(~fires)
    times = np.arange(steps).reshape(1, -1, 1)
    match bundle.graph.code:
        case FirstSpike():
            expected = (train * times).sum()
        case Radix():
            expected = (train * (1 << (steps - 1 - times))).sum()
        case _:
            expected = train.sum()
    assert found.counts.sum(axis=0) @ np.array(found.edges[:-1]) == expected


@given(lowered_graphs())
@settings(max_examples=60, deadline=None)
def test_lanes_show_every_projection_and_cross_no_node(graph: Graph) -> None:
    order = ordered(graph)
    network = layer_graph(graph)
    assert set(order) == set(network)
    at = {name: row for row, name in enumerate(order)}
    lines = edges(graph, order)
    assert sorted((order[e.source], order[e.target]) for e in lines) == sorted(network.edges)
    assert all(e.source < e.target for e in lines)
    for one in lines:
        assert (one.lane == 0) == (one.target - one.source == 1)
        for other in lines:
            if one is not other and one.lane and one.lane == other.lane:
                assert one.target <= other.source or other.target <= one.source
    assert nx.is_directed_acyclic_graph(network)
    assert len(at) == len(order)


def test_cycles_of_the_schedule_are_those_of_the_emulator(folder: Path) -> None:
    bundle = made(folder, "residual", "ttfs28", "ttfs")
    execution, _ = recorded(bundle, (2, 6, 6))
    path = bundle.folder / Ttfs28Format.path
    image = read_image(path.read_bytes(), str(path))
    times = layer_times(image, execution)
    elements = image.parameters.processing_elements
    for layer in times:
        counters = execution.activity[layer.name]
        assert layer.total == pytest.approx(float(np.mean(counters["cycles"])))
        steps = [
            i
            for i in image.schedule
            if i.name == "integrate" and image.names[i.layer] == layer.name
        ]
        scanned = sum(-(-i["channels"] * i["height"] * i["width"] // elements) for i in steps)
        # a spike takes a cycle at least, and at most one for each of its operations
        assert scanned <= layer.cycles[MEASURED]
        if steps:
            operations_ = float(np.mean(counters["synaptic_operations"]))
            assert layer.cycles[MEASURED] <= scanned + operations_
    ends = [layer.start + layer.total for layer in times]
    assert [layer.start for layer in times[1:]] == pytest.approx(ends[:-1])


def test_sections_of_a_plug_in_that_fail_name_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = made(folder, "mlp", "c", "rate", steps=6)
    measured = measure_vectors(bundle)
    assert facts_of(bundle, measured).sections

    def sections(*_: object) -> None:
        raise ZeroDivisionError("no cores")

    monkeypatch.setattr("snncc_c.backend.CBackend.sections", sections)
    with pytest.raises(ZeroDivisionError):  # a bug of ours
        facts_of(bundle, measured)
    monkeypatch.setattr("snncc.reporting.facts.BUILT_IN", ())
    with pytest.raises(SnnccError, match="SNN040: target 'c' cannot add to the report: ZeroDiv"):
        facts_of(bundle, measured)


def test_a_section_holds_together() -> None:
    with pytest.raises(ValueError, match="a row has 1 cells, should have 2"):
        Section("a", "A", columns=(Column("x"), Column("y")), rows=(("1",),))
    with pytest.raises(ValueError, match="the picture of section 'a' has no label"):
        Section("a", "A", svg="<svg/>")


def test_only_reports_are_replaced(tmp_path: Path) -> None:
    assert beside(tmp_path / "b") == tmp_path / "b-report"
    check_report_place(tmp_path / "new", False)
    place = tmp_path / "report"
    place.mkdir()
    check_report_place(place, False)
    (place / "report.json").write_bytes(to_json({"summary": {}}))  # as a bundle has it
    with pytest.raises(SnnccError, match="exists and is no report, so it is left alone"):
        check_report_place(place, True)
    (place / "report.json").write_bytes(to_json({"kind": "snncc report"}))
    check_report_place(place, True)
    with pytest.raises(SnnccError, match="holds a report already"):
        check_report_place(place, False)
    (place / "notes.txt").write_text("mine")
    with pytest.raises(SnnccError, match="is no report"):
        check_report_place(place, True)
    with pytest.raises(SnnccError, match="is a file, should be a folder"):
        check_report_place(place / "notes.txt", True)
