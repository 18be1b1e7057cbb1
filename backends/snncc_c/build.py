"""Compiles the emitted C with the system's compiler, outside of the bundle."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from snncc_ir import fail

COMPILERS = ("cc", "gcc", "clang")
STANDARD = ("-std=c99", "-ffp-contract=off")
FAST = ("-O3",)
NATIVE = "-march=native"


def compiler() -> list[str]:
    """The command of the C compiler: $CC, or the first that is found; raises SNN052."""
    chosen = shlex.split(os.environ.get("CC", ""))
    if chosen and shutil.which(chosen[0]):
        return chosen
    for name in COMPILERS:
        if shutil.which(name):
            return [name]
    raise fail(
        "SNN052",
        "no C compiler is found, so the C simulator cannot be built",
        hint="install gcc or clang, or set CC",
    )


def build(folder: Path, executable: Path, flags: Sequence[str] | None = None) -> str:
    """Compiles all .c files of `folder`; returns the compiler's command, for people.

    flags: in place of optimization for this machine. Raises SNN052 with what the compiler says.
    """
    command = compiler()
    sources = sorted(str(path) for path in folder.glob("*.c"))
    attempts = [(*FAST, NATIVE), FAST] if flags is None else [tuple(flags)]
    message = ""
    for attempt in attempts:
        line = [*command, *STANDARD, *attempt, "-o", str(executable), *sources, "-lm"]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return " ".join([*command, *attempt])
        message = done.stderr.strip()
    raise fail(
        "SNN052",
        f"the C compiler fails: {message[:2000]}",
        " ".join(command),
        "try another compiler with CC=…",
    )
