"""Runs a core map in the simulator, and reads what comes out in the network's own time."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snncc_backends import Estimate, Execution, Runner, checked_steps
from snncc_ir import Batch, Graph, Integers, Node, Rate, SnnccError, fail, why
from snncc_ir.ops import Input, Population
from snncc_loihi.binary import read_map
from snncc_loihi.checker import COUNTS, refuse, subject_of, violations
from snncc_loihi.chip import Chip, parse_chip
from snncc_loihi.core_map import CoreMap
from snncc_loihi.energy import CHIP, estimate
from snncc_loihi.members import delay, found_members, spikes
from snncc_loihi.simulation import COUNTERS, Simulated, Simulator, Wanted
from snncc_loihi.words import unpack

DESCRIPTION = "chip.json"
CORES = "cores.json"


class MapRunner(Runner):
    """The simulator with a bundle's map, and `chip.json` and `cores.json` beside it.

    The graph only names and shapes what comes out: the map runs alone.
    """

    def __init__(
        self,
        path: Path,
        graph: Graph,
        processes: int | None = None,
        flags: Sequence[str] | None = None,
        costs: str | None = None,
    ) -> None:
        """path: of the map. flags: for the compiler, in place of its optimizing ones. costs: name
        of a set of the chip's, in place of that in `cores.json`.

        Raises SNN060 for files that are damaged, do not fit each other or are beyond a limit of the
        chip, SNN042 for costs that
        the chip does not have, SNN052 when there is no C compiler.
        """
        self._graph, self._path = graph, path
        core_map = read_map(_read(path), str(path))
        self._cores = len(core_map.cores)
        self._compartments = sum(len(core.compartments) for core in core_map.cores)
        self._chip = _chip_of(path, core_map)
        self._names, self._unit, preset = _described(path)
        name = costs or preset or self._chip.default_costs
        if name not in self._chip.costs:
            raise fail(
                "SNN042",
                f"chip '{self._chip.name}' has no costs '{name}', should be one of "
                f"{', '.join(self._chip.costs)}",
                hint=f"{self._chip.default_costs}, the chip's default",
            )
        self._costs = self._chip.costs[name]
        sizes = [int(np.prod(node.type.shape)) for node in graph.inputs]
        self._inputs = sum(sizes)
        self._members = found_members(core_map, graph, self._names, str(path))
        self._checked_inputs(core_map)
        subject = subject_of(core_map, self._chip, graph)
        broken = violations(subject, COUNTS) or violations(subject)
        if broken:
            raise refuse(broken, "SNN060", str(path), "compile the network anew")
        self._simulator = Simulator(
            core_map, self._chip, self._costs, self._inputs, str(path), processes, flags
        )
        self.description = f"loihi simulator, {self._cores} cores ({self._simulator.command})"

    def run(
        self,
        samples: Batch,
        steps: int | None = None,
        record: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Execution:
        steps = checked_steps(self._graph, steps)
        recorded = [n.name for n in self._spiking if record or n.name in self._sources]
        wanted = self._wanted(steps, recorded)
        numbers = self._numbers(samples)
        chip_steps = steps + max(
            (self._members[name].first_step for name in self._members), default=0
        )
        found = self._simulator.run(numbers, chip_steps, steps, wanted, progress)
        trains = self._trains(found, recorded, steps)
        totals = {
            name: np.cumsum(trains[name], axis=1, dtype=np.int64) if name in trains else None
            for name in self._sources
        }
        potentials = self._potentials(found, steps)
        activity = self._activity(found, chip_steps)
        return Execution(
            steps,
            {name: potentials[name] if t is None else t for name, t in totals.items()},
            {node.name: activity[node.name]["payload"] for node in self._spiking},
            {
                node.name: activity[node.name]["synapses_dense"]
                + activity[node.name]["synapses_sparse"]
                for node in self._graph
                if isinstance(node.op, Population)
            },
            trains if record else {},
            activity,
        )

    def estimate(self, execution: Execution) -> Estimate | None:
        return estimate(self._chip, self._costs, execution.activity)

    def core_activity(self, samples: Batch, steps: int | None = None) -> dict[str, Integers]:
        """By counter, (N, cores): what each core does in a sample."""
        steps = checked_steps(self._graph, steps)
        chip_steps = steps + max(self._members[name].first_step for name in self._members)
        found = self._simulator.run(
            self._numbers(samples), chip_steps, steps, self._wanted(steps, [])
        )
        total = np.zeros((len(found.counts), self._cores, len(COUNTERS)), np.int64)
        for group, (core, _) in enumerate(self._simulator.groups):
            total[:, core] += found.counts[:, group]
        return {counter: total[:, :, i] for i, counter in enumerate(COUNTERS)}

    @property
    def _sources(self) -> list[str]:
        """Nodes that outputs read."""
        return list(dict.fromkeys(node.inputs[0] for node in self._graph.outputs))

    @property
    def _spiking(self) -> list[Node]:
        return [self._graph[name] for name in self._names if spikes(self._graph[name])]

    @property
    def _readouts(self) -> list[str]:
        return [name for name in self._sources if not spikes(self._graph[name])]

    def _refuse(self, message: str, place: str | None = None) -> SnnccError:
        return fail("SNN060", message, place or str(self._path), "compile the network anew")

    def _numbers(self, samples: Batch) -> Integers:
        """What the chip gets, (N, inputs): all inputs in the order of the graph, row-major."""
        count = len(next(iter(samples.values())))
        rows = [
            node.op.quantize(samples[node.name].astype(np.float64)).reshape(count, -1)
            for node in self._graph.inputs
            if isinstance(node.op, Input)
        ]
        return np.concatenate(rows, axis=1)

    def _checked_inputs(self, core_map: CoreMap) -> None:
        for kind, words in (
            ("host_axon", core_map.host_axons),
            ("host_bias", core_map.host_biases),
        ):
            numbers = unpack(kind, words)["input"]
            if numbers.size and numbers.max() >= self._inputs:
                raise self._refuse(
                    f"the host sends input {numbers.max()}, should be below {self._inputs}"
                )
        code = self._graph.code
        if not isinstance(code, Rate) or code.steps != core_map.steps:
            raise self._refuse(
                f"the map has {core_map.steps} time steps, should have those of the network"
            )

    def _wanted(self, steps: int, recorded: Sequence[str]) -> Wanted:
        readouts = [self._members[name].compartments for name in self._readouts]
        first = [
            np.full(self._members[name].size, self._members[name].first_step)
            for name in self._readouts
        ]
        empty = np.zeros(0, np.int64)
        columns = (np.concatenate([empty, *readouts]), np.concatenate([empty, *first]))
        total = steps * sum(self._members[name].size for name in recorded)
        if not total:
            return Wanted(*columns, steps)
        count = self._compartments
        at, after = np.full(count, -1), np.zeros(count, np.int64)
        start = 0
        for name in recorded:
            members = self._members[name]
            at[members.compartments] = start + np.arange(members.size)
            after[members.compartments] = members.size
            start += steps * members.size
        return Wanted(*columns, steps, total, at, after)

    def _trains(
        self, found: Simulated, recorded: Sequence[str], steps: int
    ) -> dict[str, NDArray[np.int8]]:
        trains, start = {}, 0
        for name in recorded:
            size = steps * self._members[name].size
            part = found.spikes[:, start : start + size]
            trains[name] = part.reshape(len(part), steps, *self._graph[name].type.shape)
            start += size
        return trains

    def _potentials(self, found: Simulated, steps: int) -> dict[str, Integers]:
        """In the network's units; 0 as long as a readout waits."""
        result, start = {}, 0
        units, rest = np.divmod(found.potentials, self._unit)
        if np.any(rest):
            raise self._refuse(
                f"a potential of a readout is no multiple of {self._unit}, should be"
            )
        for name in self._readouts:
            size, shape = self._members[name].size, self._graph[name].type.shape
            part = units[:, :, start : start + size].reshape(len(units), steps, *shape)
            part[:, : delay(self._graph[name])] = 0
            result[name] = part
            start += size
        return result

    def _activity(self, found: Simulated, chip_steps: int) -> dict[str, Mapping[str, Integers]]:
        total = np.zeros((len(found.counts), len(self._names), len(COUNTERS)), np.int64)
        for group, (_, population) in enumerate(self._simulator.groups):
            total[:, population] += found.counts[:, group]
        activity: dict[str, Mapping[str, Integers]] = {
            name: {counter: total[:, i, c] for c, counter in enumerate(COUNTERS)}
            for i, name in enumerate(self._names)
        }
        each = np.ones(len(found.counts), np.int64)
        activity[CHIP] = {
            "picoseconds": found.time,
            "steps": chip_steps * each,
            "barriers": chip_steps * self._cores * each,
        }
        return activity


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise fail(
            "SNN060",
            f"the file cannot be read: {why(error)}",
            str(path),
            "compile the network anew",
        ) from None


def _chip_of(path: Path, core_map: CoreMap) -> Chip:
    """The description beside a map; raises SNN060 when it is another's."""
    beside = path.parent / DESCRIPTION
    chip = parse_chip(_read(beside), str(beside))
    if chip.digest != core_map.chip_digest:
        raise fail(
            "SNN060",
            f"header at byte 32: the map was made for another chip than '{chip.name}'",
            str(beside),
            "compile the network anew",
        )
    return chip


def _described(path: Path) -> tuple[list[str], int, str]:
    """Names of the populations in order, the raw potential that is 1 in the network, and the costs
    to estimate by: "" where there are none."""
    beside = path.parent / CORES
    try:
        table = json.loads(_read(beside))
        names = [entry["name"] for entry in table["populations"]]
        unit, costs = table["unit"], table.get("costs", "")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        names, unit, costs = [], 0, ""
    texts = all(isinstance(name, str) for name in [*names, costs])
    if not names or not texts or len(set(names)) < len(names) or type(unit) is not int or unit < 1:
        raise fail(
            "SNN060",
            "the file should have populations with a name each, and a unit of 1 or more",
            str(beside),
            "compile the network anew",
        )
    return names, unit, costs
