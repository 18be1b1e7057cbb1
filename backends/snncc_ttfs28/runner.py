"""Runs an image in the emulator: integers of samples in, memories and counts out."""

import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snncc_backends import (
    Estimate,
    Execution,
    Part,
    Runner,
    build,
    checked_steps,
    parts,
    run_parts,
)  # fmt: skip
from snncc_ir import Array, Batch, FirstSpike, Graph, Integers, Spikes, cores, fail, spike_train
from snncc_ir.ops import Input, Output
from snncc_ttfs28.energy import estimate
from snncc_ttfs28.image import Map
from snncc_ttfs28.machine import COUNTERS, Machine, parse_machine
from snncc_ttfs28.reader import read_image

SAMPLES_A_PROCESS = 64
EMULATOR = "emulator"
SOURCES = ("main.c", "ttfs28_image.c", "ttfs28_machine.c")
DESCRIPTION = "machine.json"


class ImageRunner(Runner):
    """The emulator with one image. Its executable lives as long as the object.

    The graph only names and shapes what comes out: the image runs alone.
    """

    def __init__(
        self,
        image: Path,
        graph: Graph,
        processes: int | None = None,
        flags: Sequence[str] | None = None,
        emulator: Path | None = None,
    ) -> None:
        """image: the file. flags: for the compiler, in place of its optimizing ones. emulator: one
        that is compiled already.

        Raises SNN060 for an image that is damaged, SNN052 when there is no C compiler.
        """
        self._graph, self._path = graph, image
        self._image = read_image(image.read_bytes(), str(image))
        self._machine = _machine_beside(image, self._image.machine_hash)
        self._processes = processes or cores()
        self._work = Path(tempfile.mkdtemp(prefix="snncc-ttfs28-"))
        weakref.finalize(self, shutil.rmtree, self._work, ignore_errors=True)
        self._executable = emulator or self._work / "ttfs28"
        self.description = "ttfs28 emulator"
        if emulator is None:
            with as_file(files("snncc_ttfs28") / EMULATOR) as folder:
                headers = sorted(path for path in folder.iterdir() if path.suffix == ".h")
                sources = dict.fromkeys([folder / name for name in SOURCES], headers)
                command = build((), self._executable, flags, sources)
            self.description = f"ttfs28 emulator ({command})"
        self._check()

    def _check(self) -> None:
        """Raises SNN060 when the emulator refuses the image: its schedule contradicts itself."""
        line = [str(self._executable), str(self._path), "--check"]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode:
            raise fail("SNN060", done.stderr.strip(), str(self._path), "compile the network anew")

    def run(
        self,
        samples: Batch,
        steps: int | None = None,
        record: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Execution:
        checked_steps(self._graph, steps)
        count = len(next(iter(samples.values())))
        with tempfile.TemporaryDirectory(prefix="run-", dir=self._work) as name:
            folder = Path(name)
            np.save(folder / "input.npy", self._input(samples, count))
            split = parts(count, SAMPLES_A_PROCESS, self._processes)
            commands = {part: self._command(part, folder, record) for part in split}
            run_parts(commands, self._processes, progress)
            return self._collect([folder / str(part.first) for part in split], record)

    def estimate(self, execution: Execution) -> Estimate | None:
        return estimate(self._machine, execution.activity) if self._machine else None

    def _command(self, part: Part, folder: Path, record: bool) -> list[str]:
        command = [
            str(self._executable), str(self._path), "--input", str(folder / "input.npy"),
            "--first", str(part.first), "--count", str(part.count),
            "--output", str(folder / f"{part.first}.output.npy"),
            "--counts", str(folder / f"{part.first}.counts.npy"),
        ]  # fmt: skip
        if record or self._spiking_outputs:
            command += ["--spikes", str(folder / f"{part.first}.spikes.npy")]
        return command

    @property
    def _spiking_outputs(self) -> list[str]:
        sources = [self._graph[node.inputs[0]] for node in self._graph.outputs]
        return [node.name for node in sources if isinstance(node.type, Spikes)]

    def _input(self, samples: Batch, count: int) -> NDArray[np.int16]:
        """The input memory of each sample: (N, input cells)."""
        memory = np.zeros((count, self._image.parameters.input_cells), np.int16)
        for node in self._graph.inputs:
            if isinstance(node.op, Input):
                numbers = node.op.quantize(samples[node.name].astype(np.float64))
                memory[:, _cells(self._maps[node.name])] = numbers.reshape(count, -1)
        return memory

    @property
    def _maps(self) -> Mapping[str, Map]:
        return {self._image.names[each.name]: each for each in self._image.maps}

    def _collect(self, files: list[Path], record: bool) -> Execution:
        code = self._graph.code
        if not isinstance(code, FirstSpike):
            raise AssertionError("an image is made of a network in the ttfs code")
        nodes = [node for node in self._graph if not isinstance(node.op, Output)]
        output = _load(files, "output")
        counts = _load(files, "counts").astype(np.int64)
        memory = _load(files, "spikes") if record or self._spiking_outputs else output[:, :0]
        totals: dict[str, Integers] = {}
        for node in self._graph.outputs:
            source = self._graph[node.inputs[0]]
            where = memory if isinstance(source.type, Spikes) else output
            cells = where[:, _cells(self._maps[source.name])].astype(np.int64)
            totals[source.name] = cells.reshape(len(cells), 1, *source.type.shape)
        activity = {
            name: {counter: counts[:, i, c] for c, counter in enumerate(COUNTERS)}
            for i, name in enumerate(self._image.names)
        }
        spikes: dict[str, NDArray[np.int8]] = {}
        if record:
            for node in nodes:
                if isinstance(node.type, Spikes):
                    slots = memory[:, _cells(self._maps[node.name])].astype(np.int64)
                    spikes[node.name] = spike_train(slots.reshape(-1, *node.type.shape), code)
        return Execution(
            code.results,
            totals,
            {n.name: activity[n.name]["spikes"] for n in nodes if isinstance(n.type, Spikes)},
            {
                n.name: activity[n.name]["synaptic_operations"]
                for n in nodes
                if n.op.name == "population"
            },
            spikes,
            activity,
        )


def _machine_beside(image: Path, expected: bytes) -> Machine | None:
    """The description beside an image, if there is one; raises SNN060 when it is another's."""
    path = image.parent / DESCRIPTION
    if not path.is_file():
        return None
    machine = parse_machine(path.read_bytes(), str(path))
    if machine.digest != expected:
        raise fail(
            "SNN060",
            f"header at byte 32: the image was made for another machine than '{machine.name}'",
            str(path),
            "compile the network anew",
        )
    return machine


def _cells(where: Map) -> slice:
    return slice(where.address, where.address + int(np.prod(where.shape)))


def _load(files: list[Path], what: str) -> Array:
    return np.concatenate([np.load(f"{path}.{what}.npy") for path in files])
