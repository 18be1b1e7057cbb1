"""The passes of a chip with narrow limits through the command line, and `verify` after them."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.models import dyadic
from tests.e2e.test_binary import SHAPE, made
from tests.e2e.test_cli import Cli, cli  # noqa: F401

PASSES = (
    "hoist-neurons,fold-batchnorm,sink-views,fuse,binary-weights,encode-input,"
    "normalize{method=error,steps=32},quantize-input{bits=11},"
    "rate-code{neuron=NEURON,steps=32},calibrate-rate,quantize-weights{bits=8,accumulator=17,"
    "thresholds=6,theta_bits=7,bias=4095,bound=reset}"
)


@pytest.mark.parametrize("neuron", ["if", "hard-if"])
def test_a_signed_input_and_binary_weights(
    cli: Cli,  # noqa: F811
    tmp_path: Path,
    neuron: str,
) -> None:
    model, file, out = made(tmp_path), tmp_path / "data.npz", tmp_path / "bundle"
    np.savez(file, x=dyadic(9, 40, *SHAPE), y=np.zeros(40, np.int64))
    passes = PASSES.replace("NEURON", neuron)
    cli(model, "--calib", file, "--passes", passes, "-q", "-o", out)
    text = (out / "network.sir").read_text(encoding="utf-8")
    assert re.findall(r"%(\S+) = population\(%x\)", text) == ["x.on", "x.off"]
    assert text.count("binary{") == 3
    shown = cli("verify", out, "--model", model, "--data", file, "--exact", "20", "--json")
    figures = json.loads(shown.out)
    assert figures["holds"]
    assert figures["exact"]["samples"] == 20
    # reset to zero loses what the potential is above the threshold
    assert figures["at_steps"][-1]["snr"] > (15 if neuron == "if" else 5)
    assert {"x.on", "x.off"} <= set(figures["layers"])


def test_inputs_are_refused_that_no_potential_holds(
    cli: Cli,  # noqa: F811
    tmp_path: Path,
) -> None:
    model, file = made(tmp_path), tmp_path / "data.npz"
    np.savez(file, x=dyadic(9, 40, *SHAPE), y=np.zeros(40, np.int64))
    passes = PASSES.replace("NEURON", "if").replace("bits=11", "bits=16")
    refused = cli(model, "--calib", file, "--passes", passes, "-q", "-o", tmp_path / "b", code=2)
    assert "SNN022" in refused.err
    assert "fewer bits for the input" in refused.err
