"""The way from Keras that docs/training-keras.md shows, on files that tf2onnx wrote."""

import re
import shlex
from pathlib import Path

import numpy as np
import onnx
import pytest

from snncc.cli import main
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "training-keras.md"
CORPUS = ROOT / "tests" / "corpus" / "keras"


def commands() -> list[list[str]]:
    """What the page types, without `snncc`."""
    found = re.findall(r"^\$ snncc (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [shlex.split(line) for line in found]


def run(words: list[str]) -> int | str | None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    return caught.value.code


@pytest.mark.parametrize("name", ["keras2_sequential_opset15", "mobilenet_v1_opset11"])
def test_clipped_relus_with_batch_normalization(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    compile_words, verify_words = commands()
    assert "method=ecc" in compile_words
    model = onnx.load(CORPUS / f"{name}.onnx")
    onnx.save(model, tmp_path / "model.onnx")
    sizes = [axis.dim_value for axis in model.graph.input[0].type.tensor_type.shape.dim[1:]]
    x = np.random.default_rng(3).integers(0, 17, (20, *sizes), np.uint8)
    for file in ("train.npz", "test.npz"):
        np.savez(tmp_path / file, x=x, y=np.arange(20) % 10)
    monkeypatch.chdir(tmp_path)
    assert not run(compile_words), capfd.readouterr().err
    assert not run(verify_words), capfd.readouterr().err
    said = capfd.readouterr().out
    assert "closed form" in said
    assert "oracle" in said
