"""Runs the compiled simulator: samples to .npy, one process for each core, results back."""

import os
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snncc_backends import Execution, Runner, checked_steps
from snncc_c.build import build
from snncc_c.emit import FOLDER
from snncc_ir import Array, Batch, Graph, Integers, Spikes, fail
from snncc_ir.ops import Output

SAMPLES_A_PROCESS = 64
"""Fewer when there are few samples, so that all cores have work and the progress bar moves."""
RECORDED_A_PROCESS = 8


@dataclass(frozen=True)
class _Job:
    """One process over some samples."""

    first: int
    count: int
    folder: Path


class CRunner(Runner):
    """The simulator of one bundle. Its executable lives as long as the object."""

    def __init__(
        self,
        folder: Path,
        graph: Graph,
        processes: int | None = None,
        flags: Sequence[str] | None = None,
    ) -> None:
        """folder: of the bundle. flags: for the compiler, in place of its optimizing ones.

        Raises SNN052 when the files cannot be compiled.
        """
        self._graph = graph
        self._processes = processes or os.cpu_count() or 1
        self._work = Path(tempfile.mkdtemp(prefix="snncc-c-"))
        weakref.finalize(self, shutil.rmtree, self._work, ignore_errors=True)
        self._executable = self._work / "model"
        command = build(folder / FOLDER, self._executable, flags)
        weights = folder / FOLDER / "weights.bin"
        self._options = ["--weights", str(weights)] if weights.exists() else []
        self.description = f"C simulator ({command})"

    def run(
        self,
        samples: Batch,
        steps: int | None = None,
        record: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Execution:
        steps = checked_steps(self._graph, steps)
        count = len(next(iter(samples.values())))
        with tempfile.TemporaryDirectory(prefix="run-", dir=self._work) as name:
            folder = Path(name)
            rows = [samples[node.name].reshape(count, -1) for node in self._graph.inputs]
            joined = np.concatenate(rows, axis=1).astype("<f4")
            np.save(folder / "input.npy", np.ascontiguousarray(joined))
            most = RECORDED_A_PROCESS if record else SAMPLES_A_PROCESS
            size = max(1, min(most, -(-count // self._processes)))
            jobs = [
                _Job(first, min(size, count - first), folder) for first in range(0, count, size)
            ]
            self._run_jobs(jobs, steps, record, progress)
            return self._collect(jobs, steps, record)

    def _run_jobs(
        self,
        jobs: list[_Job],
        steps: int,
        record: bool,
        progress: Callable[[int], None] | None,
    ) -> None:
        waiting, running = list(jobs), dict[_Job, subprocess.Popen[str]]()
        try:
            while waiting or running:
                while waiting and len(running) < self._processes:
                    job = waiting.pop(0)
                    running[job] = self._start(job, steps, record)
                job, process = next(iter(running.items()))
                _, message = process.communicate()
                del running[job]
                if process.returncode:
                    raise fail(
                        "SNN052",
                        f"the simulator stopped with code {process.returncode}: {message.strip()}",
                        hint="is there room in the temporary folder?",
                    )
                if progress:
                    progress(job.count)
        finally:
            for process in running.values():
                process.kill()
                process.communicate()

    def _start(self, job: _Job, steps: int, record: bool) -> "subprocess.Popen[str]":
        command = [
            str(self._executable), "--input", str(job.folder / "input.npy"), "--trace",
            "--steps", str(steps), "--first", str(job.first), "--count", str(job.count),
            "--output", str(job.folder / f"{job.first}.output.npy"),
            "--counts", str(job.folder / f"{job.first}.counts.npy"), *self._options,
        ]  # fmt: skip
        if record:
            command += ["--spikes", str(job.folder / f"{job.first}.spikes.npy")]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def _collect(self, jobs: list[_Job], steps: int, record: bool) -> Execution:
        nodes = [node for node in self._graph if not isinstance(node.op, Output)]
        spiking = {node.name: node.type.shape for node in nodes if isinstance(node.type, Spikes)}
        sources = dict.fromkeys(node.inputs[0] for node in self._graph.outputs)
        totals = _split(
            _load(jobs, "output").astype(np.int64),
            {name: self._graph[name].type.shape for name in sources},
        )
        counts = _load(jobs, "counts").astype(np.int64)
        spike_counts: dict[str, Integers] = {}
        operations: dict[str, Integers] = {}
        for i, node in enumerate(nodes):
            if node.name in spiking:
                spike_counts[node.name] = counts[:, 0, i]
            if node.op.name == "population":
                operations[node.name] = counts[:, 1, i]
        spikes: Mapping[str, NDArray[np.int8]] = {}
        if record:
            spikes = {
                name: train.astype(np.int8)
                for name, train in _split(_load(jobs, "spikes"), spiking).items()
            }
        return Execution(steps, totals, spike_counts, operations, spikes)


def _load(jobs: list[_Job], what: str) -> NDArray[np.signedinteger]:
    return np.concatenate([np.load(job.folder / f"{job.first}.{what}.npy") for job in jobs])


def _split(
    joined: NDArray[np.signedinteger], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, Integers]:
    """(N, T, all) into (N, T, *shape) by name."""
    parts: dict[str, Integers] = {}
    start = 0
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        part: Array = joined[:, :, start : start + size].reshape(*joined.shape[:2], *shape)
        parts[name] = part.astype(np.int64)
        start += size
    return parts
