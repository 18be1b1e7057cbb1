"""Samples that end early: the compiled C against the oracle, in steps, spikes and counts."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncc.testing import NEURONS, STEPS, inputs, network
from snncc_backends import EarlyExit, OracleRunner, build, margin_unit, margins
from snncc_c.runner import CRunner
from snncc_ir import Graph, SnnccError
from tests.conformance.test_c import SANITIZED, write

CLASSES = ["maxpool", "late-input", "two-inputs", "spiking-classes"]
"""Readouts and neurons that fire, one output and two. The margin looks at outputs alone."""


def rule(graph: Graph, seed: int, share: float, least: int = 1) -> EarlyExit:
    """A margin that about this share of (sample, step) do not reach."""
    totals = next(iter(OracleRunner(graph).run(inputs(graph, seed=seed)).totals.values()))
    return EarlyExit(max(int(np.quantile(margins(totals), share)), 1), least)


def agree(graph: Graph, runner: CRunner, early_exit: EarlyExit, seed: int) -> list[int]:
    """Compares everything; returns the steps used."""
    samples = inputs(graph, seed=seed)
    expected = OracleRunner(graph).run_until(samples, early_exit, record=True)
    found = runner.run_until(samples, early_exit, record=True)
    assert found.steps_used is not None
    assert expected.steps_used is not None
    assert found.steps_used.tolist() == expected.steps_used.tolist()
    for name, totals in expected.totals.items():
        assert np.array_equal(found.totals[name], totals), name
    for name, spikes in expected.spikes.items():
        assert np.array_equal(found.spikes[name], spikes), name
        assert np.array_equal(found.spike_counts[name], expected.spike_counts[name]), name
    # operations are those of a run of so many steps
    for sample, used in enumerate(found.steps_used.tolist()):
        alone = {name: array[sample : sample + 1] for name, array in samples.items()}
        counted = runner.run(alone, steps=used).synaptic_operations
        for name, operations in found.synaptic_operations.items():
            assert operations[sample] == counted[name][0], name
    return list(found.steps_used.tolist())


@pytest.mark.parametrize("name", CLASSES)
def test_samples_end_alike(name: str, tmp_path: Path) -> None:
    """Compiled without a warning, and run under the sanitizers; some samples do end early."""
    graph = network(name, "signed-if")
    runner = CRunner(write(graph, tmp_path), graph, processes=1, flags=SANITIZED)
    used = [step for share in (0.3, 0.6) for step in agree(graph, runner, rule(graph, 1, share), 1)]
    assert len(set(used)) > 1


@given(
    st.sampled_from(["dense", "late-input", "spiking-classes", "maxpool"]),
    st.sampled_from(list(NEURONS)),
    st.integers(2, 1000),
    st.floats(0, 1),
    st.integers(1, STEPS + 2),
)
@settings(deadline=None, max_examples=5)
def test_any_margin(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    neuron: str,
    seed: int,
    share: float,
    least: int,
) -> None:
    graph = network(name, neuron, seed)
    runner = CRunner(write(graph, tmp_path_factory.mktemp("c")), graph, 1, ("-O0",))
    used = agree(graph, runner, rule(graph, seed, share, least), seed)
    assert min(used) >= min(least, STEPS)


def test_fewer_steps_and_no_end(tmp_path: Path) -> None:
    graph = network("conv", "signed-if")
    samples = inputs(graph)
    never = EarlyExit(1 << 40)
    for runner in (CRunner(write(graph, tmp_path), graph), OracleRunner(graph)):
        found, full = runner.run_until(samples, never, steps=4), runner.run(samples, steps=4)
        assert found.steps_used is not None
        assert set(found.steps_used.tolist()) == {4}
        assert found.spikes == {}
        for name, totals in full.totals.items():
            assert np.array_equal(found.totals[name], totals)
        for name, count in full.spike_counts.items():
            assert np.array_equal(found.spike_counts[name], count)


def test_networks_without_classes() -> None:
    """Shapes that are no vector, and codes that have nothing to stop."""
    with pytest.raises(SnnccError, match=r"SNN053: the first output has shape \[4, 5, 3\]"):
        margin_unit(network("spiking-output", "if"))
    with pytest.raises(SnnccError, match="SNN053: the code is ttfs, should be rate"):
        margin_unit(network("dense", "ttfs"))


@pytest.mark.parametrize(("name", "neuron"), [("spiking-output", "if"), ("dense", "ttfs")])
def test_the_program_refuses_a_margin(name: str, neuron: str, tmp_path: Path) -> None:
    graph = network(name, neuron)
    runner = CRunner(write(graph, tmp_path), graph)
    with pytest.raises(SnnccError, match="is for a rate code with classes of one scale"):
        runner.run_until(inputs(graph), EarlyExit(5))


EMBEDDED = """
#include <stdio.h>
#include "model.h"

static uint64_t state[(MODEL_STATE_BYTES + 7) / 8];
static float sample[MODEL_INPUT_SIZE];

int main(int argc, char **argv) {
  (void)argc;
  FILE *file = fopen(argv[1], "rb");
  if (!file || fread(sample, sizeof *sample, MODEL_INPUT_SIZE, file) != MODEL_INPUT_SIZE) return 1;
  fclose(file);
  snncc_instance net;
  if (snncc_init(&net, &MODEL, state, sizeof state, model_weights, MODEL_WEIGHT_BYTES) != SNNCC_OK)
    return 1;
  model_set_inputs(&net, sample);
  snncc_reset(&net);
  while (snncc_step(&net) == SNNCC_OK && snncc_margin(&net, 0) < MARGIN) {}
  printf("%d %lld\\n", (int)net.step, (long long)snncc_margin(&net, 0));
  return 0;
}
"""


@pytest.mark.parametrize("name", ["dense", "spiking-classes"])
def test_from_ones_own_c(name: str, tmp_path: Path) -> None:
    """The loop of the runtime's documentation."""
    graph = network(name, "signed-if")
    early_exit = rule(graph, 1, 0.6)
    folder = write(graph, tmp_path) / "c"
    (folder / "main.c").write_text(EMBEDDED.replace("MARGIN", str(early_exit.margin)))
    build(sorted(folder.glob("*.c")), tmp_path / "own", (*SANITIZED, f"-I{folder}"))
    samples = inputs(graph)
    expected = OracleRunner(graph).run_until(samples, early_exit)
    assert expected.steps_used is not None
    ahead = margins(next(iter(expected.totals.values())))
    for i, used in enumerate(expected.steps_used.tolist()):
        content = b"".join(array[i].tobytes() for array in samples.values())
        (tmp_path / "sample").write_bytes(content)
        done = subprocess.run(
            [tmp_path / "own", tmp_path / "sample"], capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == [str(used), str(ahead[i, -1])]
