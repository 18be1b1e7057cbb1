"""What a user gets wrong: a code, what was found, what to try; exit 2; nothing half-written."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.e2e.models import dyadic, mlp, samples, save
from tests.e2e.test_cli import Cli, cli

__all__ = ["cli"]


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def text_file(folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_text("this is not a model")
    return path


def empty_file(folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(b"")
    return path


def truncated(folder: Path) -> Path:
    path = mlp(folder)
    path.write_bytes(path.read_bytes()[:150])
    return path


def exponential(folder: Path) -> Path:
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["h"], "/fc/Gemm"),
        helper.make_node("Exp", ["h"], ["y"], "/gate/Exp"),
    ]
    return save(folder / "gate.onnx", nodes, (4,), {"w": dyadic(1, 4, 3)})


def linear(folder: Path) -> Path:
    nodes = [helper.make_node("Gemm", ["x", "w"], ["y"], "/fc/Gemm")]
    return save(folder / "linear.onnx", nodes, (4,), {"w": dyadic(1, 4, 3)})


def external(folder: Path) -> Path:
    """Weights in a file outside of the model's folder."""
    path = mlp(folder)
    model = onnx.load(path)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    path.write_bytes(model.SerializeToString())
    return path


MODELS: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "no file": (lambda folder: folder / "none.onnx", "SNN001", "the model file does not exist"),
    "a folder": (lambda folder: folder, "SNN001", "the model file is a folder"),
    "a text": (text_file, "SNN001", "the model file"),
    "empty": (empty_file, "SNN001", "the model file is empty"),
    "truncated": (truncated, "SNN001", "is cut off"),
    "unsupported": (exponential, "SNN003", "operator Exp is not supported"),
    "no neurons": (linear, "SNN006", "no activation that could become neurons"),
    "external data": (external, "SNN001", "the numbers of 'w1'"),
}


@pytest.mark.parametrize("case", MODELS)
def test_model(case: str, cli: Cli, tmp_path: Path) -> None:
    make, code, message = MODELS[case]
    folder = tmp_path / "in"
    folder.mkdir()
    model = make(folder)
    out = tmp_path / "out"
    shown = cli(model, "-o", out, code=2)
    assert f"error {code}: " in shown.err
    assert message in shown.err
    assert "\n  try " in shown.err
    assert not out.exists()
    assert list(tmp_path.iterdir()) == [folder]
    assert f"error {code}: " in cli("inspect", model, code=2).err


def test_an_unsupported_node_is_named(cli: Cli, tmp_path: Path) -> None:
    shown = cli(exponential(tmp_path), "-o", tmp_path / "out", code=2)
    assert "at Exp '/gate/Exp' (h: N×3)" in shown.err
    assert "try use ReLU, or an activation that --approximate takes" in shown.err


def archive(path: Path, **arrays: object) -> Path:
    np.savez(path, **{name: np.asarray(array) for name, array in arrays.items()})  # type: ignore[arg-type]
    return path


DATA: dict[str, tuple[Callable[[Path], Path], str]] = {
    "none": (lambda path: path, "the data file does not exist"),
    "text": (lambda path: (path.write_text("x,y\n1,2\n") and path) or path, "cannot be read"),
    "shape": (
        lambda path: archive(path, x=np.zeros((5, 3))),
        "samples have shape [3], should have [4]",
    ),
    "no samples": (lambda path: archive(path, x=np.zeros((0, 4))), "at least 1"),
    "labels": (
        lambda path: archive(path, x=np.zeros((5, 4)), y=np.zeros(4, int)),
        "'y' has shape [4]",
    ),
    "texts": (lambda path: archive(path, x=np.array([["a"] * 4])), "should be numbers"),
    "not a number": (
        lambda path: archive(path, x=np.full((3, 4), np.nan)),
        "numbers that are not finite",
    ),
    "pickles": (
        lambda path: archive(path, x=np.array([{}, {}], object)),
        "cannot be read",
    ),
}


@pytest.mark.parametrize("case", DATA)
def test_data(case: str, cli: Cli, tmp_path: Path) -> None:
    make, message = DATA[case]
    model = mlp(tmp_path)
    data = make(tmp_path / "data.npz")
    shown = cli(model, "--calib", data, "-o", tmp_path / "out", code=2)
    assert "error SNN030: " in shown.err
    assert message in shown.err
    assert not (tmp_path / "out").exists()


