"""Damaged files, in a process with limits: a diagnostic or a bundle, within its memory and time."""

import json
import os
import subprocess
import sys

from tests.conftest import ROOT

MUTANTS = 156
"""Twelve of each kind; `python -m tests.fuzz.run` makes as many as one likes."""
SPEND = 1500
"""Megabytes that the process may have needed at its worst."""


def test_mutants_of_the_corpus() -> None:
    models = sorted((ROOT / "tests" / "corpus").glob("*/*.onnx"))
    assert models
    command = [sys.executable, "-m", "tests.fuzz.run", "--count", str(MUTANTS), *map(str, models)]
    sources = [str(ROOT / folder) for folder in (".", "ir", "backends", "templates")]
    ran = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sources)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout, ran.stderr
    found = json.loads(ran.stdout)
    assert not found["failures"], "\n".join(found["failures"])
    assert found["peak MB"] < SPEND
    assert sum(found["outcomes"].values()) == MUTANTS
    # files that are taken, files that are no files, and graphs that are no graphs
    assert {"compiled", "SNN001", "SNN002", "SNN004"} <= found["outcomes"].keys()
