"""C programs that run samples: compiled with the system's compiler, one process for each core."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from snncc_backends.objects import object_of
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


def build(
    sources: Sequence[Path],
    executable: Path,
    flags: Sequence[str] | None = None,
    fixed: Mapping[Path, Sequence[Path]] | None = None,
) -> str:
    """Compiles C sources; returns the compiler's command, for people.

    flags: in place of optimization for this machine. fixed: further sources, the same in many
    executables, each with the headers that it includes: they are compiled once
    (objects.py). Raises SNN052 with what the compiler says.
    """
    command = compiler()
    attempts = [(*FAST, NATIVE), FAST] if flags is None else [tuple(flags)]
    message = ""
    for attempt in attempts:
        line = (*command, *STANDARD, *attempt)
        try:
            each = (fixed or {}).items()
            with ThreadPoolExecutor() as pool:
                made = [pool.submit(object_of, source, h, line) for source, h in each]
                objects = [str(object_.result()) for object_ in made]
            files = [*map(str, sources), *objects]
            _compile([*line, "-o", str(executable), *files, "-lm", "-lpthread"])
            return " ".join([*command, *attempt])
        except subprocess.CalledProcessError as error:
            message = error.stderr.strip()
    raise fail(
        "SNN052",
        f"the C compiler fails: {message[:2000]}",
        " ".join(command),
        "another compiler, such as CC=clang",
    )


def _compile(line: Sequence[str]) -> None:
    subprocess.run(line, capture_output=True, text=True, check=True)


@dataclass(frozen=True)
class Part:
    """Samples first … first + count − 1, run by one process."""

    first: int
    count: int


def parts(count: int, most: int, processes: int) -> list[Part]:
    """`count` samples in parts of at most `most`, few enough that all processes have work."""
    size = max(1, min(most, -(-count // processes)))
    return [Part(first, min(size, count - first)) for first in range(0, count, size)]


def run_parts(
    commands: Mapping[Part, Sequence[str]],
    processes: int,
    progress: Callable[[int], None] | None,
) -> None:
    """Runs a command for each part, so many at a time; raises SNN052 when one fails."""
    waiting, running = dict(commands), dict[Part, "subprocess.Popen[str]"]()
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                part = next(iter(waiting))
                running[part] = subprocess.Popen(
                    waiting.pop(part), stderr=subprocess.PIPE, text=True
                )
            part, process = next(iter(running.items()))
            _, message = process.communicate()
            del running[part]
            if process.returncode:
                raise fail(
                    "SNN052",
                    f"the simulator stopped with code {process.returncode}: {message.strip()}",
                    hint="is there room in the temporary folder?",
                )
            if progress:
                progress(part.count)
    finally:
        for process in running.values():
            process.kill()
            process.communicate()
