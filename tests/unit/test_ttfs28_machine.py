"""Machine descriptions, rules and estimates of target ttfs28."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import snncc
from snncc.build import check_rules
from snncc.options import make_settings
from snncc.testing import network
from snncc_ir import Diagnostic, Graph, GraphBuilder, Log2, SnnccError, i8, i16, i32
from snncc_ir.ops import Conv, Dense, Input, Output, Population, TimeToFirstSpike
from snncc_ttfs28 import Ttfs28Backend
from snncc_ttfs28.emit import make_image
from snncc_ttfs28.energy import estimate
from snncc_ttfs28.image import image_bytes
from snncc_ttfs28.machine import COUNTERS, ENERGIES, load_machine, parse_machine
from snncc_ttfs28.runner import ImageRunner
from snncc_ttfs28.settings import Ttfs28Settings
from tests.conformance.test_ttfs28_emulator import changed
from tests.e2e.models import mlp, samples

MACHINE = load_machine("ttfs28")
CHIP = Ttfs28Backend()


def description(**changes: object) -> bytes:
    return json.dumps({**json.loads(MACHINE.content), **changes}).encode()


def test_every_energy_has_a_source() -> None:
    assert set(MACHINE.energy) == set(ENERGIES)
    assert all(len(energy.source) > 10 for energy in MACHINE.energy.values())
    assert parse_machine(MACHINE.content, "again") == MACHINE


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "is no JSON object"),
        (description(speed=1), "has an unknown 'speed'"),
        (b'{"name": "x"}', "lacks 'accumulator_bits'"),
        (description(slots=1), "has slots 1, should be an integer 2 to 64"),
        (description(tau=3), "has tau 3, should be one of"),
        (description(slots="24"), "has slots '24', should be a number"),
        (description(name=3), "has name 3, should be text"),
        (description(clock_hz=0), "has clock_hz 0, should be positive"),
        (description(energy={}), "has another energy table"),
        (
            description(energy={key: {"picojoule": 1} for key in ENERGIES}),
            "has no 'source' for energy",
        ),
        (
            description(energy={key: {"picojoule": -1, "source": "x"} for key in ENERGIES}),
            "should have a number 'picojoule'",
        ),
    ],
)
def test_descriptions_that_do_not_fit(content: bytes, message: str) -> None:
    with pytest.raises(SnnccError) as caught:
        parse_machine(content, "machine.json")
    assert caught.value.diagnostics[0].code == "SNN042"
    assert message in str(caught.value)


def test_a_users_machine_gives_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(description(name="mine", slots=16, tau=2, weight_bits=4, weight_buffer=4000))
    chosen = make_settings(CHIP, None, {"machine": str(path), "tau": "8"})
    assert isinstance(chosen, Ttfs28Settings)
    assert (chosen.steps, chosen.tau, chosen.weight_bits) == (16, 8, 4)
    bundle = snncc.compile(
        mlp(tmp_path),
        target="ttfs28",
        calibration=samples(tmp_path / "data.npz", (4,)),
        output=tmp_path / "out",
        machine=str(path),
    )
    assert bundle.files.table("settings")["machine"] == "mine"
    assert str(tmp_path) not in (tmp_path / "out" / "manifest.json").read_text(encoding="utf-8")
    assert bundle.graph.code is not None
    assert bundle.graph.code.train == 16
    copy = tmp_path / "out" / "ttfs28" / "machine.json"
    assert json.loads(copy.read_bytes())["weight_buffer"] == 4000


def test_estimate_by_hand() -> None:
    """Two samples of one layer: counts times the table, cycles over the clock."""
    counts = {name: np.array([100 * (i + 1), 300 * (i + 1)]) for i, name in enumerate(COUNTERS)}
    machine = replace(MACHINE, static_watt=0.5)
    found = estimate(machine, {"a": counts})
    mean = {name: 200 * (i + 1) for i, name in enumerate(COUNTERS)}
    table = {key: machine.energy[key].picojoule for key in ENERGIES}
    dynamic = (
        table["synaptic_operation"] * mean["synaptic_operations"]
        + table["weight_buffer_read"] * mean["weight_buffer_reads"]
        + table["spike_buffer_read"] * mean["spike_buffer_reads"]
        + table["accumulator_access"] * mean["accumulator_accesses"]
        + table["comparison"] * mean["comparisons"]
        + table["external_bit"] * (mean["external_bits_read"] + mean["external_bits_written"])
    )
    seconds = mean["cycles"] / 250e6
    assert found.milliseconds == pytest.approx(1e3 * seconds)
    assert found.microjoules == pytest.approx(1e-6 * dynamic + 1e6 * 0.5 * seconds)
    assert found.layers["a"] == pytest.approx(1e-6 * dynamic)
    assert found.saturations == mean["saturations"]


def broken(graph: Graph) -> Diagnostic:
    with pytest.raises(SnnccError) as caught:
        check_rules(CHIP, graph, Ttfs28Settings())
    (found,) = caught.value.diagnostics
    assert found.code == "SNN041"
    return found


def test_rule_ttfs_code() -> None:
    assert broken(network("dense", "if")).message == "the code is rate, should be ttfs"


def test_rule_one_layout() -> None:
    builder = GraphBuilder("g")
    builder.add("x", Input((1, 4, 4), 1.0, 15), [])
    kernel = Log2(i8(np.ones((2, 1, 1, 1), int)), i16(np.zeros((1, 1, 1, 1), int)))
    tall, flat = (Conv(kernel, s, (0, 0, 0, 0), (1, 1)) for s in ((2, 1), (1, 2)))
    model = TimeToFirstSpike(1, i32([4, 2]), 16)
    op = Population((2, 2, 4), ((tall,), (flat,)), i32(np.zeros((1, 1, 1), int)), model)
    builder.add("n", op, ["x", "x"])
    builder.add("y", Output(), ["n"])
    found = broken(builder.graph())
    assert "layers of shapes [(2, 2, 4), (2, 4, 2)] meet in 'n'" in found.message


def test_rule_one_layout_of_a_dense_layer_and_a_convolution() -> None:
    builder = GraphBuilder("g")
    builder.add("x", Input((1, 2, 2), 1.0, 15), [])
    one = i16(np.zeros((1, 1, 1, 1), int))
    conv = Conv(Log2(i8(np.ones((2, 1, 1, 1), int)), one), (1, 1), (0, 0, 0, 0), (1, 1))
    dense = Dense(Log2(i8(np.ones((8, 4), int)), i16(np.zeros((1, 1), int))))
    model = TimeToFirstSpike(1, i32([4, 2]), 16)
    op = Population((2, 2, 2), ((conv,), (dense,)), i32(np.zeros((1, 1, 1), int)), model)
    builder.add("n", op, ["x", "x"])
    builder.add("y", Output(), ["n"])
    found = broken(builder.graph())
    assert "layers of shapes [(2, 2, 2), (8, 1, 1)] meet in 'n'" in found.message


def test_rule_inputs_alike() -> None:
    graph = network("two-inputs", "ttfs")
    narrow = graph.rewritten(
        lambda node: (
            replace(node, op=replace(node.op, levels=7))
            if node.name == "z" and isinstance(node.op, Input)
            else node
        )
    )
    assert "the inputs have [3, 5] bits" in broken(narrow).message


def test_rule_addressable(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network("dense", "ttfs")
    check_rules(CHIP, graph, Ttfs28Settings())
    monkeypatch.setattr("snncc_ttfs28.rules.MOST_CELLS", 10)
    assert "should be at most 65536 and 10" in broken(graph).message


def test_rule_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = network("maxpool", "ttfs")
    check_rules(CHIP, graph, Ttfs28Settings())
    monkeypatch.setattr("snncc_ttfs28.rules.MOST_SIZE", 2)
    with pytest.raises(SnnccError, match="a window of 'n' is 3 wide, should be at most 2"):
        check_rules(CHIP, graph, Ttfs28Settings())


def test_rule_accumulators() -> None:
    graph = network("dense", "ttfs").rewritten(
        lambda node: (
            replace(node, op=replace(node.op, bias=i32([40000])))
            if node.name == "h" and isinstance(node.op, Population)
            else node
        )
    )
    check_rules(CHIP, graph, Ttfs28Settings())
    chosen = Ttfs28Settings(accumulator_bits=16)
    with pytest.raises(SnnccError, match="should fit 16 bits") as caught:
        check_rules(CHIP, graph, chosen)
    assert {d.code for d in caught.value.diagnostics} == {"SNN041"}


def test_a_schedule_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    """By the emulator, before anything runs; said as other damage of an image is."""
    graph = network("maxpool", "ttfs")
    image = changed("fire", table=99)(make_image(graph, replace(MACHINE, accumulator_bits=32)))
    path = tmp_path / "image.bin"
    path.write_bytes(image_bytes(image))
    with pytest.raises(SnnccError, match=r"SCHE at byte .*fire reads beyond") as caught:
        ImageRunner(path, graph)
    assert caught.value.diagnostics[0].code == "SNN060"


def test_an_image_of_another_machine_is_refused(tmp_path: Path) -> None:
    bundle = snncc.compile(
        mlp(tmp_path), target="ttfs28", calibration=samples(tmp_path / "d.npz", (4,)),
        output=tmp_path / "out",
    )  # fmt: skip
    (tmp_path / "out" / "ttfs28" / "machine.json").write_bytes(description(bus_bits=32))
    with pytest.raises(SnnccError, match="made for another machine") as caught:
        CHIP.load(bundle.folder, bundle.graph)
    assert caught.value.diagnostics[0].code == "SNN060"
