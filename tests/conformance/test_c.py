"""The compiled C against the oracle: every spike, every potential, every step."""

import shutil
import subprocess
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


KERNELS = ("by weights", "by spikes")


def write(graph: Graph, folder: Path, kernels: str = KERNELS[0]) -> Path:
    """kernels: for busy networks, which all are taken for, or for silent ones."""
    silent = {node.name: np.zeros(node.type.size) for node in graph}
    spikes = silent if kernels == "by spikes" else None
    for name, content in emit_c(graph, Preprocessing(), spikes).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_silence_and_activity_choose_other_kernels(tmp_path: Path) -> None:
    """Or else the tests below would try one kernel twice."""
    for neuron in ("signed-if", "radix"):
        model = [
            (write(network("conv", neuron), tmp_path / kernels, kernels) / "c/model.c").read_text()
            for kernels in KERNELS
        ]
        taken = [text.count("SNNCC_BY_SPIKES") for text in model]
        assert taken[0] < taken[1]


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
    pytest.param(name, model, kernels, id=f"{name}-{model}-{kernels}")
    for i, name in enumerate(FAMILY)
    for k, kernels in ((0, KERNELS[i % 2]), (3, KERNELS[1 - i % 2]))
    for model in [MODELS[(i + k) % len(MODELS)]]
]
"""Each network with two models, one by each kernel, and each model with six networks; `test_kit.py`
runs them all."""


@pytest.mark.parametrize(("name", "neuron", "kernels"), SOME)
def test_no_warnings_and_no_undefined_behavior(
    name: str, neuron: str, kernels: str, tmp_path: Path
) -> None:
    """Compiled without a warning, and run under the address and undefined-behavior sanitizers."""
    graph = network(name, neuron)
    runner = CRunner(write(graph, tmp_path, kernels), graph, flags=SANITIZED)
    agree(graph, runner)


@pytest.mark.parametrize("name", FAMILY)
def test_both_kernels_count_the_same_operations(name: str, tmp_path: Path) -> None:
    for neuron in ("signed-if", "radix"):
        graph = network(name, neuron)
        samples = inputs(graph)
        found = []
        for kernels in KERNELS:
            folder = write(graph, tmp_path / neuron / kernels, kernels)
            found.append(CRunner(folder, graph, flags=("-O1",)).run(samples))
        for node, operations in found[0].synaptic_operations.items():
            assert np.array_equal(operations, found[1].synaptic_operations[node]), node


@given(
    st.sampled_from(list(FAMILY)),
    st.sampled_from([*NEURONS, "ttfs", "radix"]),
    st.sampled_from(KERNELS),
    st.integers(2, 1000),
)
@settings(deadline=None, max_examples=15)
def test_other_weights(
    tmp_path_factory: pytest.TempPathFactory, name: str, neuron: str, kernels: str, seed: int
) -> None:
    graph = network(name, neuron, seed)
    agree(graph, CRunner(write(graph, tmp_path_factory.mktemp("c"), kernels), graph), seed)


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


@pytest.mark.parametrize("neuron", ["signed-if", "ttfs", "radix"])
def test_vectors_batches_and_threads_do_not_matter(neuron: str, tmp_path: Path) -> None:
    """What the program writes is the same, byte by byte, whatever it is run with."""
    graph = network("residual", neuron)
    folder = write(graph, tmp_path) / "c"
    # threads share layers, however small
    build(sorted(folder.glob("*.c")), folder / "model", ("-O1", "-DSNNCC_WORTH_SHARING=0"))
    samples = inputs(graph, 21)
    np.save(tmp_path / "x.npy", np.concatenate([x.reshape(21, -1) for x in samples.values()], 1))

    def written(*options: str) -> bytes | str:
        files = [tmp_path / f"{what}.npy" for what in ("output", "spikes", "counts")]
        named = [s for path in files for s in (f"--{path.stem}", str(path))]
        line = [str(folder / "model"), "--input", str(tmp_path / "x.npy"), "--trace", *named]
        done = subprocess.run([*line, *options], capture_output=True, text=True, check=False)
        if done.returncode:
            return done.stderr
        return b"".join(path.read_bytes() for path in files)

    alone = written("--vectors", "portable", "--batch", "1")
    assert isinstance(alone, bytes)
    for options in (
        ("--threads", "3", "--batch", "2"),
        ("--batch", "7", "--vectors", "portable"),
        ("--threads", "2", "--batch", "64"),
    ):
        assert written(*options) == alone, options
    one = written("--count", "1")
    for threads in "2", "5":
        assert written("--count", "1", "--threads", threads) == one
    for vectors in ("avx2", "avx512"):
        found = written("--vectors", vectors)
        if isinstance(found, str):  # this machine has none
            assert "--vectors: should be one that this machine has" in found
        else:
            assert found == alone, vectors


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
