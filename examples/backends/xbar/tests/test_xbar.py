"""Cells, tiles and devices: what the arrays hold, and what is lost when they are not ideal."""

import json
from pathlib import Path

import numpy as np
import pytest

from snncc.backends import OracleRunner, Preprocessing
from snncc.ir import Binary, Graph, GraphBuilder, SnnccError, i8, i16, i32
from snncc.ir.ops import Conv, Dense, Input, IntegrateFire, Output, Population, Readout, SumPool
from snncc_xbar import Crossbar, CrossbarRunner, Device, XbarSettings
from snncc_xbar.matrices import Matrix, matrix_of
from snncc_xbar.tiling import Scheme, scheme_of, tiles_of

STEPS = 12


def network(alpha: int = 37) -> Graph:
    """A convolution of 4 bits from the input, a binary one behind sums, a binary readout."""
    random = np.random.default_rng(0)
    builder = GraphBuilder("small")
    builder.add("x", Input((2, 8, 8), 0.125, 31), [])
    first = Conv(i8(random.integers(-7, 8, (6, 2, 3, 3))), (1, 1), (1, 1, 1, 1), (1, 1))
    spiking = IntegrateFire(STEPS, i32(300), i32(150))
    builder.add("a", Population((6, 8, 8), ((first,),), i32(5), spiking), ["x"])
    signs = i8(random.choice([-1, 1], (9, 6, 3, 3)))
    second = Conv(Binary(signs, i16(np.full((9, 1, 1, 1), alpha))), (1, 1), (0, 0, 0, 0), (1, 1))
    pool = SumPool((2, 2), (2, 2), (0, 0, 0, 0))
    fires = IntegrateFire(STEPS, i32(alpha * 6), i32(alpha * 3))
    builder.add("b", Population((9, 2, 2), ((pool, second),), i32(alpha), fires), ["a"])
    last = Dense(Binary(i8(random.choice([-1, 1], (4, 36))), i16(np.full((4, 1), 3))))
    builder.add("c", Population((4,), ((last,),), i32(0), Readout(i32(9))), ["b"])
    builder.add("y", Output(), ["c"])
    return builder.graph()


def samples(count: int = 5) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    return {"x": np.random.default_rng(1).normal(0, 2, (count, 2, 8, 8)).astype(np.float32)}


def written(graph: Graph, settings: XbarSettings, folder: Path) -> Path:
    for name, content in Crossbar().emit(graph, Preprocessing(), settings).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.mark.parametrize("cells", ["pair", "reference"])
@pytest.mark.parametrize("array", [16, 64, 128])
def test_spikes_are_those_of_the_oracle(tmp_path: Path, cells: str, array: int) -> None:
    graph = network()
    folder = written(graph, XbarSettings(array=array, cells=cells), tmp_path)
    found = CrossbarRunner(folder, graph).run(samples(), record=True)
    expected = OracleRunner(graph).run(samples(), record=True)
    assert sum(int(count.sum()) for count in expected.spike_counts.values()) > 500
    for name, spikes in expected.spikes.items():
        assert np.array_equal(found.spikes[name], spikes), name
    assert np.array_equal(found.totals["c"], expected.totals["c"])


@pytest.mark.parametrize("kind", ["pair", "reference"])
@pytest.mark.parametrize("bits", [1, 2, 3, 7])
def test_cells_decode_to_weights(kind: str, bits: int) -> None:
    most = (1 << bits) - 1
    codes = np.random.default_rng(bits).integers(-most, most + 1, (5, 11))
    codes[0, 0] = most
    matrix = Matrix(codes, np.ones(codes.shape, bool), np.ones(5, np.int64), False, 1)
    scheme = scheme_of(matrix, kind)
    rows = np.eye(11, dtype=np.float32)
    counts = rows @ scheme.cells(codes).astype(np.float32)
    assert counts.shape[1] == scheme.width(5)
    assert np.array_equal(scheme.decoded(counts).T, codes)


def test_a_sign_is_one_cell_with_a_reference() -> None:
    weight = Binary(i8(np.random.default_rng(0).choice([-1, 1], (7, 12))), i16(np.full((7, 1), 5)))
    matrix = matrix_of(Dense(weight))
    scheme = scheme_of(matrix, "reference")
    assert (scheme, scheme.width(7)) == (Scheme("reference", 1, 2, 1), 8)
    assert scheme_of(matrix, "pair").width(7) == 14
    assert set(matrix.factor.tolist()) == {5}


