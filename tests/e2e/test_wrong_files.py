"""Files and options that contradict each other: a diagnostic with a hint, exit 2, no traceback."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

import snncc
from snncc.cli.main import COMMANDS
from tests.e2e.models import dyadic, mlp, samples, save
from tests.e2e.test_cli import Cli, cli

__all__ = ["cli"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with its model and data, compiled once; tests leave it as it is."""
    place = tmp_path_factory.mktemp("wrong")
    snncc.compile(
        mlp(place), calibration=samples(place / "data.npz", (4,)), output=place / "bundle",
        calibrate="off",
    )  # fmt: skip
    return place


def refused(cli: Cli, code: str, message: str, *arguments: object) -> str:
    """What a command prints that fails with one diagnostic, which says what to try."""
    shown = cli(*arguments, code=2).err
    assert shown.startswith(f"error {code}: "), shown
    assert message in shown
    assert "\n  try " in shown
    return shown


def test_verify_needs_the_model(
    cli: Cli, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # the oracle is faster here than to compile C
    monkeypatch.delenv("CC", raising=False)
    text = tmp_path / "text.onnx"
    text.write_text("no model")
    nodes = [
        helper.make_node("Gemm", ["x", "w1"], ["h"], "/fc1/Gemm"),
        helper.make_node("Relu", ["h"], ["a"], "/relu/Relu"),
        helper.make_node("Gemm", ["a", "w2"], ["y"], "/fc2/Gemm"),
    ]
    constants = {"w1": dyadic(1, 4, 6), "w2": dyadic(3, 6, 5)}
    five = save(tmp_path / "five.onnx", nodes, (4,), constants, classes=5)
    for model, code, message in (
        (tmp_path / "none.onnx", "SNN001", "the model file does not exist"),
        (tmp_path, "SNN001", "the model file is a folder"),
        (text, "SNN001", "the model file is not an ONNX file"),
        (five, "SNN030", "5 numbers a sample, should have 3 as the bundle's"),
    ):
        command = ("verify", folder / "bundle", "--model", model, "--data", folder / "data.npz")
        refused(cli, code, message, *command)


def test_classes_that_the_network_does_not_have(cli: Cli, folder: Path, tmp_path: Path) -> None:
    """Such as classes that are counted from 1, which would look like a bad network."""
    data = tmp_path / "data.npz"
    np.savez(data, x=np.zeros((3, 4)), y=np.array([1, 2, 3]))
    message = "classes 'y' go from 1 to 3, should be 0 to 2"
    shown = refused(
        cli, "SNN030", message, folder / "mlp.onnx", "--calib", data, "-o", tmp_path / "out"
    )
    assert f"at {data}" in shown
    command = ("verify", folder / "bundle", "--model", folder / "mlp.onnx", "--data", data)
    refused(cli, "SNN030", message, *command)


def test_data_is_named_with_the_input(cli: Cli, folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    np.savez(data, x=np.full((3, 4), 1e39))
    shown = refused(cli, "SNN030", "not finite", "run", folder / "bundle", "--data", data)
    assert f"at {data}, input 'x'" in shown
    assert "Warning" not in shown


@pytest.mark.parametrize("content", [b"\x80\x04pickle", b"PK\x03\x04damaged", b"\x93NUMPY\x01"])
def test_damaged_data(content: bytes, cli: Cli, folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    data.write_bytes(content)
    message = "the data file cannot be read"
    refused(cli, "SNN030", message, "run", folder / "bundle", "--data", data)


def rehashed(bundle: Path, name: str, content: bytes) -> None:
    """Another content for a file of a bundle, and its hash in the manifest."""
    (bundle / name).write_bytes(content)
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["files"][name] = sha256(content).hexdigest()
    (bundle / "manifest.json").write_text(json.dumps(manifest))


def preprocessed(bundle: Path) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["preprocessing"]["mean"] = ["red"]
    (bundle / "manifest.json").write_text(json.dumps(manifest))


BROKEN: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "no network": (
        lambda b: rehashed(b, "network.sir", b'sir 1\ngraph "g" {\n}\n'),
        "run", "the graph has no input",
    ),
    "network is no text": (
        lambda b: rehashed(b, "network.sir", b"\xff"), "run", "it is no text in UTF-8",
    ),
    "report": (
        lambda b: rehashed(b, "report.json", b"x"), "diff", "report.json is no JSON",
    ),
    "vectors": (
        lambda b: rehashed(b, "vectors/vectors.safetensors", b"x"), "verify",
        "vectors.safetensors does not fit",
    ),
    "preprocessing": (preprocessed, "run", "the preprocessing is"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_bundles_with_new_hashes(case: str, cli: Cli, tmp_path: Path) -> None:
    """What a person changes in a bundle is refused, even where its hash has been changed too."""
    spoil, command, message = BROKEN[case]
    model, data, bundle = mlp(tmp_path), samples(tmp_path / "d.npz", (4,)), tmp_path / "bundle"
    snncc.compile(model, calibration=data, output=bundle, calibrate="off")
    spoil(bundle)
    arguments: dict[str, tuple[object, ...]] = {
        "run": ("--data", data), "diff": (bundle,), "verify": ("--model", model, "--data", data),
    }  # fmt: skip
    refused(cli, "SNN051", message, command, bundle, *arguments[command])


def test_a_file_is_no_bundle(cli: Cli, folder: Path) -> None:
    data = folder / "data.npz"
    refused(cli, "SNN051", "the bundle is a file", "run", data, "--data", data)


OPTIONS: dict[str, tuple[list[str], str]] = {
    "misspelled": (["--set", "inputbits=8"], "try 'input_bits', the name most like it"),
    "of another target": (["--chip", "loihi1"], "try --target loihi --coding rate"),
    "of another coding": (["--set", "tau=4"], "try --target c --coding ttfs"),
    "coding of another target": (
        ["--target", "loihi", "--coding", "ttfs"], "try --target c or ttfs28 for this coding",
    ),
    "of a pass": (["--weight-bits", "99"], "try another --weight-bits; `snncc targets c` lists"),
}  # fmt: skip


@pytest.mark.parametrize("case", OPTIONS)
def test_options_that_are_elsewhere(case: str, cli: Cli, folder: Path, tmp_path: Path) -> None:
    options, hint = OPTIONS[case]
    model, data = folder / "mlp.onnx", folder / "data.npz"
    refused(cli, "SNN042", hint, model, "--calib", data, *options, "-o", tmp_path / "out")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(28, "No space left on device", "/tmp/x"), "SNN050: a file cannot be read or"),
        (MemoryError(), "there is not enough memory"),
    ],
)
def test_what_no_command_has_caught(
    error: Exception, message: str, cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk or memory is no bug of snncc: exit 2, and no traceback."""

    def fails(folder: object) -> None:
        raise error

    monkeypatch.setattr(snncc.Bundle, "load", fails)
    assert message in cli("run", folder / "bundle", "--data", folder / "data.npz", code=2).err


def test_help_says_where_errors_are_explained(cli: Cli) -> None:
    for command in ([], *([name] for name in COMMANDS)):
        shown = " ".join(cli(*command, "--help").out.split())
        assert "docs/diagnostics.md explains each error (SNN0xx)" in shown
