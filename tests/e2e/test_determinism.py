"""Two compilations, in other folders, processes, hash seeds and thread counts: the same bytes."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def compile_in(folder: Path, model: Path, seed: str, one_processor: bool) -> dict[str, bytes]:
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
    command = [
        sys.executable, "-c", code, str(model / "digits.onnx"), "--calib",
        str(model / "calib.npz"), "--scale", "1/16", "--steps", "16", "-q", "-o", "bundle",
    ]  # fmt: skip
    subprocess.run(command, cwd=folder, env=environment, check=True)
    bundle = folder / "bundle"
    return {
        str(path.relative_to(bundle)): path.read_bytes()
        for path in sorted(bundle.rglob("*"))
        if path.is_file()
    }


def test_same_input_same_bytes(tmp_path: Path, digits: Path) -> None:
    first = compile_in(tmp_path / "a", digits, "1", one_processor=True)
    second = compile_in(tmp_path / "somewhere else", digits, "2", one_processor=False)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    joined = b"".join(first.values())
    assert str(tmp_path).encode() not in joined
    assert os.environ.get("USER", "nobody-here").encode() not in first["manifest.json"]
