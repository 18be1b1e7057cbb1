"""Hashes of what a backend emits, told by another process: `python -m snncc.testing.emitted`.

stdin: `{"backend": NAME, "options": {…}, "cases": [[coding, neuron, name], …], "after": seconds}`,
where nothing is emitted until that second is over. stdout: for each case, files and SHA-256.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from snncc.testing.cases import Case, Options, attempts
from snncc.testing.checks import wrong
from snncc_backends import backend
from snncc_backends.bundle import digest

OTHER_SEEDS = ("12345", "54321")
SHOWN = 2000


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 by file name."""
    return {name: digest(content) for name, content in files.items()}


def emitted_elsewhere(
    name: str, cases: Sequence[Case], options: Options, folder: Path
) -> list[dict[str, str]]:
    """What another process emits, in another folder, second, and with another hash seed."""
    asked = {
        "backend": name,
        "options": dict(options),
        "cases": [[case.coding, case.neuron, case.name] for case in cases],
        "after": int(time.time()),
    }
    seed = next(s for s in OTHER_SEEDS if s != os.environ.get("PYTHONHASHSEED"))
    paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
    done = subprocess.run(
        [sys.executable, "-m", "snncc.testing.emitted"],
        input=json.dumps(asked),
        cwd=folder,
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        wrong(f"another process does not emit: {done.stderr[-SHOWN:]}")
    found: list[dict[str, str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _main() -> None:
    asked = json.load(sys.stdin)
    chip = backend(asked["backend"])
    while int(time.time()) <= asked["after"]:
        time.sleep(0.05)
    found = []
    for coding, neuron, name in asked["cases"]:
        *_, last = attempts(chip, Case(coding, neuron, name), asked["options"])
        found.append(hashes(last.files))
    print(json.dumps(found))


if __name__ == "__main__":
    _main()
