"""Two compilations, in other folders, processes, hash seeds and thread counts: the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


def compile_in(
    folder: Path, arguments: list[str], seed: str, one_processor: bool
) -> dict[str, bytes]:
    folder.mkdir()
    roots = [ROOT, ROOT / "ir", ROOT / "backends", ROOT / "templates"]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, roots)),
        "PYTHONHASHSEED": seed,
        "OMP_NUM_THREADS": "1" if one_processor else "2",
        "OPENBLAS_NUM_THREADS": "1" if one_processor else "2",
    }
    # onnxruntime sizes its thread pool by the processors that the process may use
    pin = "import os; os.sched_setaffinity(0, {0}); " if one_processor else ""
    if not hasattr(os, "sched_setaffinity"):
        pin = ""
    code = f"{pin}from snncc.cli import main; main()"
    command = [sys.executable, "-c", code, *arguments, "-q", "-o", "bundle"]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    bundle = folder / "bundle"
    return {
        str(path.relative_to(bundle)): path.read_bytes()
        for path in sorted(bundle.rglob("*"))
        if path.is_file()
    }


def same(tmp_path: Path, arguments: list[str]) -> None:
    first = compile_in(tmp_path / "a", arguments, "1", one_processor=True)
    second = compile_in(tmp_path / "somewhere else", arguments, "2", one_processor=False)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    joined = b"".join(first.values())
    assert str(tmp_path).encode() not in joined
    assert os.environ.get("USER", "nobody-here").encode() not in first["manifest.json"]


def digits_arguments(digits: Path) -> list[str]:
    files = [str(digits / "digits.onnx"), "--calib", str(digits / "calib.npz")]
    return [*files, "--scale", "1/16"]


@pytest.mark.parametrize(
    "target",
    [
        ["--steps", "16"],
        ["--coding", "radix"],
        ["--target", "ttfs28"],
        ["--target", "loihi", "--chip", "loihi1", "--steps", "8"],
    ],
)
def test_same_input_same_bytes(tmp_path: Path, digits: Path, target: list[str]) -> None:
    same(tmp_path, [*digits_arguments(digits), *target])


def test_calibration_on_many_samples(
    tmp_path: Path, shared_models: Path, shared_data: Path
) -> None:
    """Where a last bit of a sum of 10^5 numbers would decide a weight, and all after it."""
    same(
        tmp_path,
        [
            str(shared_models / "mlperf_tiny_resnet8.onnx"), "--target", "ttfs28",
            "--calib", str(shared_data / "cifar10_calib.npz"),
        ],
    )  # fmt: skip
