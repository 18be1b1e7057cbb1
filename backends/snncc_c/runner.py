"""Runs the compiled simulator: samples to .npy, one process for each core, results back."""

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snncc_backends import (
    EarlyExit,
    Execution,
    Part,
    Runner,
    build,
    checked_steps,
    parts,
    run_parts,
)
from snncc_c.emit import FOLDER
from snncc_ir import (
    Array,
    Batch,
    Code,
    FirstSpike,
    Graph,
    Integers,
    Radix,
    Spikes,
    cores,
    digit_train,
    spike_train,
)  # fmt: skip
from snncc_ir.ops import EventInput, Output

RUNTIME_SOURCES = ("snncc_dense.c", "snncc_runtime.c")
"""The same for all networks."""
SAMPLES_A_PROCESS = 64
"""Fewer when there are few samples, so that all cores have work and the progress bar moves."""
RECORDED_A_PROCESS = 8


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
        self._processes = processes or cores()
        self._work = Path(tempfile.mkdtemp(prefix="snncc-c-"))
        weakref.finalize(self, shutil.rmtree, self._work, ignore_errors=True)
        self._executable = self._work / "model"
        sources = sorted((folder / FOLDER).glob("*.c"))
        runtime = [path for path in sources if path.name in RUNTIME_SOURCES]
        headers = sorted((folder / FOLDER).glob("snncc_*.h"))
        command = build(
            [path for path in sources if path not in runtime],
            self._executable,
            flags,
            dict.fromkeys(runtime, headers),
        )
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
        return self._run(samples, None, steps, record, progress)

    def run_until(
        self,
        samples: Batch,
        early_exit: EarlyExit,
        steps: int | None = None,
        record: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Execution:
        return self._run(samples, early_exit, steps, record, progress)

    def _run(
        self,
        samples: Batch,
        early_exit: EarlyExit | None,
        steps: int | None,
        record: bool,
        progress: Callable[[int], None] | None,
    ) -> Execution:
        steps = checked_steps(self._graph, steps)
        count = len(next(iter(samples.values())))
        with tempfile.TemporaryDirectory(prefix="run-", dir=self._work) as name:
            folder = Path(name)
            np.save(folder / "input.npy", _joined(self._graph, samples))
            most = RECORDED_A_PROCESS if record else SAMPLES_A_PROCESS
            split = parts(count, most, self._processes)
            commands = {
                part: self._command(part, folder, steps, record)
                + self._until(part, folder, early_exit)
                for part in split
            }
            run_parts(commands, self._processes, progress)
            files = [folder / f"{part.first}" for part in split]
            execution = self._collect(files, steps, record)
            if early_exit is None:
                return execution
            return replace(execution, steps_used=_load(files, "steps_used").astype(np.int64))

    def _command(self, part: Part, folder: Path, steps: int, record: bool) -> list[str]:
        command = [
            str(self._executable), "--input", str(folder / "input.npy"), "--trace",
            "--steps", str(steps), "--first", str(part.first), "--count", str(part.count),
            "--output", str(folder / f"{part.first}.output.npy"),
            "--counts", str(folder / f"{part.first}.counts.npy"), *self._options,
        ]  # fmt: skip
        if record:
            command += ["--spikes", str(folder / f"{part.first}.spikes.npy")]
        return command

    @staticmethod
    def _until(part: Part, folder: Path, early_exit: EarlyExit | None) -> list[str]:
        """The network may have a margin compiled in: all steps have to be asked for, too."""
        if early_exit is None:
            return ["--margin", "0"]
        return [
            "--margin", str(early_exit.margin), "--least-steps", str(early_exit.least_steps),
            "--steps-used", str(folder / f"{part.first}.steps_used.npy"),
        ]  # fmt: skip

    def _collect(self, files: list[Path], steps: int, record: bool) -> Execution:
        nodes = [node for node in self._graph if not isinstance(node.op, Output)]
        spiking = {node.name: node.type.shape for node in nodes if isinstance(node.type, Spikes)}
        sources = dict.fromkeys(node.inputs[0] for node in self._graph.outputs)
        totals = {
            name: total.astype(np.int64)
            for name, total in _split(
                _load(files, "output"),
                {name: self._graph[name].type.shape for name in sources},
            )
        }
        counts = _load(files, "counts").astype(np.int64)
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
                name: _train(sent, self._graph.code)
                for name, sent in _split(_load(files, "spikes"), spiking)
            }
        return Execution(steps, totals, spike_counts, operations, spikes)


def _joined(graph: Graph, samples: Batch) -> Array:
    """What the program reads: inputs' numbers, (N, all) float32, or events, (N, T, all) int8."""
    events = {node.name: node.op for node in graph.inputs if isinstance(node.op, EventInput)}
    if not events:
        rows = [samples[node.name].reshape(len(samples[node.name]), -1) for node in graph.inputs]
        return np.ascontiguousarray(np.concatenate(rows, axis=1), "<f4")
    trains = [op.sent(samples[name]) for name, op in events.items()]
    flat = [train.reshape(*train.shape[:2], -1) for train in trains]
    return np.ascontiguousarray(np.concatenate(flat, axis=2), "|i1")


def _train(sent: NDArray[np.signedinteger], code: Code | None) -> NDArray[np.int8]:
    """(N, T, *shape) from what the program wrote a step: spikes, or all slots, or all numbers."""
    match code:
        case FirstSpike():
            return spike_train(sent[:, 0].astype(np.int64), code)
        case Radix():
            return digit_train(sent[:, 0].astype(np.int64), code)
    return sent.astype(np.int8)


def _load(files: list[Path], what: str) -> NDArray[np.signedinteger]:
    return np.concatenate([np.load(f"{path}.{what}.npy") for path in files])


def _split(
    joined: NDArray[np.signedinteger], shapes: Mapping[str, tuple[int, ...]]
) -> Iterator[tuple[str, NDArray[np.signedinteger]]]:
    """(N, T, all) into (N, T, *shape) by name: views, as spikes are many."""
    start = 0
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        yield name, joined[:, :, start : start + size].reshape(*joined.shape[:2], *shape)
        start += size
