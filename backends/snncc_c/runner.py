"""Runs the compiled simulator: samples to .npy, one process for each core, results back."""

import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snncc_backends import Execution, Part, Runner, build, checked_steps, parts, run_parts
from snncc_c.emit import FOLDER
from snncc_ir import Array, Batch, FirstSpike, Graph, Integers, Spikes, cores, spike_train
from snncc_ir.ops import Output

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
        command = build(sorted((folder / FOLDER).glob("*.c")), self._executable, flags)
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
            split = parts(count, most, self._processes)
            commands = {part: self._command(part, folder, steps, record) for part in split}
            run_parts(commands, self._processes, progress)
            files = [folder / f"{part.first}" for part in split]
            return self._collect(files, steps, record)

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

    def _collect(self, files: list[Path], steps: int, record: bool) -> Execution:
        nodes = [node for node in self._graph if not isinstance(node.op, Output)]
        spiking = {node.name: node.type.shape for node in nodes if isinstance(node.type, Spikes)}
        sources = dict.fromkeys(node.inputs[0] for node in self._graph.outputs)
        totals = _split(
            _load(files, "output").astype(np.int64),
            {name: self._graph[name].type.shape for name in sources},
        )
        counts = _load(files, "counts").astype(np.int64)
        spike_counts: dict[str, Integers] = {}
        operations: dict[str, Integers] = {}
        for i, node in enumerate(nodes):
            if node.name in spiking:
                spike_counts[node.name] = counts[:, 0, i]
            if node.op.name == "population":
                operations[node.name] = counts[:, 1, i]
        spikes: Mapping[str, NDArray[np.int8]] = {}
        code = self._graph.code
        if record:
            spikes = {
                name: spike_train(train[:, 0], code)
                if isinstance(code, FirstSpike)
                else train.astype(np.int8)
                for name, train in _split(_load(files, "spikes"), spiking).items()
            }
        return Execution(steps, totals, spike_counts, operations, spikes)


def _load(files: list[Path], what: str) -> NDArray[np.signedinteger]:
    return np.concatenate([np.load(f"{path}.{what}.npy") for path in files])


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