def test_tiles_cover_the_weights_once_and_leave_empty_blocks_out() -> None:
    weight = i8(np.random.default_rng(0).integers(-7, 8, (40, 1, 3, 3)))
    depthwise = matrix_of(Conv(weight, (1, 1), (0, 0, 0, 0), (1, 1), 40))
    scheme = scheme_of(depthwise, "reference")
    assert scheme.kind == "pair"  # zeros between groups
    covered = np.zeros(depthwise.codes.shape, int)
    tiles = list(tiles_of(depthwise, scheme, 64))
    for tile in tiles:
        covered[tile.output : tile.output + tile.outputs, tile.row : tile.row + tile.rows] += 1
    assert covered.max() == 1
    assert covered[depthwise.used].all()
    assert len(tiles) < covered.size / (64 * scheme.outputs(64))


def test_a_device_that_varies_sends_other_spikes_the_same_each_time(tmp_path: Path) -> None:
    graph = network()
    folder = written(graph, XbarSettings(), tmp_path)
    ideal = CrossbarRunner(folder, graph).run(samples())
    for device in (Device(sigma=0.2), Device(stuck=0.05), Device(read_noise=0.3)):
        first = CrossbarRunner(folder, graph, device).run(samples())
        again = CrossbarRunner(folder, graph, device).run(samples())
        assert np.array_equal(first.totals["c"], again.totals["c"])
        assert not np.array_equal(first.totals["c"], ideal.totals["c"])


def test_what_a_device_does_to_cells() -> None:
    cells = np.random.default_rng(9).random((200, 200)) < 0.5
    assert np.array_equal(Device().conductances(cells, 0), cells)
    varied = Device(sigma=0.1).conductances(cells, 0)
    assert not varied[~cells].any()
    assert varied[cells].mean() == pytest.approx(1, abs=0.01)
    assert np.log(varied[cells]).std() == pytest.approx(0.1, rel=0.05)
    stuck = Device(stuck=0.1).conductances(cells, 0)
    assert (stuck != cells).mean() == pytest.approx(0.05, abs=0.01)
    assert not np.array_equal(stuck, Device(stuck=0.1).conductances(cells, 1))


def test_converters_of_few_bits_saturate_and_are_counted(tmp_path: Path) -> None:
    graph = network()
    runs = {}
    for bits in (2, 8):
        runner = CrossbarRunner(
            written(graph, XbarSettings(adc_bits=bits), tmp_path / str(bits)), graph
        )
        estimate = runner.estimate(runner.run(samples()))
        assert estimate is not None
        runs[bits] = estimate
    assert runs[8].saturations == 0 < runs[2].saturations
    assert runs[2].parts["converters"] < runs[8].parts["converters"] / 32


def test_operations_are_weights_added_because_of_spikes(tmp_path: Path) -> None:
    """The dense readout: each spike of its source meets four weights."""
    graph = network()
    found = CrossbarRunner(written(graph, XbarSettings(), tmp_path), graph).run(samples())
    assert np.array_equal(found.synaptic_operations["c"], 4 * found.spike_counts["b"])


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        (XbarSettings(array=16), "a weight of 'a' takes 30 columns"),
        (XbarSettings(), "weights of 'a' have 16 bits"),
    ],
)
def test_rules_trip(settings: XbarSettings, rule: str) -> None:
    builder = GraphBuilder("wide")
    builder.add("x", Input((3,), 1.0, 7), [])
    weight = i16(np.array([[32767, 1, -2]] * 2))
    model = IntegrateFire(4, i32(9), i32(4))
    builder.add("a", Population((2,), ((Dense(weight),),), i32(0), model), ["x"])
    builder.add("y", Output(), ["a"])
    assert any(d.message.startswith(rule) for d in Crossbar().check(builder.graph(), settings))


@pytest.mark.parametrize(
    "wrong",
    [{"array": 8}, {"mux": 0}, {"cells": "triple"}, {"sigma": -1.0}, {"adc_bits": 99}],
)
def test_settings_that_no_array_has(wrong: dict[str, object]) -> None:
    with pytest.raises(SnnccError, match="SNN042"):
        XbarSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("damage", ["format", "arrays", "layers"])
def test_a_damaged_configuration_is_refused(tmp_path: Path, damage: str) -> None:
    graph = network()
    folder = written(graph, XbarSettings(), tmp_path)
    path = folder / "xbar" / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config[damage] = "no"
    path.write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(SnnccError, match="SNN052"):
        CrossbarRunner(folder, graph)
