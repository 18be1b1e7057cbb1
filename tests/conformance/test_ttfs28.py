"""Images in the emulator against the oracle: every slot, every accumulator; all of the normal form,
on machines so small that layers have to be cut into tiles."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncc.testing import FAMILY, inputs, network
from snncc_backends import OracleRunner, build
from snncc_ir import INTEGER, Graph, GraphBuilder, Log2, SnnccError, check, i8, i16, i32
from snncc_ir.ops import Conv, Dense, Input, Output, Population, Readout, TimeToFirstSpike
from snncc_ttfs28.emit import make_image
from snncc_ttfs28.image import Image, image_bytes
from snncc_ttfs28.machine import Machine, load_machine
from snncc_ttfs28.runner import SOURCES, ImageRunner
from tests.conftest import ROOT

STRICT = ("-O1", "-Wall", "-Wextra", "-pedantic", "-Werror", "-Wconversion")
SANITIZED = (*STRICT, "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
WHOLE = replace(load_machine("ttfs28"), accumulator_bits=32)


def small(weights: int, spikes: int, accumulators: int) -> Machine:
    """weights: codes of 5 bits. spikes: cells."""
    return replace(WHOLE, weight_buffer=5 * weights, spike_buffer=spikes, accumulators=accumulators)


def written(graph: Graph, machine: Machine, folder: Path) -> tuple[Image, Path]:
    image = make_image(graph, machine)
    path = folder / "image.bin"
    path.write_bytes(image_bytes(image))
    return image, path


def agree(graph: Graph, runner: ImageRunner, seed: int = 1) -> None:
    samples = inputs(graph, seed=seed)
    expected = OracleRunner(graph).run(samples, record=True)
    found = runner.run(samples, record=True)
    for name, spikes in expected.spikes.items():
        assert np.array_equal(found.spikes[name], spikes), name
        assert np.array_equal(found.spike_counts[name], expected.spike_counts[name]), name
    for name, totals in expected.totals.items():
        assert np.array_equal(found.totals[name], totals), name
    for counts in found.activity.values():
        assert not counts["saturations"].any()


@pytest.mark.parametrize("name", FAMILY)
def test_the_family_is_alive(name: str) -> None:
    """Some neurons spike and some do not, in several slots."""
    graph = network(name, "ttfs")
    check(graph, INTEGER)
    execution = OracleRunner(graph).run(inputs(graph), record=True)
    for node, spikes in execution.spikes.items():
        if isinstance(graph[node].op, Population):
            assert 0.05 < spikes.max(axis=1).mean() < 0.95, node
            assert np.count_nonzero(spikes.any(axis=tuple(range(2, spikes.ndim))).any(axis=0)) > 3


@pytest.mark.parametrize("name", FAMILY)
def test_spike_for_spike(name: str, tmp_path: Path) -> None:
    """Compiled without a warning, and run under the address and undefined-behavior sanitizers."""
    graph = network(name, "ttfs")
    _, path = written(graph, WHOLE, tmp_path)
    agree(graph, ImageRunner(path, graph, flags=SANITIZED))


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled once for many images."""
    path = tmp_path_factory.mktemp("emulator") / "ttfs28"
    folder = ROOT / "backends" / "snncc_ttfs28" / "emulator"
    build([folder / name for name in SOURCES], path, ("-O1", "-fsanitize=undefined"))
    return path


@given(
    st.sampled_from(list(FAMILY)),
    st.integers(40, 2000),
    st.integers(60, 1000),
    st.integers(8, 600),
    st.integers(2, 1000),
)
@settings(deadline=None, max_examples=60)
def test_tiles(
    tmp_path_factory: pytest.TempPathFactory,
    emulator: Path,
    name: str,
    weights: int,
    spikes: int,
    accumulators: int,
    seed: int,
) -> None:
    """Whatever the buffers, a network fits and agrees, or is refused with the layer's name."""
    graph = network(name, "ttfs", seed)
    machine = small(weights, spikes, accumulators)
    folder = tmp_path_factory.mktemp("tiles")
    try:
        image, path = written(graph, machine, folder)
    except SnnccError as error:
        for diagnostic in error.diagnostics:
            assert diagnostic.code == "SNN041"
            assert "machine's buffers" in diagnostic.message
        return
    # tiles that need the same weights again load them again, from one place
    assert image.weights.size <= make_image(graph, WHOLE).weights.size
    agree(graph, ImageRunner(path, graph, emulator=emulator), seed)


def test_a_dense_layer_on_a_long_row(tmp_path: Path) -> None:
    """Wider than a kernel may be."""
    random = np.random.default_rng(0)
    builder = GraphBuilder("long")
    builder.add("x", Input((2, 5000), 0.01, 15), [])
    conv = Conv(_log2(random, 3, 2, 1), (1,), (0, 0), (1,))
    table = i32(np.ceil(3000 * np.exp2(-(np.arange(6) + 0.5) / 2)))
    model = TimeToFirstSpike(2, table, 16)
    builder.add("h", Population((3, 5000), ((conv,),), i32([5]), model), ["x"])
    dense = Dense(_log2(random, 2, 15000))
    builder.add("r", Population((2,), ((dense,),), i32([0]), Readout(i32(1))), ["h"])
    builder.add("y", Output(), ["r"])
    graph = builder.graph()
    _, path = written(graph, WHOLE, tmp_path)
    agree(graph, ImageRunner(path, graph))


def test_a_dense_layer_into_several_axes(tmp_path: Path) -> None:
    """Each of its outputs has an exponent of its own, whatever the axis."""
    random = np.random.default_rng(0)
    builder = GraphBuilder("axes")
    builder.add("x", Input((5,), 0.125, 15), [])
    table = i32(np.ceil(3000 * np.exp2(-(np.arange(6) + 0.5) / 2)))
    dense = Dense(Log2(i8(random.integers(-9, 10, (6, 5))), i16(np.arange(10, 16)[:, None])))
    model = TimeToFirstSpike(2, table, 16)
    builder.add("h", Population((2, 3), ((dense,),), i32(np.array([[5], [9]])), model), ["x"])
    dense = Dense(Log2(i8(random.integers(-9, 10, (4, 6))), i16(np.arange(12, 16)[:, None])))
    builder.add(
        "r", Population((1, 4), ((dense,),), i32(np.zeros((1, 1), int)), Readout(i32(1))), ["h"]
    )
    builder.add("y", Output(), ["r"])
    graph = builder.graph()
    _, path = written(graph, WHOLE, tmp_path)
    runner = ImageRunner(path, graph)
    assert runner.run(inputs(graph)).spike_counts["h"].any()
    agree(graph, runner)


def _log2(random: np.random.Generator, *shape: int) -> Log2:
    codes = i8(random.integers(-9, 10, shape))
    return Log2(codes, i16(np.full((1,) * len(shape), 12)))
