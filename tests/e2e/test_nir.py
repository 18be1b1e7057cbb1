"""Target nir from the command line."""

import json
from pathlib import Path

import pytest

from tests.e2e import models
from tests.e2e.test_cli import Cli, cli

__all__ = ["cli"]


def test_compile_run_verify(cli: Cli, tmp_path: Path) -> None:
    nir = pytest.importorskip("nir", reason="the extra snncc[nir] is not installed")
    model = models.mlp(tmp_path)
    data = models.samples(tmp_path / "data.npz", (4,))
    folder = tmp_path / "bundle"
    cli(model, "--target", "nir", "--calib", data, "--steps", "8", "-o", folder)
    found = json.loads(cli("verify", folder, "--model", model, "--data", data, "--json").out)
    assert found["holds"]
    assert "numpy simulator of network.nir" in str(found)
    kinds = [type(node).__name__ for node in nir.read(folder / "network.nir").nodes.values()]
    assert sorted(set(kinds)) == ["Affine", "IF", "Input", "Output"]


def test_targets_and_refusal(cli: Cli, digits: Path, tmp_path: Path) -> None:
    assert "There are no max pools" in cli("targets", "nir").out
    out = tmp_path / "bundle"
    compiled = ("--target", "nir", "--calib", digits / "calib.npz", "-o", out)
    shown = cli(digits / "digits.onnx", *compiled, code=2).err
    assert "SNN041" in shown
    assert "is a max pool" in shown
    assert not out.exists()
