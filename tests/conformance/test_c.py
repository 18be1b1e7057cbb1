"""The compiled C against the oracle: every spike, every potential, every step."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncc.testing import FAMILY, NEURONS, inputs, network
from snncc_backends import OracleRunner, Preprocessing, build
from snncc_c.emit import emit_c
from snncc_c.runner import CRunner
from snncc_ir import INTEGER, MOST_DIGITS, Graph, SnnccError, check
from snncc_ir.ops import Population

STRICT = ("-O1", "-Wall", "-Wextra", "-pedantic", "-Werror", "-Wconversion")
SANITIZED = (*STRICT, "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def write(graph: Graph, folder: Path) -> Path:
    for name, content in emit_c(graph, Preprocessing()).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def agree(graph: Graph, runner: CRunner, seed: int = 1) -> None:
    samples = inputs(graph, seed=seed)
    expected = OracleRunner(graph).run(samples, record=True)
    found = runner.run(samples, record=True)
    assert found.steps == expected.steps
    for name, spikes in expected.spikes.items():
        assert np.array_equal(found.spikes[name], spikes), name
        assert np.array_equal(found.spike_counts[name], expected.spike_counts[name]), name
    for name, totals in expected.totals.items():
        assert np.array_equal(found.totals[name], totals), name


@pytest.mark.parametrize("neuron", [*NEURONS, "radix"])
@pytest.mark.parametrize("name", FAMILY)
def test_the_family_is_alive(name: str, neuron: str) -> None:
    """Neither silent nor saturated; and signed neurons do take spikes back somewhere."""
    graph = network(name, neuron)
    check(graph, INTEGER)
    execution = OracleRunner(graph).run(inputs(graph), record=True)
    populations = {
        name: spikes
        for name, spikes in execution.spikes.items()
        if isinstance(graph[name].op, Population)
    }
    for node, spikes in populations.items():
        assert 0.02 < np.mean(spikes != 0) < 0.9, node
        # numbers of eight digits: some beyond what a signed byte holds, some below
        if spikes.shape[1] == MOST_DIGITS and neuron == "radix":
            assert 0.02 < np.mean(spikes[:, 0]) < 0.9, node
    # the first population's current is constant, so only a second one can take spikes back
    if neuron.startswith("signed") and len(populations) > 1:
        assert any((spikes < 0).any() for spikes in populations.values())


MODELS = [*NEURONS, "ttfs", "radix"]
SOME = [
    pytest.param(name, MODELS[(i + k) % len(MODELS)], id=f"{name}-{MODELS[(i + k) % len(MODELS)]}")
    for i, name in enumerate(FAMILY)
    for k in (0, 3)
]
"""Each network with two models, and each model with six networks; `test_kit.py` runs them all."""


@pytest.mark.parametrize(("name", "neuron"), SOME)
def test_no_warnings_and_no_undefined_behavior(name: str, neuron: str, tmp_path: Path) -> None:
    """Compiled without a warning, and run under the address and undefined-behavior sanitizers."""
    graph = network(name, neuron)
    runner = CRunner(write(graph, tmp_path), graph, flags=SANITIZED)
    agree(graph, runner)


@given(
    st.sampled_from(list(FAMILY)),
    st.sampled_from([*NEURONS, "ttfs", "radix"]),
    st.integers(2, 1000),
)
@settings(deadline=None, max_examples=15)
def test_other_weights(
    tmp_path_factory: pytest.TempPathFactory, name: str, neuron: str, seed: int
) -> None:
    graph = network(name, neuron, seed)
    agree(graph, CRunner(write(graph, tmp_path_factory.mktemp("c")), graph), seed)


@pytest.fixture(scope="module")
def optimized(tmp_path_factory: pytest.TempPathFactory) -> tuple[Graph, Path]:
    graph = network("residual", "signed-if")
    return graph, write(graph, tmp_path_factory.mktemp("residual"))


def test_processes_and_flags_do_not_matter(optimized: tuple[Graph, Path]) -> None:
    graph, folder = optimized
    for processes in (1, 3):
        for flags in (("-O0",), ("-O3",), ("-O3", "-march=native")):
            agree(graph, CRunner(folder, graph, processes, flags))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_each_compiler_is_content(
    compiler: str, optimized: tuple[Graph, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"{compiler} is not here")
    monkeypatch.setenv("CC", compiler)
    build(sorted((optimized[1] / "c").glob("*.c")), tmp_path / "model", STRICT)


def test_fewer_steps_are_the_first_steps(optimized: tuple[Graph, Path]) -> None:
    graph, folder = optimized
    runner = CRunner(folder, graph)
    samples = inputs(graph)
    full, few = runner.run(samples), runner.run(samples, steps=4)
    for name, totals in few.totals.items():
        assert np.array_equal(totals, full.totals[name][:, :4])


@pytest.mark.parametrize("neuron", ["if", "radix"])
def test_synaptic_operations_are_counted(neuron: str, tmp_path: Path) -> None:
    """Spikes times weights, by hand on a dense network; inputs once."""
    graph = network("dense", neuron)
    samples = inputs(graph)
    found = CRunner(write(graph, tmp_path), graph).run(samples)
    assert np.array_equal(found.synaptic_operations["k"], found.spike_counts["h"] * 70)
    (source,) = graph.inputs
    quantized = source.op.quantize(samples["x"].astype(np.float64))  # type: ignore[attr-defined]
    assert np.array_equal(found.synaptic_operations["h"], np.count_nonzero(quantized, axis=1) * 33)


def test_weights_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large networks read weights.bin; a damaged or short file is refused before anything runs."""
    monkeypatch.setattr("snncc_c.emit.EMBEDDED_ELEMENTS", 0)
    graph = network("maxpool", "if")
    runner = CRunner(write(graph, tmp_path), graph)
    agree(graph, runner)
    file = tmp_path / "c" / "weights.bin"
    content = file.read_bytes()
    for damaged, message in (
        (content[:9] + bytes([content[9] ^ 1]) + content[10:], "are damaged"),
        (content[:-8], "is cut off"),
    ):
        file.write_bytes(damaged)
        with pytest.raises(SnnccError, match=message):
            runner.run(inputs(graph))
