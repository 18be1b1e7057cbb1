"""The simulator of core maps as a process: input numbers in, spikes, potentials and counts out."""

import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snncc_backends import Part, build, parts, run_parts
from snncc_ir import Integers, SnnccError, cores, fail
from snncc_loihi.chip import Chip, Costs
from snncc_loihi.core_map import CoreMap
from snncc_loihi.flat import flatten

FOLDER = "simulator"
SOURCES = ("main.c", "loihi_map.c", "loihi_machine.c")
SAMPLES_A_PROCESS = 32
RECORDED_A_PROCESS = 4
COUNTERS = (
    "spikes", "payload", "synapses_dense", "synapses_sparse", "updates_idle", "updates_active",
    "messages_in_tile", "messages_remote", "received", "hops_x", "hops_y", "chip_links", "host",
)  # fmt: skip
"""What is counted in a sample, in the order of `simulator/loihi_machine.h`."""


@dataclass(frozen=True)
class Wanted:
    """What to write down. Compartments are numbered over all cores.

    readouts: compartments whose potentials are wanted after each of `rows` steps, from
    `readout_steps` on. spike_bytes: of a sample; spike_at: (compartments) where the payload of its
    first step at work goes, −1 where it is not wanted; spike_next: how far that of the next is.
    """

    readouts: Integers
    readout_steps: Integers
    rows: int
    spike_bytes: int = 0
    spike_at: Integers | None = None
    spike_next: Integers | None = None

    def content(self) -> bytes:
        """The file of probes; `main.c` has its format."""
        numbers = [len(self.readouts), self.rows, self.spike_bytes]
        content = np.array(numbers, "<i8").tobytes()
        content += self.readouts.astype("<i4").tobytes()
        content += self.readout_steps.astype("<i4").tobytes()
        if self.spike_at is not None and self.spike_next is not None:
            content += self.spike_at.astype("<i8").tobytes()
            content += self.spike_next.astype("<i4").tobytes()
        return content


@dataclass(frozen=True)
class Simulated:
    """Of N samples. potentials: raw, (N, rows, readouts). counts: (N, groups, counters). time:
    picoseconds, (N). spikes: payloads, (N, spike_bytes)."""

    potentials: Integers
    counts: Integers
    time: Integers
    spikes: NDArray[np.int8]


def build_simulator(executable: Path, flags: Sequence[str] | None = None) -> str:
    """Compiles the C program; returns the compiler's command. Raises SNN052."""
    with as_file(files("snncc_loihi") / FOLDER) as folder:
        headers = sorted(path for path in folder.iterdir() if path.suffix == ".h")
        sources = dict.fromkeys([folder / name for name in SOURCES], headers)
        return build((), executable, flags, sources)


class Simulator:
    """The simulator with one map. Its executable lives as long as the object."""

    def __init__(
        self,
        core_map: CoreMap,
        chip: Chip,
        costs: Costs,
        inputs: int,
        place: str,
        processes: int | None = None,
        flags: Sequence[str] | None = None,
        executable: Path | None = None,
    ) -> None:
        """inputs: numbers of a sample. flags: for the compiler, in place of its optimizing ones.
        executable: a simulator that is compiled already.

        Raises SNN060 for a map that cannot be run, SNN052 when there is no C compiler.
        """
        self._place, self._processes = place, processes or cores()
        flat = flatten(core_map, chip, costs, inputs, place)
        self.groups = flat.groups
        """(groups, 2): core and population of each group that is counted by itself."""
        self._work = Path(tempfile.mkdtemp(prefix="snncc-loihi-"))
        weakref.finalize(self, shutil.rmtree, self._work, ignore_errors=True)
        self._map = self._work / "map.flat"
        self._map.write_bytes(flat.content)
        self._executable, self.command = executable or self._work / "loihi", ""
        if executable is None:
            self.command = build_simulator(self._executable, flags)

    def run(
        self,
        numbers: Integers,
        steps: int,
        window: int,
        wanted: Wanted,
        progress: Callable[[int], None] | None = None,
    ) -> Simulated:
        """numbers: of the inputs, (N, inputs). steps: of the chip. window: those at work.

        Raises SNN060 when a number leaves its range, which compilation rules out.
        """
        with tempfile.TemporaryDirectory(prefix="run-", dir=self._work) as name:
            folder = Path(name)
            numbers.astype("<i4").tofile(folder / "input")
            (folder / "probes").write_bytes(wanted.content())
            most = RECORDED_A_PROCESS if wanted.spike_bytes else SAMPLES_A_PROCESS
            split = parts(len(numbers), most, self._processes)
            commands = {part: self._command(part, folder, steps, window) for part in split}
            try:
                run_parts(commands, self._processes, progress)
            except SnnccError:
                self._explain(folder)
                raise
            paths = [folder / str(part.first) for part in split]
            shape = (len(numbers), wanted.rows, len(wanted.readouts))
            counts = (len(numbers), len(self.groups), len(COUNTERS))
            return Simulated(
                _load(paths, "output", "<i4").astype(np.int64).reshape(shape),
                _load(paths, "counts", "<i8").reshape(counts),
                _load(paths, "times", "<i8"),
                _load(paths, "spikes", "|i1").reshape(len(numbers), -1),
            )

    def _command(self, part: Part, folder: Path, steps: int, window: int) -> list[str]:
        command = [
            str(self._executable), str(self._map), "--input", str(folder / "input"),
            "--probes", str(folder / "probes"), "--first", str(part.first),
            "--count", str(part.count), "--steps", str(steps), "--window", str(window),
        ]  # fmt: skip
        for name in ("output", "counts", "times", "spikes", "errors"):
            command += [f"--{name}", str(folder / f"{part.first}.{name}")]
        return command

    def _explain(self, folder: Path) -> None:
        for path in sorted(folder.glob("*.errors")):
            raise fail(
                "SNN060", path.read_text(), self._place, "compile the network anew"
            ) from None


def _load(paths: list[Path], what: str, kind: str) -> "NDArray[np.signedinteger]":
    return np.concatenate([np.fromfile(f"{path}.{what}", kind) for path in paths])