OPTIONS: dict[str, tuple[list[str], str]] = {
    "target": (["--target", "tpu"], "target 'tpu' is not known, should be one of c"),
    "neuron": (["--neuron", "lif"], "neuron is 'lif', should be if or signed-if"),
    "steps": (["--steps", "0"], "steps is 0, should be 1 to 32767"),
    "set": (["--set", "bits=3"], "option 'bits' is not known, should be one of method"),
    "set value": (["--set", "steps=x"], "option 'steps' is 'x', should be a whole number"),
    "set form": (["--set", "steps"], "should be KEY=VALUE"),
    "passes": (["--passes", "fuse{"], "the pipeline cannot be read"),
    "short pipeline": (
        ["--passes", "fuse,normalize,quantize-input,rate-code"],
        "the pipeline stops before its end: tensor",
    ),
    "uncoded": (["--passes", "fuse"], "the code is uncoded, should be rate, ttfs or radix"),
    "dump": (["--dump-ir", "/proc/none"], "SNN050: the IR cannot be written"),
    "scale": (["--scale", "1/0"], "--scale is '1/0', should be numbers"),
    "std": (["--std", "0"], "scale or std is 0"),
    "mean": (["--mean", "1,2,3"], "mean has 3 numbers, should have 1"),
    "layout": (["--layout", "hwc"], "layout is 'hwc', should be model or nhwc"),
    "percentile": (["--percentile", "0"], "percentile is 0.0"),
    "unknown": (["--fast"], "No such option"),
    "coding": (
        ["--coding", "phase"],
        "coding is 'phase', should be rate or ttfs or radix for target c",
    ),
    "digits": (["--coding", "radix", "--steps", "9"], "steps is 9, should be 1 to 8"),
    "radix bias": (
        ["--coding", "radix", "--set", "bias=0"],
        "bias is '0', should be correct or keep",
    ),
    "coding of target": (
        ["--target", "ttfs28", "--coding", "rate"],
        "coding is 'rate', should be ttfs for target ttfs28",
    ),
    "option of another coding": (
        ["--target", "ttfs28", "--neuron", "if"],
        "option 'neuron' is not known, should be one of",
    ),
    "slots": (["--coding", "ttfs", "--steps", "65"], "steps is 65, should be 2 to 64"),
    "bits": (["--coding", "ttfs", "--weight-bits", "9"], "bits is 9, should be 2 to 8"),
    "align": (["--coding", "ttfs", "--set", "align=on"], "align is 'on', should be streams or off"),
    "bias": (["--coding", "ttfs", "--set", "bias=0"], "bias is '0', should be correct or keep"),
    "input bits": (
        ["--coding", "ttfs", "--set", "input_bits=13"],
        "input_bits is 13, should be 1 to 12",
    ),
    "dynamic range": (
        ["--target", "ttfs28", "--steps", "64", "--set", "tau=1"],
        "64 slots span 63 octaves",
    ),
    "machine": (
        ["--target", "ttfs28", "--set", "machine=no.json"],
        "the machine description cannot be read: No such file or directory",
    ),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_options(case: str, cli: Cli, tmp_path: Path) -> None:
    options, message = OPTIONS[case]
    model, data = mlp(tmp_path), samples(tmp_path / "data.npz", (4,))
    shown = cli(model, "--calib", data, *options, "-o", tmp_path / "out", code=2)
    assert message in shown.err
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_exists(cli: Cli, tmp_path: Path) -> None:
    model, data, out = mlp(tmp_path), samples(tmp_path / "d.npz", (4,)), tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    for force in ([], ["--force"]):
        shown = cli(model, "--calib", data, "-o", out, *force, code=2)
        assert "error SNN050: the output folder exists and is no bundle" in shown.err
    assert files(out) == {"mine.txt": b"precious"}
    (out / "mine.txt").unlink()
    cli(model, "--calib", data, "-o", out)
    before = files(out)
    shown = cli(model, "--calib", data, "--steps", "4", "-o", out, code=2)
    assert "--force to replace it" in shown.err
    assert files(out) == before
    cli(model, "--calib", data, "--steps", "4", "--force", "-o", out)
    assert json.loads((out / "manifest.json").read_text())["settings"]["steps"] == 4
    cli(model, "--calib", data, "-o", model, code=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.npz", "mlp.onnx", "out"]


def test_a_disk_that_fills_leaves_nothing(tmp_path: Path) -> None:
    """A file-size limit stops the writing in the middle; the earlier bundle stays as it was."""
    resource = pytest.importorskip("resource")
    model, data, out = mlp(tmp_path), samples(tmp_path / "d.npz", (4,)), tmp_path / "out"
    code = "from snncc.cli import main; main()"
    command = [sys.executable, "-c", code, str(model), "--calib", str(data), "-o", str(out)]
    root = Path(__file__).parents[2]
    roots = [root, root / "ir", root / "backends", root / "templates"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))}
    subprocess.run([*command, "-q"], check=True, env=environment)
    before = files(tmp_path)

    def limit() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    done = subprocess.run(
        [*command, "--force", "--steps", "4"], env=environment, preexec_fn=limit,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "SNN050: the bundle cannot be written" in done.stderr
    assert "nothing was changed" in done.stderr
    assert files(tmp_path) == before


def test_results_that_cannot_be_written(cli: Cli, tmp_path: Path) -> None:
    model, data, out = mlp(tmp_path), samples(tmp_path / "d.npz", (4,)), tmp_path / "out"
    cli(model, "--calib", data, "-q", "-o", out, "--dump-ir", tmp_path / "dump")
    for place in (tmp_path / "none" / "r.npz", out):
        shown = cli("run", out, "--data", data, "-o", place, code=2)
        assert "error SNN050: the file cannot be written" in shown.err
        source = tmp_path / "dump" / "00-lowered.sir"
        shown = cli("opt", source, "-o", tmp_path / "none" / "x.sir", code=2)
        assert "error SNN050: " in shown.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.npz", "dump", "mlp.onnx", "out"]


def test_damaged_bundles_are_refused(cli: Cli, tmp_path: Path) -> None:
    model, data, out = mlp(tmp_path), samples(tmp_path / "d.npz", (4,)), tmp_path / "out"
    cli(model, "--calib", data, "-q", "-o", out)
    for name in ("network.sir", "network.safetensors", "c/model.c", "report.json"):
        content = (out / name).read_bytes()
        (out / name).write_bytes(content[:-1] + b"?")
        shown = cli("run", out, "--data", data, code=2)
        assert f"SNN051: {name} is not what the manifest says" in shown.err
        (out / name).write_bytes(content)
    manifest = (out / "manifest.json").read_text()
    other = manifest.replace('"format": 1', '"format": 9')
    for broken in ("", "[]", "{}", manifest[:100], other, "[" * 100_000):
        (out / "manifest.json").write_text(broken)
        assert "error SNN051: " in cli("run", out, "--data", data, code=2).err
    (out / "manifest.json").write_text(manifest.replace('"network.sir":', '"../d.npz":'))
    assert "outside of the bundle" in cli("run", out, "--data", data, code=2).err
    assert "error SNN051: " in cli("run", tmp_path / "none", "--data", data, code=2).err


def test_more_steps_than_compiled(cli: Cli, tmp_path: Path) -> None:
    model, data, out = mlp(tmp_path), samples(tmp_path / "d.npz", (4,)), tmp_path / "out"
    cli(model, "--calib", data, "--steps", "4", "-q", "-o", out)
    shown = cli("run", out, "--data", data, "--steps", "5", code=2)
    assert "steps is 5, should be 1 to 4" in shown.err


def test_verify_against_another_model(cli: Cli, tmp_path: Path) -> None:
    model, data, out = mlp(tmp_path), samples(tmp_path / "d.npz", (4,)), tmp_path / "out"
    cli(model, "--calib", data, "-q", "-o", out)
    other = tmp_path / "other"
    other.mkdir()
    changed = exponential(other)
    shown = cli("verify", out, "--model", changed, "--data", data)
    assert "gate.onnx is not the file that the bundle was compiled from" in shown.err
