"""Compiles mutants of models under limits of memory and time; prints what became of them.

python -m tests.fuzz.run --seed 0 --count 100 [--keep FOLDER] MODEL.onnx…

The process is held to so many bytes of address space, and each mutant to so many seconds. Anything
but a bundle or an `SnnccError` is printed with its traceback and the mutant's number, and the exit
code is 1. `--keep` writes such mutants.
"""

import argparse
import json
import random
import resource
import signal
import tempfile
import traceback
import warnings
from collections import Counter
from pathlib import Path
from types import FrameType

from snncc import compile as compile_model
from snncc_ir import SnnccError
from tests.fuzz.mutations import MUTATIONS

GIGABYTES = 4
SECONDS = 30


class TooLongError(BaseException):
    """A mutant took more than its seconds; no library may catch this."""


def _out_of_time(number: int, frame: FrameType | None) -> None:
    raise TooLongError


def outcome(path: Path) -> str:
    """A code of a diagnostic, or `compiled`; raises what a user must never see."""
    try:
        compile_model(path, target="c", calibrate="off", steps=4)
    except SnnccError as error:
        text = str(error)
        if "Traceback" in text or not all(d.message for d in error.diagnostics):
            raise AssertionError(f"a diagnostic without a message: {text}") from None
        return error.diagnostics[0].code
    return "compiled"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    limit = GIGABYTES << 30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGALRM, _out_of_time)
    warnings.simplefilter("ignore")
    found: Counter[str] = Counter()
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        for number in range(options.count):
            kind = list(MUTATIONS)[number % len(MUTATIONS)]
            model = chance.choice(options.models)
            path.write_bytes(MUTATIONS[kind](model.read_bytes(), chance))
            signal.alarm(SECONDS)
            try:
                found[outcome(path)] += 1
            except BaseException:
                failures.append(f"{number} ({kind} of {model.name}): {traceback.format_exc()}")
                if options.keep:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    kept = options.keep / f"{options.seed}-{number}.onnx"
                    kept.write_bytes(path.read_bytes())
            finally:
                signal.alarm(0)
    # of this process alone; what getrusage says starts with the size of its parent
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.split("VmHWM:")[1].split()[0]) // 1024
    print(json.dumps({"outcomes": found, "peak MB": peak, "failures": failures}, indent=1))
    raise SystemExit(1 if failures else 0)


if __name__ == "__main__":
    main()
