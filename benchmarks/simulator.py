"""The simulator of a `c` bundle, compiled by the Makefile in it, and timed from outside.

Its program prints the time of simulation alone where it knows `--timing`. Where it does not, a run
of one sample is subtracted from the run, so that starting it and reading files is not counted.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

import snncc
from snncc.data import samples_for
from snncc_ir import Array

NATIVE = "-O3 -march=native"
TIMING = re.compile(r"seconds ([0-9.e+-]+)")


def compiler_version() -> str:
    """First line of what the C compiler says of itself; "" without one."""
    command = os.environ.get("CC", "cc").split()
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.splitlines()[0]


@dataclass
class Simulator:
    """A bundle's C program in a folder of its own. cflags: None for the Makefile's."""

    bundle: Path
    work: Path
    cflags: str | None = None
    executable: Path = field(init=False)

    def __post_init__(self) -> None:
        shutil.copytree(self.bundle / "c", self.work)
        given = [] if self.cflags is None else [f"CFLAGS={self.cflags}"]
        done = subprocess.run(
            ["make", "-s", "-C", str(self.work), *given], capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"make fails: {done.stderr.strip()}")
        self.executable = self.work / "model"

    @cached_property
    def help(self) -> str:
        return subprocess.run([self.executable, "--help"], capture_output=True, text=True).stdout

    def knows(self, option: str) -> bool:
        return re.search(rf"{option}\b", self.help) is not None

    def write_input(self, samples: Array) -> Path:
        """The .npy file that the program reads."""
        path = self.work / "input.npy"
        np.save(path, np.ascontiguousarray(samples.reshape(len(samples), -1), "<f4"))
        return path

    def command(self, first: int, count: int, steps: int | None = None) -> list[str]:
        """Runs samples of the file that `write_input` wrote."""
        line = [
            str(self.executable), "--input", str(self.work / "input.npy"),
            "--output", str(self.work / f"output-{first}.npy"),
            "--first", str(first), "--count", str(count),
        ]  # fmt: skip
        return line if steps is None else [*line, "--steps", str(steps)]

    def seconds(self, count: int, steps: int | None = None, threads: int = 1) -> float:
        """Of simulating the first `count` samples, at least 2 for each thread."""
        if self.knows("--timing") and (threads == 1 or self.knows("--threads")):
            line = [*self.command(0, count, steps), "--timing"]
            line += ["--threads", str(threads)] if self.knows("--threads") else []
            done = subprocess.run(line, capture_output=True, text=True, check=True)
            if found := TIMING.search(done.stderr):
                return float(found[1])
            raise SystemExit(f"--timing printed no seconds: {done.stderr.strip()}")
        share = count // threads
        tiny = _elapsed([self.command(0, 1, steps)] * 1)
        parts = [self.command(i * share, share, steps) for i in range(threads)]
        return max(_elapsed(parts) - tiny, 1e-9) * share / (share - 1)


def _elapsed(commands: Sequence[Sequence[str]]) -> float:
    """Seconds until all of these, started together, have ended."""
    start = time.perf_counter()
    running = [subprocess.Popen(line, stderr=subprocess.PIPE) for line in commands]
    for process in running:
        _, message = process.communicate()
        if process.returncode:
            raise SystemExit(f"the simulator stopped: {message.decode().strip()}")
    return time.perf_counter() - start


def samples_of(bundle: snncc.Bundle, data: snncc.Dataset) -> Array:
    """What the network takes, float32 (N, …), of a network of one input."""
    (samples,) = samples_for(bundle.graph, data, bundle.preprocessing).values()
    return samples
