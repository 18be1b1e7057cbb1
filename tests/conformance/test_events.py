"""Streams of events for an input: the compiled C against the oracle, spike for spike."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from snncc.testing import STEPS, inputs, network, taking_events
from snncc_backends import build
from snncc_c.runner import RUNTIME_SOURCES, CRunner
from snncc_ir import INTEGER, check
from tests.conformance.test_c import KERNELS, SANITIZED, agree, write

CALLER = """
#include <string.h>
#include "model.h"
static uint64_t one[(MODEL_STATE_BYTES + 7) / 8], other[(MODEL_STATE_BYTES + 7) / 8];
int main(void) {
  snncc_instance a, b;
  if (snncc_init(&a, &MODEL, one, sizeof one, model_weights, MODEL_WEIGHT_BYTES) != SNNCC_OK)
    return 1;
  snncc_copy(&b, &a, other);
  snncc_reset(&a);
  snncc_reset(&b);
  for (int t = 0; t < MODEL_STEPS; t++) {
    int8_t counts[MODEL_INPUT_SIZE] = {0};
    int32_t total[2][MODEL_OUTPUT_SIZE];
    snncc_clear_events(&b, MODEL_INPUT_NODE);
    snncc_add_event(&b, MODEL_INPUT_NODE, -1, 1);
    snncc_add_event(&b, MODEL_INPUT_NODE, MODEL_INPUT_SIZE, 1);
    for (int k = 0; k < 40; k++) {
      const int place = (k * k * 7 + t) % MODEL_INPUT_SIZE, number = k % 3 ? 1 : -1;
      counts[place] = (int8_t)(counts[place] + number);
      snncc_add_event(&b, MODEL_INPUT_NODE, place, number);
    }
    model_set_events(&a, counts);
    (void)snncc_step(&a);
    (void)snncc_step(&b);
    snncc_read_total(&a, 0, total[0]);
    snncc_read_total(&b, 0, total[1]);
    if (memcmp(total[0], total[1], sizeof total[0])) return 2;
    if (snncc_spike_count(&a, 0) != snncc_spike_count(&b, 0)) return 3;
  }
  return snncc_spike_count(&a, 0) > 100 && snncc_spike_count(&a, 1) > 0 ? 0 : 4;
}
"""


def compiled(folder: Path, executable: Path) -> None:
    """All sources of a folder; the runtime's object files are those of other tests."""
    runtime = [folder / name for name in RUNTIME_SOURCES]
    others = [path for path in sorted(folder.glob("*.c")) if path not in runtime]
    headers = sorted(folder.glob("snncc_*.h"))
    build(others, executable, SANITIZED, dict.fromkeys(runtime, headers))


@pytest.mark.parametrize(
    ("name", "neuron", "most", "signed", "kernels"),
    [
        ("conv", "signed-graded", 127, True, KERNELS[1]),
        ("maxpool", "signed-if", 9, True, KERNELS[0]),
        ("two-inputs", "hard-if", 9, False, KERNELS[1]),
    ],
)
def test_spike_for_spike(
    name: str, neuron: str, most: int, signed: bool, kernels: str, tmp_path: Path
) -> None:
    """Compiled without a warning, and run under the sanitizers."""
    graph = taking_events(network(name, neuron), most, signed)
    check(graph, INTEGER)
    agree(graph, CRunner(write(graph, tmp_path, kernels), graph, processes=1, flags=SANITIZED))


def test_single_events_add_up_to_counts(tmp_path: Path) -> None:
    """`snncc_add_event` from C; places outside are ignored."""
    graph = taking_events(network("conv", "if"), 20, signed=True)
    folder = write(graph, tmp_path) / "c"
    (folder / "main.c").write_text(CALLER)
    compiled(folder, tmp_path / "caller")
    assert subprocess.run([tmp_path / "caller"], check=False).returncode == 0


def test_what_the_program_refuses(tmp_path: Path) -> None:
    graph = taking_events(network("dense", "if"), 3, signed=False)
    folder = write(graph, tmp_path) / "c"
    compiled(folder, tmp_path / "model")
    good = inputs(graph, 2)["x"]
    for array, says in (
        (good, ""),
        (good.astype(np.float32), "should hold numbers of events, int8"),
        (good[:, : STEPS - 1], "another size than the network's input"),
    ):
        np.save(tmp_path / "x.npy", np.ascontiguousarray(array))
        command = ["./model", "--input", "x.npy", "--output", "y.npy"]
        found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (found.returncode != 0) == bool(says)
        assert says in found.stderr
